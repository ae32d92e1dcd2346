import struct
import sys
import zlib

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from phosphene.data.formats.mat_header import check_mat

MOST = 1 << 20


@pytest.fixture(params=[True, False], ids=["packed", "plain"])
def mat(request, tmp_path):
    """A MATLAB file of numbers, texts, cells and structures, and whether it is packed."""
    path = tmp_path / "a.set"
    cells = np.empty(3, dtype=object)
    cells[:] = ["a", np.zeros(0), {"x": 1}]
    event = {"type": "S  1", "latency": 3.5, "urevent": cells}
    structure = {"data": np.ones((3, 50)), "event": event, "chanlocs": cells, "none": []}
    savemat(path, {"EEG": structure, "name": "x"}, do_compression=request.param)
    return path, request.param


def test_lets_whole_files_pass(mat, tmp_path):
    check_mat(mat[0], max_bytes=MOST)
    (tmp_path / "old.set").write_bytes(bytes(300))
    check_mat(tmp_path / "old.set", max_bytes=MOST)  # no MATLAB 5 file; for MNE to refuse


def test_refuses_cut_and_swollen_files(mat):
    path, packed = mat
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    with pytest.raises(ValueError, match=r"a\.set does not .*copy or export"):
        check_mat(path, max_bytes=MOST)
    path.write_bytes(content)
    if packed:
        with pytest.raises(ValueError, match="unpacks to more than 500 bytes"):
            check_mat(path, max_bytes=500)


def test_refuses_cells_that_announce_more_than_they_hold(mat):
    path, packed = mat
    content = path.read_bytes()
    head, body = content[:128], content[128:]
    if packed:
        (length,) = struct.unpack("<I", body[4:8])
        body = zlib.decompress(body[8 : 8 + length])
    small = struct.pack("<4I", 5, 8, 1, 3)  # the cells: 1 x 3
    assert small in body
    body = body.replace(small, struct.pack("<4I", 5, 8, 1 << 15, 1 << 15))
    if packed:
        body = zlib.compress(body)
        body = struct.pack("<2I", 15, len(body)) + body
    path.write_bytes(head + body)
    with pytest.raises(ValueError, match="1073741824 arrays are announced in"):
        check_mat(path, max_bytes=MOST)


def test_refuses_hdf5_that_is_large_or_refers_elsewhere(tmp_path):
    path = tmp_path / "a.set"
    with h5py.File(path, "w") as file:
        file["EEG/data"] = np.ones((3, 50))
    check_mat(path, max_bytes=MOST)
    with pytest.raises(ValueError, match="more than 100 bytes"):
        check_mat(path, max_bytes=100)
    with h5py.File(path, "a") as file:
        file["EEG/more"] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(ValueError, match="EEG/more refers to another file"):
        check_mat(path, max_bytes=MOST)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ValueError, match=r"a\.set does not"):
        check_mat(path, max_bytes=MOST)


def test_says_how_to_get_what_reads_hdf5(tmp_path, monkeypatch):
    path = tmp_path / "a.set"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match=r"a\.set is one; install .* -m pip install pymat"):
        check_mat(path, max_bytes=100)
