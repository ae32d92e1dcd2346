"""Runs of one recipe and its settings, whatever their seed: one row of a comparison."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from phosphene.reporting.comparison_runs import RunResult
from phosphene.score import Score

MAX_NAMED = 4
"""Settings that a label may name."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of one run, with what stands beside it."""

    run: str
    seed: Any
    value: float
    low: float | None = None
    high: float | None = None
    chance_low: float | None = None
    chance_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of a system, over its seeds."""

    each: tuple[Measured, ...]
    higher_is_better: bool = True

    @property
    def value(self) -> float:
        """Return the mean over seeds."""
        return sum(one.value for one in self.each) / len(self.each)

    @property
    def low(self) -> float | None:
        """Return the low end of the 95 % interval, or the lowest of seeds that differ."""
        return self.each[0].low if self.agrees else min(one.value for one in self.each)

    @property
    def high(self) -> float | None:
        """Return the high end of the 95 % interval, or the highest of seeds that differ."""
        return self.each[0].high if self.agrees else max(one.value for one in self.each)

    @property
    def agrees(self) -> bool:
        """Whether all runs have the same value: there is one run, or its seed does not matter."""
        return all(abs(one.value - self.each[0].value) < 1e-9 for one in self.each)

    @property
    def chance(self) -> tuple[float, float] | None:
        """Return the range under chance; of several seeds, the range that holds all of theirs."""
        lows = [one.chance_low for one in self.each if one.chance_low is not None]
        highs = [one.chance_high for one in self.each if one.chance_high is not None]
        if len(lows) < len(self.each) or len(highs) < len(self.each):
            return None
        return min(lows), max(highs)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: the mean, its ends, and every run."""
        low, high = self.chance or (None, None)
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "chance_low": low,
            "chance_high": high,
            "n_seeds": len(self.each),
            "each": [asdict(one) for one in self.each],
        }


@dataclass(frozen=True, kw_only=True)
class System:
    """A row: a recipe with its settings, trained with one seed or several."""

    label: str
    runs: tuple[RunResult, ...]

    def measure(self, pick: Callable[[RunResult], Sequence[Score]]) -> Measure | None:
        """Return a number over the runs that have it, None where none has.

        `pick` returns the score of a run, one per fold where folds are scored apart: then their
        mean counts, and has no interval. A mean over some seeds alone would not be the system's, so
        where one run lacks the score the others do not speak for it.
        """
        picked = [(run, list(pick(run))) for run in self.runs]
        if not picked or not all(scores for _, scores in picked):
            return None
        return Measure(
            each=tuple(_measured(run, scores) for run, scores in picked),
            higher_is_better=picked[0][1][0].higher_is_better,
        )

    def number(self, pick: Callable[[RunResult], float | None]) -> Measure | None:
        """Return a plain number of the runs, None where one lacks it."""
        found = [(run, pick(run)) for run in self.runs]
        each = tuple(
            Measured(run=run.name, seed=run.seed, value=float(value))
            for run, value in found
            if value is not None
        )
        return Measure(each=each) if each and len(each) == len(found) else None


def _measured(run: RunResult, scores: Sequence[Score]) -> Measured:
    mean = sum(score.value for score in scores) / len(scores)
    if len(scores) > 1:
        return Measured(run=run.name, seed=run.seed, value=mean)
    (one,) = scores
    return Measured(
        run=run.name,
        seed=run.seed,
        value=mean,
        low=one.low,
        high=one.high,
        chance_low=one.chance_low,
        chance_high=one.chance_high,
    )


def group_runs(runs: Sequence[RunResult]) -> tuple[System, ...]:
    """Return runs of equal recipe and settings apart from the seed as one system, in given order.

    A system is called by its recipe and preset, and by what its settings have that those of its
    namesakes have not.
    """
    groups: dict[str, list[RunResult]] = {}
    for run in runs:
        settings = {name: value for name, value in run.settings.items() if name != "seed"}
        key = json.dumps([run.variant, run.recipe, settings], sort_keys=True)
        groups.setdefault(key, []).append(run)
    found = list(groups.values())
    labels = _labels([some[0] for some in found])
    return tuple(
        System(label=label, runs=tuple(some)) for label, some in zip(labels, found, strict=True)
    )


def _labels(firsts: Sequence[RunResult]) -> list[str]:
    """Return a name for each group that no other group has, from the first run of each."""
    plain = [run.variant or " ".join(filter(None, (run.recipe, run.preset))) for run in firsts]
    labels = []
    for run, label in zip(firsts, plain, strict=True):
        namesakes = [r.settings for r, name in zip(firsts, plain, strict=True) if name == label]
        labels.append(", ".join([label, *_differing(run.settings, namesakes)]))
    return [
        f"{label} ({run.name})" if labels.count(label) > 1 else label
        for run, label in zip(firsts, labels, strict=True)
    ]


def _differing(own: Mapping[str, Any], all_: Sequence[Mapping[str, Any]]) -> list[str]:
    names = [
        name
        for name in own
        if name != "seed" and any(other.get(name) != own[name] for other in all_)
    ]
    words = [f"{name.replace('_', ' ')} {_setting(own[name])}" for name in names[:MAX_NAMED]]
    return [*words, *(["…"] if len(names) > MAX_NAMED else [])]


def _setting(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " and ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
