import gzip
import struct

import pytest

from phosphene.data.formats.declared_size import check_declared_size, check_loaded_size


@pytest.mark.parametrize("announced", ["0", "-3", "99999999999999999999", "many"])
def test_refuses_absurd_numbers_of_channels(tmp_path, announced):
    path = tmp_path / "a.vhdr"
    path.write_text(f"NumberOfChannels={announced}\n")
    with pytest.raises(ValueError, match="1 to 4096 channels"):
        check_declared_size(path)
    path.write_text("NumberOfChannels=64\n")
    check_declared_size(path)


def test_refuses_more_samples_than_files_can_hold(tmp_path, monkeypatch):
    path = tmp_path / "a.gdf"
    path.write_bytes(bytes(100))
    check_loaded_size(50, 2, [path], name="a.gdf")
    with pytest.raises(ValueError, match="announces 51 samples of 2 channels and has 100 bytes"):
        check_loaded_size(51, 2, [path], name="a.gdf")
    packed = path.rename(tmp_path / "a.fif.gz")
    check_loaded_size(51, 2, [packed], name="a.fif.gz")
    monkeypatch.setattr("phosphene.data.formats.declared_size.MAX_SAMPLES", 60)
    with pytest.raises(ValueError, match="at most 60 samples"):
        check_loaded_size(51, 2, [packed], name="a.fif.gz")


def test_refuses_packed_files_that_unpack_out_of_proportion(tmp_path, monkeypatch):
    path = tmp_path / "a.fif.gz"
    path.write_bytes(gzip.compress(bytes(100_000)))
    check_declared_size(path)
    monkeypatch.setattr("phosphene.data.formats.declared_size.PACKED_LEAST", 50_000)
    with pytest.raises(ValueError, match=r"100 times its size; a\.fif\.gz gives more than 50000"):
        check_declared_size(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="whole gzip file"):
        check_declared_size(path)


def tag(kind, data=b"", *, following=0):
    form = 10 if kind == NAME else 3
    return struct.pack(">4i", kind, form, len(data), following) + data


NAME = 118
STOP = tag(108, following=-1)


@pytest.mark.parametrize("name", ["a.fif", "a.fif.gz", "a_raw.fif-1.gz"])
def test_refuses_fif_tags_in_a_circle_in_every_part(tmp_path, name):
    circle = tag(9, bytes(4)) + tag(9, bytes(4), following=20)
    path = tmp_path / name
    path.write_bytes(gzip.compress(circle) if path.suffix == ".gz" else circle)
    (tmp_path / "first.fif").write_bytes(tag(9) + tag(NAME, name.encode()) + STOP)
    for start in ("first.fif", *([name] if ".fif.gz" in name else [])):
        with pytest.raises(ValueError, match=f"{name} of 40 bytes has one at byte 20 that leads"):
            check_declared_size(tmp_path / start)


def test_refuses_parts_that_name_one_another_or_lie_elsewhere(tmp_path):
    (tmp_path / "data").mkdir()
    first, second = tmp_path / "data" / "a.fif", tmp_path / "data" / "a-1.fif"
    first.write_bytes(tag(NAME, b"a-1.fif") + STOP)
    check_declared_size(first)  # MNE says what is missing
    second.write_bytes(tag(NAME, b"c.fif") + STOP)
    check_declared_size(first)
    second.write_bytes(tag(NAME, b"a.fif") + STOP)
    with pytest.raises(ValueError, match=r"a-1\.fif names a\.fif, which comes before"):
        check_declared_size(first)
    second.write_bytes(tag(NAME, b"../b.fif") + STOP)
    (tmp_path / "b.fif").write_bytes(STOP)
    with pytest.raises(ValueError, match=r"a\.fif refers to b\.fif outside it"):
        check_declared_size(first)
