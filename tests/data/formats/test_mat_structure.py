import contextlib
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from phosphene.data.formats.mat_structure import check_arrays

MOST = 1 << 20
CONTENT = {
    "EEG": {
        "data": np.arange(12.0).reshape(3, 4),
        "setname": "Häuser",
        "empty": np.zeros((0, 0)),
        "nothing": "",
        "event": np.array([[{"type": "S1", "latency": 3.0}, {"type": "S2", "latency": 5.0}]]),
        "complex": np.array([1 + 2j]),
        "sparse": scipy.sparse.csc_array(np.eye(3)),
    },
    "letters": np.array(["ab", "cd"]),
    "cells": np.array([1, "x", np.ones(3, np.int16)], dtype=object),
}


def write(path, content=CONTENT, **options):
    scipy.io.savemat(path, content, **options)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_whole_files_pass(tmp_path, packed):
    check_arrays(write(tmp_path / "a.set", do_compression=packed), max_bytes=MOST)


@pytest.mark.parametrize("content", [b"", b"MATLAB", b"\x89HDF" + bytes(600), bytes(200)])
def test_files_of_other_formats_are_left_to_other_readers(tmp_path, content):
    (tmp_path / "a.set").write_bytes(content)
    check_arrays(tmp_path / "a.set", max_bytes=MOST)


@pytest.mark.parametrize(
    ("at", "value", "match"),
    [
        (128, 99, "an array has the type 99"),
        (132, 1 << 30, "announces 1073741824 bytes"),
        (136, 3, "misplaced"),
        (144, 19, "an array is of class 19"),
        (160, 3, r"announced in \d+ bytes"),
        (160, 0x7FFFFFFF, r"announced in \d+ bytes"),
        (160, -1, "no proper size"),
        (176, 40, "announced in 48 bytes of type 40"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, at, value, match):
    path = write(tmp_path / "a.set", {"a": np.arange(6.0).reshape(2, 3)})
    content = bytearray(path.read_bytes())
    content[at : at + 4] = struct.pack("<I", value & 0xFFFFFFFF)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=match) as error:
        check_arrays(path, max_bytes=MOST)
    assert "a.set does not" in str(error.value)


def test_items_outside_a_sparse_array_are_refused(tmp_path):
    path = write(tmp_path / "a.set", {"a": scipy.sparse.csc_array(np.eye(3))})
    content = path.read_bytes()
    places = struct.pack("<3i", 0, 1, 2)
    assert content.count(places) == 2  # the rows, and the first of the columns' ends
    path.write_bytes(content.replace(places, struct.pack("<3i", 0, 1, 200_000), 1))
    with pytest.raises(ValueError, match="outside of it"):
        check_arrays(path, max_bytes=MOST)


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path):
    path = write(tmp_path / "a.set", {"a": np.zeros(1 << 18)}, do_compression=True)
    assert path.stat().st_size < 10_000
    with pytest.raises(ValueError, match="unpacks to more than 1048576 bytes"):
        check_arrays(path, max_bytes=MOST)


def peak(path, **options):
    """Return the most memory that a check took, in bytes."""
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            check_arrays(path, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def element(kind, content):
    return struct.pack("<2I", kind, len(content)) + content + bytes(-len(content) % 8)


@pytest.mark.parametrize("where", ["name", "fields", "sparse"])
def test_numbers_take_no_more_memory_than_in_the_file(tmp_path, where):
    n, flags = 1 << 21, {"name": 6, "fields": 2, "sparse": 5}[where]
    parts = [element(6, struct.pack("<2I", flags, n)), element(5, struct.pack("<2i", 1, 1))]
    if where == "name":
        parts.append(element(1, b"x" * n))
    elif where == "fields":
        parts += [element(1, b"x"), element(5, struct.pack("<i", 1)), element(1, b"x" * n)]
    else:
        parts += [element(1, b"x"), element(5, bytes(n)), element(5, struct.pack("<2i", 0, 1))]
        parts.append(element(9, bytes(2 * n)))
    path = write(tmp_path / "a.set", {})
    packed = zlib.compress(element(14, b"".join(parts)))
    path.write_bytes(path.read_bytes() + struct.pack("<2I", 15, len(packed)) + packed)
    assert peak(path, max_bytes=1 << 26) < 5 * n
    if where == "sparse":
        check_arrays(path, max_bytes=1 << 26)
    else:
        with pytest.raises(ValueError, match=r"misplaced|no proper length"):
            check_arrays(path, max_bytes=1 << 26)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_scipy_survives_what_passes(data, tmp_path_factory):
    path = write(tmp_path_factory.getbasetemp() / "mutated.set")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(128, len(content) - 1))
        content[at] = data.draw(st.sampled_from([0, 1, 14, 99, 127, 128, 255]))
    path.write_bytes(content)
    with contextlib.suppress(ValueError):
        check_arrays(path, max_bytes=MOST)
        with contextlib.suppress(Exception):
            scipy.io.loadmat(path)  # a crash would end the tests
