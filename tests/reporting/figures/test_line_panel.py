import re

import numpy as np
import pytest

from phosphene.reporting.figures.line_panel import Band, Line, Range, line_panel, steps


def walk(path):
    """Return the points of path data made of "M" and "l" in tenths of a pixel."""
    points = []
    for piece in re.findall(r"M([^Mz]+)", path):
        start, _, moves = piece.partition("l")
        at = np.array([int(number) for number in start.split()])
        points.append(at)
        pairs = np.array([int(n) for n in re.findall(r"-?\d+", moves)]).reshape(-1, 2)
        points += list(at + np.cumsum(pairs, axis=0))
    return np.array(points)


def test_steps_lead_through_the_points():
    rng = np.random.default_rng(0)
    x, y = np.arange(50.0), rng.normal(0, 20, 50)
    found = walk(steps(x, y))
    np.testing.assert_allclose(found / 10, np.stack([x, y], axis=1), atol=0.05)


def test_a_curve_is_broken_where_a_value_is_missing():
    path = steps(np.arange(5.0), np.array([0, 1, np.nan, 3, 4.0]))
    assert path == "M0 0l10 10M30 30l10 10"
    assert steps(np.arange(2.0), np.full(2, np.inf)) == ""


@pytest.mark.parametrize(
    ("axis", "value", "share"),
    [
        (Range(low=-2.0, high=2.0), 1.0, 0.75),
        (Range(low=0.1, high=10.0, log=True), 1.0, 0.5),
        (Range(low=0.1, high=10.0, log=True), 100.0, 1.5),
    ],
)
def test_ranges_place_values(axis, value, share):
    assert axis.share(np.array(value)) == pytest.approx(share)


def test_ticks_are_round():
    assert [words for _, words in Range(low=-3.1, high=3.1).ticks(4)] == ["−2", "0", "2"]
    powers = Range(low=2e-5, high=50.0, log=True).ticks(9)
    assert [words for _, words in powers] == ["1e−4", "0.001", "0.01", "0.1", "1", "10"]
    assert len(Range(low=1e-12, high=1.0, log=True).ticks(4)) <= 5


def test_curves_stand_where_their_values_are():
    y = np.array([0.0, 1.0, 0.5])
    svg = line_panel(
        np.array([0.0, 1.0, 2.0]),
        [Line(y=y, color="#0072b2"), Band(low=y - 1, high=y + 1, color="#626973")],
        x_range=Range(low=0.0, high=2.0),
        y_range=Range(low=0.0, high=1.0),
        size=(104, 54),
        label="a & b",
        bare=True,
    )
    path = re.search(r'<path d="([^"]*)" stroke="var\(--class-0\)"', svg)[1]
    np.testing.assert_array_equal(walk(path), [[0, 500], [500, 0], [1000, 250]])
    assert 'aria-label="a &amp; b"' in svg
    assert 'overflow="hidden"' in svg  # the band leaves the frame
    assert "<text" not in svg  # a bare panel has no numbers


def test_axes_are_labelled():
    axis = {"x_range": Range(low=0.0, high=2.0), "y_range": Range(low=0.0, high=1.0)}
    svg = line_panel(
        np.arange(3.0),
        [Line(y=np.arange(3.0), color="#0072b2")],
        **axis,
        label="x",
        x_label="<ms>",
        y_label="SD",
    )
    assert "&lt;ms&gt;" in svg
    assert ">SD<" in svg
    assert ">0.5<" in svg
