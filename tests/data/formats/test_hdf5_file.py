import os

import h5py
import numpy as np
import pytest

from phosphene.data.formats.hdf5_file import (
    attribute,
    find_group,
    find_numbers,
    groups_of,
    open_hdf5,
    read_numbers,
    read_text,
    read_texts,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.nwb"
    with h5py.File(path, "w") as file:
        group = file.create_group("g")
        group["numbers"] = np.arange(5)
        group["soft"] = h5py.SoftLink("/g/numbers")
        group.create_dataset("texts", data=["a", "bä"], dtype=h5py.string_dtype())
        group["fixed"] = np.array([b"x", b"yz"])
        group["name"] = "Bob"
        group.attrs.update({"unit": "V", "n": 3, "one": np.array([2.5]), "many": [1, 2]})
    return path


def test_reads_numbers_texts_and_attributes(path):
    with open_hdf5(path) as file:
        group = find_group(file, "g")
        assert list(groups_of(file)) == ["g"]
        assert read_numbers(group, "numbers").tolist() == [0, 1, 2, 3, 4]
        assert read_numbers(group, "soft").tolist() == [0, 1, 2, 3, 4]
        assert read_texts(group, "texts") == ["a", "bä"]
        assert read_texts(group, "fixed") == ["x", "yz"]
        assert read_text(group, "name") == "Bob"
        assert [attribute(group, n) for n in ("unit", "n", "one")] == ["V", 3, 2.5]
        missing = [find_group(file, "x"), read_numbers(group, "x"), read_texts(group, "x")]
        assert missing == [None, None, None]
        assert (read_text(group, "x"), attribute(group, "x"), attribute(group, "many")) == (
            "",
            None,
            None,
        )


def test_refuses_what_is_no_hdf5_file(tmp_path):
    (tmp_path / "a.nwb").write_bytes(b"not HDF5")
    with pytest.raises(ValueError, match="does not begin as one"), open_hdf5(tmp_path / "a.nwb"):
        pass
    os.mkfifo(tmp_path / "pipe.nwb")
    with pytest.raises(ValueError, match="only regular files"), open_hdf5(tmp_path / "pipe.nwb"):
        pass
    with pytest.raises(FileNotFoundError), open_hdf5(tmp_path / "none.nwb"):
        pass


@pytest.mark.parametrize("kept", [8, 100, 0.5, 0.99])
def test_refuses_truncated_files_in_one_sentence(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: kept if kept > 1 else int(kept * len(content))])
    said = r"must be whole; .* download or copy it again"
    with pytest.raises(ValueError, match=said), open_hdf5(path) as file:
        file["g/numbers"][()]


def test_refuses_damage_that_shows_only_when_read(tmp_path):
    path = tmp_path / "a.nwb"
    values = np.random.default_rng(0).normal(size=5000)
    with h5py.File(path, "w") as file:
        data = file.create_dataset("x", data=values, compression="gzip", chunks=(5000,))
        start = data.id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[start : start + 200] = b"\xff" * 200
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must be whole"), open_hdf5(path) as file:
        read_numbers(file, "x")


@pytest.mark.timeout(60)
def test_refuses_text_that_the_library_would_read_for_ever(path):
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 16 : heap + 32] = bytes(16)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"the text at byte {heap + 16} of"), open_hdf5(path):
        pass


def external_group(file):
    file["x"] = h5py.ExternalLink("/etc/passwd", "/g")


def external_values(file):
    file.create_dataset("x", (3,), "f4", external=[("/etc/passwd", 0, 12)])


def virtual_values(file):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3,))
    file.create_virtual_dataset("x", layout)


def soft_to_external(file):
    file["g/out"] = h5py.ExternalLink("other.h5", "/")
    file["x"] = h5py.SoftLink("/g/out/y")


def unfilled(file):
    file.create_dataset("x", (1 << 28,), "f8", chunks=(1 << 16,))


def bomb(file):
    data = file.create_dataset("x", (1 << 28,), "f8", chunks=(1 << 16,), compression="gzip")
    data[:4] = 1


def huge_chunk(file):
    shape = (1 << 26,)
    data = file.create_dataset("x", shape, "f8", chunks=shape, compression="gzip")
    data.id.write_direct_chunk((0,), b"\0" * (1 << 20))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (external_group, "links to another file"),
        (external_values, "lie in another file"),
        (virtual_values, "lie in another file"),
        (soft_to_external, "lead to its own data"),
        (unfilled, "must be filled"),
        (bomb, "must be filled"),
        (huge_chunk, "a chunk of /x"),
        (lambda f: f.create_dataset("x", data=[b"text"]), "must be numbers"),
        (lambda f: f.create_dataset("x", data=np.zeros((2, 2))), "must be numbers with 1 axes"),
    ],
)
def test_refuses_numbers_that_lie_elsewhere_or_are_too_many(path, make, match):
    with h5py.File(path, "r+") as file:
        make(file)
    with pytest.raises(ValueError, match=match), open_hdf5(path) as file:
        read_numbers(file, "x")


def test_refuses_more_than_the_limit(path):
    with open_hdf5(path) as file, pytest.raises(ValueError, match="may have 39 bytes; it has 40"):
        find_numbers(file, "g/numbers", limit=39)


def test_refuses_rows_that_repeat_a_long_text(path):
    with h5py.File(path, "r+") as file:
        texts = file.create_dataset("x", (30,), h5py.string_dtype())
        texts[:] = "a" * (1 << 20)
    with pytest.raises(ValueError, match=r"may have 16777216 bytes"), open_hdf5(path) as file:
        read_texts(file, "x")
    with open_hdf5(path) as file, pytest.raises(ValueError, match="column of text"):
        read_texts(file, "g/numbers")
