"""Ask torch what it finds, in a process of its own: a broken torch may take its process along."""

import json
import subprocess
import sys
from typing import Any

SECONDS = 120


def probe_torch(python: str = sys.executable, *, seconds: float = SECONDS) -> dict[str, Any]:
    """Import torch and add on every device; return what was found, or `error`.

    Parameters
    ----------
    python
        Interpreter to ask.
    seconds
        How long it may take.

    Returns
    -------
    dict
        ``version``, ``cuda`` (version that torch was built for, None for the CPU), ``threads``,
        ``devices`` (each with ``kind``, ``name``, ``memory`` in bytes or None, ``error`` or ""), or
        nothing but ``error``.
    """
    command = [python, "-P", "-m", "phosphene.cli.torch_probe"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {seconds:g} s"}
    except OSError as error:
        return {"error": str(error)}
    last = (done.stdout.strip().splitlines() or [""])[-1]
    try:
        found = json.loads(last)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return {"error": f"importing it ended with exit code {done.returncode}: {said}"}


def look() -> dict[str, Any]:
    """Import torch here and return what it finds."""
    try:
        import torch
    except Exception as error:  # a half-installed torch raises whatever it likes
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    devices = []
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(number)
            kind = f"cuda:{number}"
            devices.append(_device(kind, name=properties.name, memory=properties.total_memory))
    if torch.backends.mps.is_available():
        devices.append(_device("mps", name="Apple GPU", memory=None))
    return {
        "version": str(torch.__version__),
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "devices": devices,
    }


def _device(kind: str, *, name: str, memory: int | None) -> dict[str, Any]:
    import torch

    try:
        torch.ones(2, device=kind).add(1).sum().item()
        error = ""
    except Exception as problem:  # no kernel for this chip, or its memory is taken
        error = str(problem).splitlines()[0]
    return {"kind": kind, "name": name, "memory": memory, "error": error}


if __name__ == "__main__":
    print(json.dumps(look()))
