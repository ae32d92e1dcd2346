import gzip
import struct

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def write_idx(tmp_path):
    """Write a pair of IDX files and return their folder."""

    def write(n=6, *, stem="train", gz=True, rows=3, columns=2, labels=None, folder=None):
        folder = folder or tmp_path / "mnist"
        folder.mkdir(exist_ok=True)
        pixels = np.arange(n * rows * columns, dtype=np.uint8)
        labels = np.arange(n) % 3 if labels is None else labels
        contents = {
            "images-idx3": struct.pack(">4I", 0x803, n, rows, columns) + pixels.tobytes(),
            "labels-idx1": struct.pack(">2I", 0x801, len(labels))
            + np.asarray(labels, np.uint8).tobytes(),
        }
        for name, content in contents.items():
            path = folder / f"{stem}-{name}-ubyte{'.gz' if gz else ''}"
            path.write_bytes(gzip.compress(content) if gz else content)
        return folder

    return write


@pytest.fixture
def write_cifar(tmp_path):
    """Write a CIFAR-10 batch whose first picture is pure red, and return its folder."""

    def write(labels=(3, 0), *, names="plane car bird cat deer dog frog horse ship truck"):
        folder = tmp_path / "cifar"
        folder.mkdir()
        records = np.zeros((len(labels), 3073), np.uint8)
        records[:, 0] = labels
        records[0, 1 : 1 + 1024] = 255
        records.tofile(folder / "data_batch_1.bin")
        if names:
            (folder / "batches.meta.txt").write_text(names.replace(" ", "\n") + "\n\n")
        return folder

    return write


@pytest.fixture
def write_pictures(tmp_path):
    """Write small pictures by relative path and return their folder."""

    def write(*names, size=(8, 8), mode="RGB", folder="pictures"):
        for number, name in enumerate(names):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new(mode, size, number + 1).save(path)
        return tmp_path / folder

    return write
