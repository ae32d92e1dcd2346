import pytest

from phosphene.data.formats import find_recordings, read_images, read_recording


def test_finds_recordings_recursively_and_once(tmp_path):
    for name in ("b/s/2.csv", "b/1.CSV", "b/.hidden/3.csv", "b/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = find_recordings([tmp_path / "b", tmp_path / "b" / "s" / "2.csv"])
    assert [p.name for p in found] == ["1.CSV", "2.csv"]


def test_refuses_folders_without_recordings(tmp_path):
    with pytest.raises(ValueError, match="holds none"):
        find_recordings([tmp_path])
    with pytest.raises(ValueError, match="nothing at"):
        find_recordings([tmp_path / "absent"])


def test_reads_a_recording_by_suffix(tmp_path, muse_text):
    path = tmp_path / "a.csv"
    path.write_text(muse_text())
    assert read_recording(path, subject="1", session="2").recording == "1_2_a"
    (tmp_path / "a.bdf").touch()
    with pytest.raises(ValueError, match=r"\.csv files.*a\.bdf"):
        read_recording(tmp_path / "a.bdf")
    with pytest.raises(ValueError, match="none at"):
        read_recording(tmp_path / "b.csv")


def test_reads_pictures_by_what_lies_there(write_idx, write_cifar, write_pictures, tmp_path):
    assert read_images(write_idx(rows=4, columns=4, n=2)).pixels.shape == (2, 4, 4, 1)
    assert read_images(write_cifar(), image_size=16, grey=True).pixels.shape == (2, 16, 16, 1)
    folder = write_pictures("a/1.png", "b/2.png")
    assert read_images(folder, class_names={"a": "A"}).classes == ("A", "b")
    assert read_images(folder / "a" / "1.png").classes == ("a",)
    with pytest.raises(ValueError, match="nothing at"):
        read_images(tmp_path / "absent")


def test_marks_shown_pictures_of_every_format(write_idx):
    images = read_images(write_idx(), shown=("train-0000[0-2]",))
    assert images.shown.tolist() == [True] * 3 + [False] * 3
