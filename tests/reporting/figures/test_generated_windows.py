import numpy as np
import pytest
from PIL import Image

from phosphene.reporting.figures.generated_windows import write_generated_figure


def draw(path, n_pictures=2, *, windows=None, **changes):
    rng = np.random.default_rng(0)
    if windows is None:
        windows = rng.normal(size=(n_pictures, 3, 40, 60)).astype(np.float32)
    options = {
        "names": [f"picture {number} with_$odd$_name.png" for number in range(n_pictures)],
        "ch_names": [f"c{number}" for number in range(windows.shape[2])],
        "sfreq": 1250.0,
        "unit": "V",
    }
    pictures = rng.integers(0, 255, (n_pictures, 20, 30), dtype=np.uint8)
    write_generated_figure(path, windows, pictures, **options | changes)
    return np.asarray(Image.open(path).convert("L"))


def test_grows_with_pictures_and_differs_with_windows(tmp_path):
    one, two = (draw(tmp_path / f"{n}.png", n) for n in (1, 2))
    assert two.shape[0] > 1.5 * one.shape[0]
    assert one.shape[1] == two.shape[1]
    flat = draw(tmp_path / "flat.png", windows=np.zeros((2, 3, 40, 60), np.float32))
    assert flat.shape == two.shape
    assert (flat != two).mean() > 0.05


def test_windows_without_pictures_need_less_room(tmp_path):
    with_picture = draw(tmp_path / "a.png", 1)
    windows = np.random.default_rng(0).normal(size=(1, 3, 4, 60))
    write_generated_figure(
        tmp_path / "b.png",
        windows,
        None,
        names=["without picture"],
        ch_names=list("abcd"),
        sfreq=1250.0,
        unit="z-score",
    )
    without = np.asarray(Image.open(tmp_path / "b.png"))
    assert without.shape[1] < with_picture.shape[1]


def test_refuses_names_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="picture=1"):
        draw(tmp_path / "a.png", 2, names=["one"])
    assert list(tmp_path.iterdir()) == []
