from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from phosphene.experiment.restoration import tuning
from phosphene.experiment.restoration.plan import SystemPlan
from phosphene.experiment.restoration.tuning import TUNING, Tuned, tune
from phosphene.training.devices import ALONE


class Level(nn.Module):
    """Draws one brightness everywhere: the learning rate itself."""

    def __init__(self, level):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(level))

    def forward(self, images):
        return self.level.expand_as(images)


def _system(made, *, diverges=()):
    def make(pictures, *, lr, seed, n_steps):
        made.append((lr, seed, n_steps))
        value = torch.tensor(float("nan") if lr in diverges else 0.5)

        class Step:
            devices = ALONE
            parts = {"network": Level(lr)}  # noqa: RUF012
            sampler = Level(lr)

            def __call__(self, batch):
                return {"loss": value}

        return Step()

    return SystemPlan(name="level", spec=lambda pictures: {}, make=make)


@pytest.fixture
def trials(settings):
    return replace(settings, tuning_rates=(0.1, 0.3, 0.9), tuning_steps=2, tuning_runs=2)


def test_the_rate_with_the_smallest_error_on_validation_pictures_is_taken(
    trials, pictures, run, watch
):
    """Digits have a mean brightness of about 0.3."""
    made = []
    found = tune(trials, _system(made), pictures, run=run, watch=watch)
    assert found.rate == 0.3
    assert [lr for lr, *_ in made] == [0.1, 0.1, 0.3, 0.3, 0.9, 0.9]
    assert len({seed for _, seed, _ in made}) == 2
    assert {n_steps for *_, n_steps in made} == {2}
    judge = pictures.validation(trials)[1]
    original = pictures.images.pixels[judge] / 255
    expected = [float(((original - rate) ** 2).mean() ** 0.5) for rate in trials.tuning_rates]
    assert found.means == pytest.approx(expected, abs=2e-3)
    described = found.to_json(trials)
    assert described["losses"].keys() == {"0.1", "0.3", "0.9"}
    assert (described["steps"], described["runs"]) == (2, 2)


def test_trials_on_disk_are_not_repeated(trials, pictures, run, watch, monkeypatch):
    made = []
    first = tune(trials, _system(made), pictures, run=run, watch=watch)
    kept = run.read_json(TUNING)
    del kept["level"]["0.9/1"]
    run.write_json(TUNING, kept)
    made.clear()
    assert tune(trials, _system(made), pictures, run=run, watch=watch) == first
    assert [lr for lr, *_ in made] == [0.9]


def test_a_rate_that_diverges_is_not_taken(trials, pictures, run, watch):
    found = tune(trials, _system([], diverges=(0.3,)), pictures, run=run, watch=watch)
    assert found.rate == 0.1
    assert found.to_json(trials)["losses"]["0.3"] == [None, None]


def test_if_all_diverge_it_says_what_to_do(trials, pictures, run, watch):
    system = _system([], diverges=trials.tuning_rates)
    found = tune(trials, system, pictures, run=run, watch=watch)
    with pytest.raises(ValueError, match="--tuning-rates"):
        _ = found.rate


def test_one_rate_is_taken_without_a_trial(settings, pictures, run, watch, monkeypatch):
    monkeypatch.setattr(tuning, "fit", lambda *_, **__: pytest.fail("trained"))
    alone = replace(settings, tuning_rates=(0.5,))
    found = tune(alone, _system([]), pictures, run=run, watch=watch)
    assert found == Tuned(rates=(0.5,), errors=())
    assert found.rate == 0.5
    assert found.to_json(alone)["losses"] == {}
    assert not run.has(TUNING)


def test_trials_are_told_by_system_and_rate(trials, pictures, run, watch):
    tune(trials, _system([]), pictures, run=run, watch=watch)
    stages = {record["stage"] for record in run.read_log()}
    assert "level, learning rate 0.3" in stages


def test_validation_pictures_train_no_trial(trials, pictures, run, watch, monkeypatch):
    seen = []
    monkeypatch.setattr(
        type(pictures),
        "batches",
        lambda self, rows, *, batch, seed: seen.append(rows) or SimpleNamespace(),
    )
    monkeypatch.setattr(tuning, "fit", lambda *_, **__: None)
    tune(trials, _system([]), pictures, run=run, watch=watch)
    judge = set(pictures.validation(trials)[1].tolist())
    assert all(judge.isdisjoint(rows.tolist()) for rows in seen)
