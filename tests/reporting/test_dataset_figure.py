from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from PIL import Image

from phosphene.data.dataset import Dataset
from phosphene.data.images import IMAGE_COLUMNS, ImageSet
from phosphene.data.pairing import pair
from phosphene.data.trials import TRIAL_COLUMNS, Trials
from phosphene.reporting.dataset_figure import draw_dataset, write_dataset_figure


@pytest.fixture
def make_dataset():
    """Build a data set without recordings; the last channel alone tells the classes apart."""

    def make(n_classes=2, *, n_chans=6, with_images=True):
        rng = np.random.default_rng(0)
        labels = np.arange(8 * n_classes) % n_classes
        epochs = rng.normal(size=(len(labels), n_chans, 40)).astype(np.float32) * 1e-6
        epochs[:, -1] += labels[:, None] * np.float32(1e-5)
        classes = tuple(f"class {i}" for i in range(n_classes))
        table = pd.DataFrame({name: "" for name in TRIAL_COLUMNS}, index=range(len(labels)))
        table = table.assign(
            trial=[f"t{i}" for i in range(len(labels))],
            label=labels,
            class_name=[classes[i] for i in labels],
            onset=0.0,
            start=0,
            stop=1,
        ).astype(TRIAL_COLUMNS)
        names = tuple(f"C{i}" for i in range(n_chans))
        trials = Trials(epochs, 5, 100.0, 0.0, names, classes, table, {})
        images = None
        if with_images:
            rows = pd.DataFrame(
                {
                    "image_id": classes,
                    "label": range(n_classes),
                    "class_name": classes,
                    "stimulus": classes,
                    "shown": True,
                    "source": classes,
                    "sha256": classes,
                }
            ).astype(IMAGE_COLUMNS)
            images = ImageSet(np.zeros((n_classes, 4, 4, 1), np.uint8), rows, classes)
        rejected = pd.DataFrame({"recording": [], "sample": [], "code": [], "reason": []})
        return Dataset({"name": "example"}, trials, images, pair(trials, images), rejected)

    return make


def texts(figure):
    return " ".join(t.get_text() for t in figure.findobj(match=lambda a: hasattr(a, "get_text")))


def test_writes_a_picture(make_dataset, tmp_path):
    path = write_dataset_figure(make_dataset(), tmp_path / "x.png")
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("L"))
    assert pixels.shape[1] > 1000
    assert (pixels < 128).mean() > 0.005


def test_shows_the_channel_that_differs_and_names_what_it_shows(make_dataset):
    shown = texts(draw_dataset(make_dataset()))
    for word in ("example: 16 trials", "C5", "class 0 (8)", "class 1 (8)", "95 %", "2 pictures"):
        assert word in shown


@pytest.mark.parametrize(("unit", "label"), [("V", "µV"), ("a.u.", "a.u.")])
def test_axes_name_the_unit_of_the_trials(make_dataset, unit, label):
    dataset = make_dataset(with_images=False)
    figure = draw_dataset(replace(dataset, trials=replace(dataset.trials, unit=unit)))
    labels = [axes.get_ylabel() for part in figure.subfigs for axes in part.findobj(Axes)]
    assert label in labels
    assert ("µV" in texts(figure)) is (unit == "V")


def test_many_classes_and_no_pictures_still_fit(make_dataset):
    shown = texts(draw_dataset(make_dataset(12, n_chans=1, with_images=False)))
    assert "first 10 classes" in shown
    assert "no pictures" in shown
    assert "class 11" not in shown


def test_one_class_is_shown_over_depth_with_pictures_in_their_shape(make_dataset):
    figure = draw_dataset(make_dataset(1, n_chans=22))
    shown = texts(figure)
    for word in ("C0", "C10", "C21", "mean of all 22 channels", "mean response to all pictures"):
        assert word in shown
    assert "1 pictures of 4 x 4, 1 of them shown" in shown
    maps = [i for part in figure.subfigs for a in part.findobj(Axes) for i in a.get_images()]
    assert (22, 40) in {image.get_array().shape for image in maps}  # the margin is shown too
    few = texts(draw_dataset(make_dataset(1, n_chans=3, with_images=False)))
    assert "C2" in few
    assert "mean of all" not in few
