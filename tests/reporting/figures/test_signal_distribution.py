from dataclasses import replace

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.signal_distribution import (
    REACH,
    channel_name,
    distributions,
    quantile_panel,
    spread_channels,
    value_range,
)


@pytest.fixture(scope="module")
def signals(make_signal_run):
    return read_contents(make_signal_run(GAN=0.5, noise=0.0)).signals


@pytest.mark.parametrize(
    ("n_chans", "expected"), [(22, [2, 8, 13, 19]), (4, [0, 1, 2, 3]), (1, [0])]
)
def test_channels_are_spread_over_depth(n_chans, expected):
    assert spread_channels(n_chans) == expected


def test_channels_without_names_are_numbered():
    assert channel_name(["LFP1"], 0) == "LFP1"
    assert channel_name(["LFP1"], 1) == "channel 2"


def test_the_range_is_that_of_real_signals_and_some_room(signals):
    real = signals.real(of="test")
    quantiles = np.zeros_like(real.quantiles)
    quantiles[0, 1, 2], quantiles[4, 0, 0] = -3.0, 1.0
    found = value_range([replace(real, quantiles=quantiles)])
    assert found.low == pytest.approx(-1 - 2 * REACH)
    assert found.high == pytest.approx(-1 + 2 * REACH)


def test_systems_stand_on_real_signals_of_the_same_showings(signals):
    found = distributions(signals, sfreq=1250.0, ch_names=[f"c{i}" for i in range(6)])
    order = [("GAN", "test"), ("noise", "test"), ("GAN", "train"), ("noise", "train")]
    assert [(panels.system, panels.of) for panels in found] == order
    assert [panel.channel for panel in found[0].panels] == ["c0", "c2", "c3", "c5"]
    assert [len(panels.every) for panels in found] == [6, 6, 0, 0]  # once for each system
    assert "overflow" in found[0].panels[0].svg


def test_a_panel_has_bands_of_real_and_lines_of_made_quantiles(signals):
    real, made = signals.compared()[0]
    limits = value_range([real])
    svg = quantile_panel(real, made, 0, sfreq=1250.0, limits=limits)
    assert svg.count('fill="var(--muted)" fill-opacity') == 2
    assert svg.count('stroke="var(--class-1)"') == 5
    assert ">ms<" in svg
    assert ">sample<" in quantile_panel(real, made, 0, sfreq=None, limits=limits)
    small = quantile_panel(real, made, 0, sfreq=1250.0, limits=limits, small=True)
    assert small.count('stroke="var(--class-1)"') == 3
    assert len(small) < len(svg)


def test_without_real_signals_nothing_is_drawn(signals):
    only = tuple(s for s in signals.summaries if s.system != "real")
    assert distributions(replace(signals, summaries=only), sfreq=None, ch_names=[]) == []
