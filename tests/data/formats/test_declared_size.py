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
