import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.signal_traces import (
    GAP,
    MAX_CHANNELS,
    PER_SD,
    Stack,
    example_windows,
    thin_channels,
    trace_stacks,
)

NAMES = ["top", "a", "b", "<i>bottom</i>"]


def draw(signal, *, sfreq=1250.0, n_stacks=1):
    stacks = [Stack(signal=signal, color="#1c1f24", title="one & two")] * n_stacks
    return trace_stacks(stacks, sfreq=sfreq, ch_names=NAMES, label="windows")


def test_channels_are_stacked_at_even_distances_and_one_scale():
    signal = np.zeros((4, 3))
    signal[2, 1] = 1.0
    svg = draw(signal)
    starts = [int(part.split("l")[0].split()[1]) for part in svg.split('d="M')[1:5]]
    np.testing.assert_array_equal(np.diff(starts), 10 * GAP)
    assert f" {-10 * PER_SD:g} " in svg.replace("-", " -")  # one standard deviation upwards
    assert 'stroke="var(--ink)"' in svg


def test_the_first_and_the_last_channel_are_named():
    svg = draw(np.zeros((4, 3)))
    assert ">top<" in svg
    assert "…om&lt;/i&gt;<" in svg
    assert "one &amp; two" in svg


@pytest.mark.parametrize(("sfreq", "bar"), [(1250.0, "50 ms"), (2.0, "500 ms"), (None, None)])
def test_time_has_a_bar_where_the_rate_is_known(sfreq, bar):
    svg = draw(np.zeros((4, 300)), sfreq=sfreq)
    assert "4 SD" in svg
    assert (bar is None) == (" ms" not in svg)
    assert bar is None or f">{bar}<" in svg


def test_many_channels_are_thinned():
    assert thin_channels(3) == [0, 1, 2]
    many = thin_channels(384)
    assert (len(many), many[0], many[-1]) == (MAX_CHANNELS, 0, 383)


def test_each_system_is_shown_once_test_showings_first(make_signal_run):
    signals = read_contents(make_signal_run(GAN=0.5, noise=0.0)).signals
    shown = example_windows(signals, sfreq=1250.0, ch_names=[])
    assert [(windows.system, windows.of) for windows in shown] == [
        ("real", "test"),
        ("GAN", "test"),
        ("noise", "test"),
    ]
    assert shown[0].svg.count("<path") == 2 * 6 + 1  # windows, channels, and the scale
