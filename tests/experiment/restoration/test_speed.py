from dataclasses import replace

import pytest
import torch

from phosphene.experiment.restoration import speed
from phosphene.experiment.restoration.plan import SystemPlan
from phosphene.experiment.traces import TIMINGS


class Clock:
    """Time that passes in steps alone."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(speed, "perf_counter", clock)
    return clock


def _systems(clock, calls, **seconds):
    def system(name, each):
        def make(pictures, *, lr, seed, n_steps):
            def step(batch):
                calls.append(name)
                clock.now += each
                return {"loss": torch.tensor(0.0)}

            return step

        return SystemPlan(name=name, spec=lambda pictures: {}, make=make)

    return [system(name, each) for name, each in seconds.items()]


@pytest.fixture
def timed(settings):
    return replace(settings, timing_steps=4, iterations=100, equal_time=())


def test_systems_take_turns(clock, timed, pictures, run):
    calls = []
    systems = _systems(clock, calls, slow=0.3, fast=0.1)
    found = speed.measure_speeds(timed, systems, pictures, run=run)
    assert found == pytest.approx({"slow": 0.3, "fast": 0.1})
    turns = calls[2 * speed.WARM_UP :]
    assert turns == (["slow"] * 4 + ["fast"] * 4) * speed.N_TURNS
    assert run.read_json(TIMINGS)[speed.SECONDS] == pytest.approx(found)


def test_speeds_are_measured_once(clock, timed, pictures, run):
    run.write_json(TIMINGS, {"train_s": {"classifier": 1.0}, speed.SECONDS: {"slow": 9.0}})
    assert speed.measure_speeds(timed, [], pictures, run=run) == {"slow": 9.0}


def test_faster_systems_have_more_iterations_in_equal_time(clock, timed):
    systems = _systems(clock, [], slow=1.0, fast=1.0, equal=1.0)
    seconds = {"slow": 0.3, "fast": 0.1, "equal": 0.3}
    found = speed.equal_time_iterations(timed, systems, seconds)
    assert found == {"slow": 100, "fast": 300, "equal": 100}


def test_numbers_of_another_run_can_be_given(clock, timed):
    systems = _systems(clock, [], slow=1.0, fast=1.0)
    given = replace(timed, equal_time=(100, 250))
    found = speed.equal_time_iterations(given, systems, {"slow": 0.3, "fast": 0.1})
    assert found == {"slow": 100, "fast": 250}
    with pytest.raises(ValueError, match="each of slow, fast; got 1"):
        speed.equal_time_iterations(replace(timed, equal_time=(100,)), systems, {})
