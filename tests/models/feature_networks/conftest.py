import io
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def published():
    """Names and shapes in the published file, from pytorch-fid's and torchvision's definitions."""
    lines = (Path(__file__).parent / "inception-2015.txt").read_text().splitlines()
    return {
        name: tuple(map(int, shape.split("x"))) for name, shape in (line.split() for line in lines)
    }


@pytest.fixture(scope="session")
def fake_state(published):
    """Random weights under the published names, of sizes that keep values near 1."""
    import torch

    rng = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in published.items():
        values = torch.randn(shape, generator=rng)
        if name.endswith("running_var") or name.endswith("bn.weight"):
            values = 1 + 0.2 * values.tanh()
        elif len(shape) > 1:
            values *= (2 / values[0].numel()) ** 0.5
        else:
            values *= 0.1
        state[name] = values
    return state


@pytest.fixture(scope="session")
def as_bytes():
    """Save a state dict to bytes, as old PyTorch did unless told otherwise."""
    import torch

    def save(state, *, zipped=False):
        file = io.BytesIO()
        torch.save(state, file, _use_new_zipfile_serialization=zipped)
        return file.getvalue()

    return save
