"""Pickles that run code when Python unpickles them: those of the restricted reader's tests."""

import importlib.util
import tempfile
from pathlib import Path
from types import ModuleType

PAYLOADS = Path(__file__).parents[1] / "tests" / "data" / "test_restricted_pickle.py"


def count_runs() -> tuple[int, int]:
    """Read every hostile pickle; return how many there are and how many ran code or were read."""
    from phosphene.data.restricted_pickle import read_pickle

    payloads = _load(PAYLOADS).HOSTILE
    n_ran = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, make in enumerate(payloads.values()):
            marker, path = Path(folder, f"marker{number}"), Path(folder, f"{number}.pkl")
            path.write_bytes(make(str(marker)))
            try:
                read_pickle(path)
            except ValueError:
                n_ran += marker.exists()
            else:
                n_ran += 1
    return len(payloads), n_ran


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
