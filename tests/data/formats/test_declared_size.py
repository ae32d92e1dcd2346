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


@pytest.mark.parametrize(("length", "following"), [(-1, 0), (1 << 30, 0), (4, 16), (4, 1)])
def test_refuses_fif_tags_that_lead_out_or_back(tmp_path, length, following):
    def tag(length, following):
        return struct.pack(">4i", 100, 3, length, following) + bytes(4)

    path = tmp_path / "a.fif"
    path.write_bytes(tag(4, 0) + tag(4, 60) + bytes(20) + tag(4, -1) + tag(9, 3))
    check_declared_size(path)
    path.write_bytes(tag(4, 0) + tag(length, following) + tag(4, 0))
    with pytest.raises(ValueError, match="leads out of it or back"):
        check_declared_size(path)
