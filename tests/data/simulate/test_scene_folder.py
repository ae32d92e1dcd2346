import numpy as np
import pytest
from PIL import Image

from phosphene.data.simulate.scene_folder import find_scenes, fit_shape, read_scenes


@pytest.fixture
def folder(tmp_path):
    ramp = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (50, 1))
    for name in ("scene2.png", "scene10.png"):
        Image.fromarray(ramp).save(tmp_path / name)
    Image.fromarray(np.full((40, 40, 3), (255, 0, 0), np.uint8)).save(tmp_path / "scene1.png")
    (tmp_path / "README.txt").write_text("not a picture")
    return tmp_path


def test_pictures_come_in_natural_order_grey_and_of_one_shape(folder):
    files = find_scenes(folder)
    assert [file.name for file in files] == ["scene1.png", "scene2.png", "scene10.png"]
    pictures = list(read_scenes(files, shape=(32, 48)))
    assert {picture.shape for picture in pictures} == {(32, 48)}
    assert (pictures[0] == 76).all()  # the luma of red
    assert (np.diff(pictures[1].astype(int).mean(0)) > 0).all()


def test_what_is_cropped_is_the_rim():
    picture = np.zeros((40, 100), np.uint8)
    picture[:, 40:60] = 200
    fitted = fit_shape(picture, (20, 20))
    assert (fitted.mean(0)[8:12] > 190).all()
    assert fitted.mean(0)[[0, -1]].max() < 5
    assert fit_shape(picture, (40, 100)) is picture


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match="correct --images"):
        find_scenes(tmp_path / "nowhere")
    (tmp_path / "one.png").write_bytes(b"")
    with pytest.raises(ValueError, match="at least 2 pictures"):
        find_scenes(tmp_path)


def test_damaged_pictures_are_refused(folder):
    (folder / "scene3.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"scene3\.png"):
        list(read_scenes(find_scenes(folder), shape=(32, 48)))
