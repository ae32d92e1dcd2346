from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from phosphene.experiment.restoration import drawing
from phosphene.experiment.restoration.classifier import name_classes
from phosphene.experiment.restoration.pictures import TEST


class Darker(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))
        self.dropout = nn.Dropout(0.9)

    def forward(self, images):
        return self.dropout(images) * self.gain


def test_a_network_restores_in_evaluation_mode():
    pixels = np.arange(0, 250, 2, dtype=np.uint8).reshape(5, 5, 5, 1)
    restored = drawing.restore(Darker().train(), pixels, batch=2)
    np.testing.assert_array_equal(restored, pixels // 2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("CNN-CNN with bottleneck", "cnn-cnn-with-bottleneck"), ("our own (U)", "our-own-u")],
)
def test_names_become_file_names(name, expected):
    assert drawing.slug(name) == expected


def test_baselines_are_what_they_say(run, settings, pictures, judge):
    drawing.write_baselines(run, settings, pictures, judge)
    found = {name: run.read_arrays(drawing.baseline_file(name)) for name in drawing.BASELINES}
    test = run.read_arrays(TEST)
    mean = found["mean picture"]["restored"]
    assert (mean == mean[0]).all()
    train = pictures.images.pixels[pictures.train]
    np.testing.assert_allclose(mean[0], train.mean(0), atol=0.51)
    nearest = found["nearest training picture"]["restored"]
    assert all((train == picture).all((1, 2, 3)).any() for picture in nearest)
    for name in drawing.FILTERS:
        arrays = found[name]
        assert len(arrays["index"]) == settings.n_denoised
        assert (np.diff(arrays["index"]) > 0).all()
        shown = test["corrupted"][arrays["index"]]
        assert arrays["restored"].shape == shown.shape
        assert (arrays["restored"] != shown).any()
    for arrays in found.values():
        np.testing.assert_array_equal(arrays["predicted"], name_classes(judge, arrays["restored"]))


def test_filters_can_be_left_out(run, settings, pictures):
    drawing.write_baselines(run, replace(settings, n_denoised=0), pictures, None)
    assert run.has(drawing.baseline_file("mean picture"))
    assert not run.has(drawing.baseline_file("total variation"))
    assert "predicted" not in run.read_arrays(drawing.baseline_file("mean picture"))


def test_a_system_restores_all_test_pictures(run):
    drawing.write_system(run, drawing.time_file("a b"), Darker(), None)
    arrays = run.read_arrays("folds/pictures/restored/a-b.time.npz")
    test = run.read_arrays(TEST)
    assert arrays["index"].tolist() == list(range(len(test["corrupted"])))
    np.testing.assert_allclose(arrays["restored"], test["corrupted"] / 2, atol=0.51)
