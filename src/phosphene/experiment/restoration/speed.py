"""How long an iteration of each system takes, and how many of each take equal time."""

from collections.abc import Mapping, Sequence
from statistics import median
from time import perf_counter

from phosphene.experiment.restoration.pictures import Pictures
from phosphene.experiment.restoration.plan import SystemPlan
from phosphene.experiment.restoration.settings import RestorationSettings
from phosphene.experiment.traces import TIMINGS
from phosphene.run_dir import RunDir

N_TURNS = 7
"""Turns that every system has, one after the other, so that all meet the same other work."""
WARM_UP = 3
"""Iterations before the first turn."""
SECONDS = "seconds_per_iteration"
"""Key in timings.json."""


def measure_speeds(
    settings: RestorationSettings,
    systems: Sequence[SystemPlan],
    pictures: Pictures,
    *,
    run: RunDir,
) -> dict[str, float]:
    """Return the seconds that an iteration of each system takes, batches included.

    The median over turns that the systems take alternately. Measured once: a resumed run reads the
    numbers from timings.json.
    """
    known = run.read_json(TIMINGS) if run.has(TIMINGS) else {}
    if SECONDS in known:
        return known[SECONDS]
    batches = pictures.batches(pictures.train, batch=settings.batch, seed=0)
    steps = [system.make(pictures, lr=1e-4, seed=0, n_steps=1) for system in systems]
    for step in steps:
        for number in range(WARM_UP):
            step(batches(number))
    turns: list[list[float]] = [[] for _ in systems]
    for _ in range(N_TURNS):
        for step, seconds in zip(steps, turns, strict=True):
            began = perf_counter()
            for number in range(settings.timing_steps):
                step(batches(number))
            seconds.append((perf_counter() - began) / settings.timing_steps)
    found = {system.name: median(seconds) for system, seconds in zip(systems, turns, strict=True)}
    run.write_json(TIMINGS, {**known, SECONDS: found})
    return found


def equal_time_iterations(
    settings: RestorationSettings, systems: Sequence[SystemPlan], seconds: Mapping[str, float]
) -> dict[str, int]:
    """Return how many iterations of each system take as long as those of the slowest.

    Raises
    ------
    ValueError
        If the settings name the numbers and not one for each system.
    """
    names = [system.name for system in systems]
    if settings.equal_time:
        if len(settings.equal_time) != len(names):
            raise ValueError(
                f"`equal_time` must hold a number for each of {', '.join(names)}; got "
                f"{len(settings.equal_time)}. Correct --equal-time, or leave it out to measure."
            )
        return dict(zip(names, settings.equal_time, strict=True))
    longest = max(seconds[name] for name in names)
    return {
        name: max(settings.iterations, round(settings.iterations * longest / seconds[name]))
        for name in names
    }
