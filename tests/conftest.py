import os
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports numpy or torch
os.environ.setdefault("MPLBACKEND", "Agg")

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _torch_on_one_thread():
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings that data/DATA.md describes."""
    folder = Path(os.environ.get("PHOSPHENE_DATA") or PROJECT.parent / "shared" / "data")
    if not (folder / "muse-visual").is_dir():
        pytest.skip(f"no real recordings in {folder}; set PHOSPHENE_DATA to their folder")
    return folder
