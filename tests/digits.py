"""Small real digits as MNIST's files, for tests of what restores pictures."""

import struct
from pathlib import Path

import pytest

N_TRAIN, N_TEST = 160, 60


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory) -> Path:
    """A folder of IDX files with scikit-learn's digits of 8 x 8: 160 to train, 60 to test."""
    import numpy as np
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    pixels = (np.asarray(values) * 15.9375).astype(np.uint8).reshape(-1, 8, 8)
    folder = tmp_path_factory.mktemp("digits") / "digits"
    folder.mkdir()
    for stem, first, n in (("train", 0, N_TRAIN), ("t10k", N_TRAIN, N_TEST)):
        some = slice(first, first + n)
        write_idx(folder / f"{stem}-images-idx3-ubyte", pixels[some])
        write_idx(folder / f"{stem}-labels-idx1-ubyte", np.asarray(labels)[some].astype(np.uint8))
    return folder


def write_idx(path, values) -> None:
    """Write bytes in the IDX format."""
    magic = 0x800 + values.ndim
    header = struct.pack(f">{1 + values.ndim}I", magic, *values.shape)
    path.write_bytes(header + values.tobytes())
