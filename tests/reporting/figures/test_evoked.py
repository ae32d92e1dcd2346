from dataclasses import replace

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.evoked import evoked_panels, informative_channels


def test_channels_are_ordered_by_difference_against_the_band():
    mean = np.zeros((2, 3, 5))
    mean[0, 0], mean[0, 1], mean[0, 2] = 1.0, 2.0, 1.5
    half = np.array([1.0, 8.0, 1.0])[:, None]
    assert informative_channels({"mean": mean}) == [1, 2, 0]
    assert informative_channels({"mean": mean, "low": mean - half, "high": mean + half}) == [
        2,
        0,
        1,
    ]


@pytest.mark.parametrize(("n_classes", "n_chans"), [(2, 1), (10, 14), (40, 32)])
def test_any_number_of_classes_and_channels_is_drawn(make_run, n_classes, n_chans):
    names = tuple(f"c{index}" for index in range(n_classes))
    run = make_run(classes=names, n_chans=n_chans, n_trials=80, n_recordings=1, stage="decoding")
    evoked = evoked_panels(read_contents(run))
    assert len(evoked.panels) == min(3, n_chans)
    assert len(evoked.coloured) == min(10, n_classes)
    assert len(evoked.banded) == min(4, n_classes)
    assert set(evoked.banded) <= set(evoked.coloured)


def test_a_class_without_trials_and_missing_bands_are_drawn(finished_run):
    contents = read_contents(finished_run)
    mean = contents.evoked["mean"].copy()
    mean[3] = np.nan
    bare = {"mean": mean, "times": contents.evoked["times"]}
    panels = evoked_panels(replace(contents, evoked=bare)).panels
    assert panels[0].channel.startswith("channel ")
    assert evoked_panels(replace(contents, evoked=None)) is None


@pytest.mark.parametrize(("unit", "label"), [("V", "µV"), ("a.u.", "a.u.")])
def test_the_axis_names_the_unit_of_the_trials(finished_run, monkeypatch, unit, label):
    from matplotlib.axes import Axes

    written = []
    monkeypatch.setattr(Axes, "set_ylabel", lambda axes, text: written.append(text))
    contents = read_contents(finished_run)
    evoked_panels(replace(contents, dataset={**contents.dataset, "unit": unit}))
    assert set(written) == {label}


def test_channels_of_a_single_class_are_those_that_respond():
    mean = np.zeros((1, 4, 10))
    mean[0, 2], mean[0, 1] = 5.0, -7.0
    band = np.ones_like(mean)
    arrays = {"mean": mean, "low": mean - band, "high": mean + band}
    assert informative_channels(arrays)[:2] == [1, 2]
