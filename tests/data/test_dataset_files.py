import hashlib

import numpy as np
import pytest

from phosphene.data.dataset_files import file_digest, flush, open_array, verify_files, write_json


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    return tmp_path


def info_of(folder):
    content = (folder / "a.npy").read_bytes()
    said = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    arrays = {"a.npy": {"shape": [2, 3], "dtype": "int64"}}
    return {"files": {"a.npy": said}, "arrays": arrays, "hashes": 2}


def test_whole_files_pass_and_any_changed_byte_does_not(folder):
    info = info_of(folder)
    verify_files(folder, info)
    content = bytearray((folder / "a.npy").read_bytes())
    content[-1] ^= 1
    (folder / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        verify_files(folder, info)
    (folder / "a.npy").write_bytes(content[:-1])
    with pytest.raises(ValueError, match="must have 176 bytes"):
        verify_files(folder, info)
    (folder / "a.npy").unlink()
    with pytest.raises(ValueError, match=r"lacks a\.npy"):
        verify_files(folder, info)


def test_arrays_are_mapped_if_they_are_as_announced(folder):
    info = info_of(folder)
    np.testing.assert_array_equal(open_array(folder, "a.npy", info), np.arange(6).reshape(2, 3))
    info["arrays"]["a.npy"]["shape"] = [3, 2]
    with pytest.raises(ValueError, match=r"must be int64 \[3, 2\]"):
        open_array(folder, "a.npy", info)
    with pytest.raises(ValueError, match="leads out"):
        open_array(folder, "../a.npy", info)


def test_small_files_have_one_digest_in_both_versions(folder):
    expected = hashlib.sha256((folder / "a.npy").read_bytes()).hexdigest()
    assert file_digest(folder / "a.npy", 1) == file_digest(folder / "a.npy", 2) == expected


def test_writes_json_without_nan(tmp_path):
    write_json(tmp_path / "a.json", {"name": "ä"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "name": "ä"\n}\n'
    flush(tmp_path / "a.json")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
