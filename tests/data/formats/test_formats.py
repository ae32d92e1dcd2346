import pytest

from phosphene.data.formats import find_recordings, has_recordings, read_images, read_recording


def test_recordings_are_read_from_here_too(tmp_path, muse_text):
    (tmp_path / "a.csv").write_text(muse_text())
    assert has_recordings(tmp_path)
    (path,) = find_recordings([tmp_path])
    assert read_recording(path, subject="1", session="2").recording == "1_2_a"


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
