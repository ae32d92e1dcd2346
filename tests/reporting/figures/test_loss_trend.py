from dataclasses import replace

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.loss_trend import loss_trends

NAMES = ("CNN-CNN with bottleneck", "CNN-LSTM")


@pytest.fixture(scope="module")
def contents(make_restoration_run):
    return read_contents(make_restoration_run())


def record(name, step, **values):
    return {"stage": name, "fold": "pictures", "step": step, **values}


def test_the_line_is_the_least_squares_fit_on_the_logarithm(contents):
    steps = (1, 10, 100, 1000)
    log = tuple(record(NAMES[0], step, loss=0.5 - 0.05 * np.log(step)) for step in steps)
    (trend,) = loss_trends(replace(contents, log=log)).trends
    assert (trend.level, trend.slope) == pytest.approx((0.5, -0.05))
    assert trend.text == "0.5000 − 0.0500 ln(iteration)"
    assert trend.per_doubling == "−0.0347"
    assert (trend.name, trend.key, trend.last_step) == (NAMES[0], "loss", 1000)


def test_noise_around_a_line_leaves_it(contents):
    found = loss_trends(contents)
    assert [trend.name for trend in found.trends] == list(NAMES)
    for trend in found.trends:
        assert trend.level == pytest.approx(0.5, abs=0.02)
        assert trend.slope == pytest.approx(-0.03, abs=0.005)
    assert [trend.last_step for trend in found.trends] == [500, 200]
    assert (found.iterations, found.goes_on) == (200, True)
    assert len({trend.color for trend in found.trends}) == 2
    assert all(trend.color.startswith("var(--class-") for trend in found.trends)


def test_the_figure_has_a_faint_and_a_strong_line_for_each_and_marks_equal_iterations(
    contents, make_restoration_run
):
    svg = loss_trends(contents).svg
    for number in (0, 1):
        assert svg.count(f"stroke: var(--class-{number})") == 2
    assert svg.count("stroke-dasharray") == 1
    alone = loss_trends(read_contents(make_restoration_run(equal_time=False)))
    assert not alone.goes_on
    assert "stroke-dasharray" not in alone.svg


def test_a_resumed_run_counts_each_step_once(contents):
    log = [record(NAMES[0], step, loss=float(step)) for step in (1, 2, 3)]
    again = [record(NAMES[0], step, loss=np.log(step)) for step in (1, 2, 3)]
    (trend,) = loss_trends(replace(contents, log=(*log, *again))).trends
    assert (trend.level, trend.slope) == pytest.approx((0, 1), abs=1e-9)
    assert trend.text.endswith("+ 1.0000 ln(iteration)")


def test_another_logged_error_stands_in(contents):
    log = tuple(record(NAMES[1], step, error=1.0 / step) for step in (1, 2, 4))
    (trend,) = loss_trends(replace(contents, log=log)).trends
    assert (trend.name, trend.key) == (NAMES[1], "error")


@pytest.mark.parametrize(
    "log",
    [
        (),
        (record(NAMES[0], 1, loss=0.5), record(NAMES[0], 2, loss=0.4)),
        tuple(record("classifier", step, loss=0.5) for step in range(9)),
        tuple(record(NAMES[0], step, loss="x") for step in range(9)),
        tuple(record(NAMES[0], -step, loss=0.5) for step in range(9)),
    ],
)
def test_too_little_is_not_drawn(contents, log):
    assert loss_trends(replace(contents, log=log)) is None


def test_other_runs_have_none(finished_run):
    assert loss_trends(read_contents(finished_run)) is None
