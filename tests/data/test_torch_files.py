import os
import zipfile

import pytest
import torch

from phosphene.data.torch_files import read_torch, require_lists, whole_number


class Payload:
    """Runs a command when it is unpickled by a reader that runs code."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "before 1.6"])
def test_reads_tensors_and_plain_containers(tmp_path, new):
    path = tmp_path / "a.pth"
    torch.save({"x": [torch.arange(3.0), "t", 1]}, path, _use_new_zipfile_serialization=new)
    found = read_torch(path)
    assert found["x"][0].tolist() == [0, 1, 2]
    assert found["x"][1:] == ["t", 1]


@pytest.mark.parametrize("new", [True, False], ids=["zip", "before 1.6"])
def test_runs_nothing(tmp_path, new):
    path, mark = tmp_path / "a.pth", tmp_path / "mark"
    torch.save({"x": Payload(mark)}, path, _use_new_zipfile_serialization=new)
    with pytest.raises(ValueError, match="nothing in it was run: get the file again"):
        read_torch(path)
    assert not mark.exists()


def test_refuses_what_unpacks_to_more_than_its_size(tmp_path):
    torch.save({"x": torch.zeros(100_000)}, tmp_path / "a.pth")
    with (
        zipfile.ZipFile(tmp_path / "a.pth") as plain,
        zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(ValueError, match="unpacks to more than its size"):
        read_torch(tmp_path / "b.pth")


def test_refuses_a_storage_that_is_longer_than_the_file(tmp_path):
    torch.save({"x": torch.arange(4.0)}, tmp_path / "a.pth")
    with (
        zipfile.ZipFile(tmp_path / "a.pth") as plain,
        zipfile.ZipFile(tmp_path / "b.pth", "w") as lying,
    ):
        for name in plain.namelist():
            content = plain.read(name)
            for end in (b"tq", b"\x85"):  # number of values of the storage, and shape
                content = content.replace(b"K\x04" + end, b"J\x00\x00\x10\x00" + end)
            lying.writestr(name, content)
    with pytest.raises(ValueError, match=r"b\.pth does not \(.*; nothing in it was run"):
        read_torch(tmp_path / "b.pth")


@pytest.mark.parametrize("content", [b"", b"abc", b"PK\x03\x04" + b"\0" * 50, b"\x80\x02."])
def test_refuses_damaged_files_in_one_sentence(tmp_path, content):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="may hold tensors and plain containers alone"):
        read_torch(path)


def test_refuses_large_files_folders_and_nothing(tmp_path):
    torch.save({}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="may have 10 bytes"):
        read_torch(tmp_path / "a.pth", max_bytes=10)
    with pytest.raises(ValueError, match="only regular files"):
        read_torch(tmp_path)
    with pytest.raises(ValueError, match="there is none at"):
        read_torch(tmp_path / "b.pth")


def test_names_the_list_that_is_missing(tmp_path):
    require_lists({"a": []}, ["a"], tmp_path)
    for wrong in ({"a": 1}, {"b": []}, [1]):
        with pytest.raises(ValueError, match="a dict with a list 'a'"):
            require_lists(wrong, ["a"], tmp_path)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *[(3, 3), (torch.tensor(3), 3), (torch.tensor([3]), 3), (True, None), (3.0, None)],
        *[(torch.tensor(3.0), None), (torch.tensor([1, 2]), None), ("3", None), (None, None)],
    ],
)
def test_whole_numbers_may_be_tensors(value, number):
    assert whole_number(value) == number
