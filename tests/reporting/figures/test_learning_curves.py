import numpy as np

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.learning_curves import (
    MAX_POINTS,
    learning_curves,
    running_mean,
    thin,
)
from phosphene.run_dir import RunDir


def test_each_stage_has_its_panels_with_losses_first(finished_run):
    encoder, generator = learning_curves(read_contents(finished_run))
    assert [panel.name for panel in encoder.panels] == ["loss", "accuracy"]
    assert encoder.n_folds == 5
    assert generator.last_step == 3990
    names = [panel.name for panel in generator.panels]
    assert names == ["loss discriminator", "loss generator", "mode seeking"]


def test_equal_curves_are_drawn_once_and_odd_records_are_passed_over(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.log({"message": "no stage"})
    run.log({"stage": "encoder", "message": "no step"})
    for step in range(3):
        run.log({"stage": "encoder", "step": step, "loss": 1.0 / (step + 1), "note": "text"})
        run.log({"stage": "null x", "step": step, "loss": step, "triplet": step, "done": True})
    stages = learning_curves(read_contents(run))
    assert [stage.name for stage in stages] == ["encoder", "null x"]
    assert [stage.of_control for stage in stages] == [False, True]
    assert [panel.name for panel in stages[1].panels] == ["loss"]


def test_a_repeated_step_counts_once(tmp_path):
    run = RunDir.create(tmp_path / "run")
    for step, loss in ((1, 9.0), (2, 9.0), (1, 1.0), (2, 1.0)):
        run.log({"stage": "encoder", "step": step, "loss": loss})
    (stage,) = learning_curves(read_contents(run))
    assert stage.panels[0].last == "1"


def test_nothing_logged_nothing_drawn(tmp_path):
    assert learning_curves(read_contents(RunDir.create(tmp_path / "run"))) == []


def test_running_mean_uses_fewer_neighbours_at_the_ends():
    values = np.array([1.0, 2.0, 6.0, 3.0])
    np.testing.assert_allclose(running_mean(values, 1), [1.5, 3.0, 11 / 3, 4.5])


def test_thinning_averages_neighbours():
    curve = np.stack([np.arange(10 * MAX_POINTS), np.ones(10 * MAX_POINTS)], axis=1)
    found = thin(curve)
    assert len(found) == MAX_POINTS
    assert found[0, 0] == 4.5
    assert thin(curve[:5]) is not None
