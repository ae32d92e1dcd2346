import contextlib
import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phosphene._checks.arrays import map_npy, read_npz


def npy(array, **header):
    """Return an .npy file's bytes, with some of its header replaced."""
    file = io.BytesIO()
    fields = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape, **header}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue() + array.tobytes()


def archive(path, compression=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.zeros((0, 3)), np.array("é")])
def test_arrays_come_back(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", a=array, b=np.asfortranarray(array))
    np.testing.assert_array_equal(map_npy(tmp_path / "a.npy"), array)
    for found in read_npz(tmp_path / "a.npz").values():
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype
        assert found.flags.writeable


def test_mapped_arrays_can_be_changed_in_memory_only(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    map_npy(tmp_path / "a.npy")[0] = 1
    assert map_npy(tmp_path / "a.npy")[0] == 0


HOSTILE = {
    "more than there is": npy(np.zeros(3), shape=(4,)),
    "less than there is": npy(np.zeros(3), shape=(2,)),
    "gigantic": npy(np.zeros(3), shape=(1 << 62, 1 << 62)),
    "negative": npy(np.zeros(3), shape=(-3,)),
    "objects": npy(np.zeros(3), descr="|O"),
    "wide text": npy(np.zeros(3), descr="<U1000000000"),
    "no width": npy(np.zeros(0), descr="<U0", shape=(1 << 39,)),
    "structure": npy(np.zeros(3), descr=[("a", "<f8")]),
    "nested": b"\x93NUMPY\x01\x00\x40\x1f" + b"(" * 8000,
    "another version": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100,
    "no array": b"no array",
    "empty": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_headers_are_believed_only_if_they_fit_the_file(tmp_path, name):
    (tmp_path / "a.npy").write_bytes(HOSTILE[name])
    with pytest.raises(ValueError, match=r"a\.npy"):
        map_npy(tmp_path / "a.npy")
    with pytest.raises(ValueError, match=r"a\.npz"):
        read_npz(archive(tmp_path / "a.npz", a=HOSTILE[name]))


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path):
    path = archive(tmp_path / "a.npz", a=npy(np.zeros(1 << 20, np.uint8)))
    assert path.stat().st_size < 5000
    with pytest.raises(ValueError, match="may have 100000 bytes; it has 10"):
        read_npz(path, limit=100_000)


def test_an_archive_that_unpacks_to_more_than_it_says_is_refused(tmp_path):
    path = archive(tmp_path / "a.npz", a=npy(np.zeros(1 << 20, np.uint8)))
    content, size = path.read_bytes(), len(npy(np.zeros(1 << 20, np.uint8)))
    path.write_bytes(content.replace(struct.pack("<L", size), struct.pack("<L", 200)))
    with pytest.raises(ValueError, match="Bad CRC"):
        read_npz(path)


def test_an_archive_with_too_many_or_double_members_is_refused(tmp_path):
    with pytest.raises(ValueError, match="more than 1000 members"):
        read_npz(archive(tmp_path / "a.npz", **{str(n): b"" for n in range(1001)}))
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as file:
        file.writestr("a.npy", npy(np.zeros(1)))
        file.writestr("a", npy(np.ones(1)))
    with pytest.raises(ValueError, match="occur twice"):
        read_npz(tmp_path / "b.npz")


def test_other_compressions_are_refused(tmp_path):
    path = archive(tmp_path / "a.npz", zipfile.ZIP_LZMA, a=npy(np.zeros(3)))
    with pytest.raises(ValueError, match="stored or deflated"):
        read_npz(path)


def test_names_inside_an_archive_are_keys_and_never_paths(tmp_path):
    path = archive(tmp_path / "a.npz", **{"../../evil": npy(np.zeros(3))})
    assert list(read_npz(path)) == ["../../evil"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_mutated_archive_is_read_or_refused(data, tmp_path_factory):
    path = archive(tmp_path_factory.getbasetemp() / "mutated.npz", a=npy(np.arange(20)), b=b"")
    content = bytearray(archive(path, a=npy(np.arange(20))).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] or content)
    with contextlib.suppress(ValueError):
        read_npz(path)
