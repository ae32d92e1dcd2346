"""Checkpoints: everything a step needs to go on as if it had never stopped."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

_PATTERN = "step_*.pt"


def collect_state(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of modules, optimisers, averages and generators by name."""
    return {
        name: part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
        for name, part in parts.items()
    }


def restore_state(parts: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Put back what `collect_state` returned; the names must be the same."""
    if parts.keys() != state.keys():
        raise ValueError(
            f"a checkpoint must hold the parts {sorted(parts)}; got {sorted(state)}. "
            "Resume with the settings of the interrupted run."
        )
    for name, part in parts.items():
        if isinstance(part, torch.Generator):
            part.set_state(state[name].cpu())
        else:
            part.load_state_dict(state[name])


def save_checkpoint(folder: Path, state: Mapping[str, Any], *, step: int, n_kept: int = 2) -> Path:
    """Write a checkpoint so that a crash at any moment leaves a complete one behind.

    Bytes go to a temporary file, reach the disk, and are then renamed; the SHA-256 is in place
    before. All but the newest `n_kept` are deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step_{step:08d}.pt"
    temporary = path.with_suffix(".pt.tmp")
    with temporary.open("wb") as file:
        torch.save({"step": step, "state": dict(state)}, file)
        file.flush()
        os.fsync(file.fileno())
    with _hash_path(path).open("w", encoding="ascii") as file:
        file.write(_sha256(temporary))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    for old in sorted(folder.glob(_PATTERN))[:-n_kept]:
        old.unlink()
        _hash_path(old).unlink(missing_ok=True)
    return path


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint of a folder, None if there is none."""
    return max(folder.glob(_PATTERN), default=None)


def load_checkpoint(path: Path) -> tuple[int, dict[str, Any]]:
    """Return the step and the state of a checkpoint whose bytes are those that were written.

    Only tensors and plain containers are read, never code (`weights_only`).

    Raises
    ------
    ValueError
        If the file differs from its recorded SHA-256, or that record is missing.
    """
    recorded = _hash_path(path).read_text("ascii").strip() if _hash_path(path).exists() else None
    found = _sha256(path)
    if found != recorded:
        raise ValueError(
            f"a checkpoint must have its recorded SHA-256 {recorded}; {path.name} has {found}. "
            "Delete it to go on from the one before."
        )
    content = torch.load(path, weights_only=True, map_location="cpu")
    return content["step"], content["state"]


def _hash_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
