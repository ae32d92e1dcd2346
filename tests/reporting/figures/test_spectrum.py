from dataclasses import replace

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.palette import WARN, css_color
from phosphene.reporting.figures.spectrum import spectrum_panel


@pytest.mark.parametrize(
    ("mains", "drawn"), [(50.0, True), ({"frequency": 60}, True), (None, False), (500, False)]
)
def test_the_mains_line_is_drawn_where_there_is_one(finished_run, mains, drawn):
    contents = replace(read_contents(finished_run), dataset={"mains": mains})
    found = spectrum_panel(contents)
    assert found.n_chans == 14
    assert (css_color(WARN) in found.svg) is drawn


def test_silence_and_absence_give_no_figure(finished_run):
    contents = read_contents(finished_run)
    silent = {"freqs": np.arange(5.0), "psd": np.zeros((2, 5))}
    assert spectrum_panel(replace(contents, spectrum=silent)) is None
    assert spectrum_panel(replace(contents, spectrum=None)) is None


def test_a_channel_with_gaps_in_power_is_drawn(finished_run):
    arrays = {"freqs": np.arange(5.0), "psd": np.array([[1.0, 0.0, 1e-12, 0.0, 1e-13]] * 2)}
    assert spectrum_panel(replace(read_contents(finished_run), spectrum=arrays)) is not None


@pytest.mark.parametrize(("unit", "label"), [("V", "1 µV²/Hz"), ("a.u.", "1 (a.u.)²/Hz")])
def test_the_axis_names_the_unit_of_the_trials(finished_run, monkeypatch, unit, label):
    from matplotlib.axes import Axes

    written = []
    monkeypatch.setattr(Axes, "set_ylabel", lambda axes, text: written.append(text))
    spectrum_panel(replace(read_contents(finished_run), dataset={"unit": unit}))
    assert written == [f"dB re {label}"]
