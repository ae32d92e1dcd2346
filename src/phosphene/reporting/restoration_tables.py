"""Tables of a run that restores pictures: scores, differences, required time, learning rates."""

from collections.abc import Sequence
from dataclasses import dataclass

from phosphene.reporting.number_text import range_text, value_text
from phosphene.reporting.restoration_contents import (
    BASELINES,
    EQUAL_ITERATIONS,
    EQUAL_TIME,
    SECTION,
    TrainedSystem,
)
from phosphene.score import Score

PARTS = ("missing", "visible", "whole")
ACCURACY = "accuracy of the classifier"
METRICS = (
    *(f"RMSE[{part}]" for part in PARTS),
    ACCURACY,
    *(f"{metric}[{part}]" for metric in ("PSNR", "SSIM") for part in PARTS),
)
"""Columns from left to right."""
DIFFERENCE = " difference"
"""How the names of paired differences end; their methods are called "A - B"."""
PAPER_ITERATIONS = 500_000
PAPER_SECONDS = {"CNN-CNN": 15_592, "CNN-LSTM": 25_104}
"""Table 2 of the paper: 4 h 19 min 52 s and 6 h 58 min 24 s on a GTX 1080."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number; texts are "" where it was not scored."""

    value: str = ""
    interval: str = ""
    best: bool = False
    """Whether it is better than that of all others of its role in the group."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One system, baseline, or the originals."""

    method: str
    role: str
    cells: tuple[Cell, ...]
    count: str
    """Pictures it rests on, where they are fewer than those of the others."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows that may be compared with one another."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class RestorationTable:
    """Metrics as columns; systems at equal iterations, at equal time, then what stands beside."""

    metrics: tuple[tuple[str, str], ...]
    """Metric, and the part of the picture that it is about or who measured it."""
    groups: tuple[Group, ...]
    count: str


def restoration_table(
    scores: Sequence[Score], *, budgets: Sequence[str] = (EQUAL_ITERATIONS, EQUAL_TIME)
) -> RestorationTable | None:
    """Return the table of scores; None before there are any.

    Parameters
    ----------
    scores
        Of a run.
    budgets
        What systems were given equally much of: a group of rows each.
    """
    mine = [s for s in scores if s.section == SECTION and not s.name.endswith(DIFFERENCE)]
    names = [name for name in METRICS if any(s.name == name for s in mine)]
    if not names:
        return None
    most = max(s.n for s in mine)
    wanted = [
        (f"at {fold}", [s for s in mine if s.role == "result" and s.fold == fold])
        for fold in budgets
    ]
    wanted.append(("beside them", [s for s in mine if s.role != "result"]))
    groups = [_group(title, some, names, most) for title, some in wanted if some]
    return RestorationTable(
        metrics=tuple(_column(name) for name in names),
        groups=tuple(groups),
        count=f"{most:,} pictures",
    )


def _column(name: str) -> tuple[str, str]:
    if name == ACCURACY:
        return "accuracy", "of the classifier"
    metric, _, part = name.partition("[")
    return metric, part.rstrip("]")


def _group(title: str, scores: Sequence[Score], names: Sequence[str], most: int) -> Group:
    methods = list(dict.fromkeys((s.method, s.role) for s in scores))
    methods.sort(key=lambda pair: _place(*pair))
    lines = []
    for method, role in methods:
        own = {s.name: s for s in scores if (s.method, s.role) == (method, role)}
        n = max(s.n for s in own.values())
        rivals = [s for s in scores if s.role == role]
        lines.append(
            Line(
                method=method,
                role=role,
                cells=tuple(_cell(own.get(name), rivals) for name in names),
                count="" if n == most else f"{n:,} pictures",
            )
        )
    return Group(title=title, lines=tuple(lines))


def _place(method: str, role: str) -> tuple[int, int]:
    """Order baselines as `BASELINES`, references last; systems keep the order of their scores."""
    if role == "result":
        return 0, 0
    known = BASELINES.index(method) if method in BASELINES else len(BASELINES)
    return (2 if role == "reference" else 1), known


def _cell(score: Score | None, rivals: Sequence[Score]) -> Cell:
    if score is None:
        return Cell()
    others = [s.value for s in rivals if s.name == score.name]
    best = max(others) if score.higher_is_better else min(others)
    return Cell(
        value=value_text(score.value),
        interval=range_text(score.low, score.high),
        best=len(others) > 1 and score.value == best and others.count(best) == 1,
    )


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two systems on the same pictures, one by one."""

    first: str
    second: str
    fold: str
    metric: str
    value: str
    interval: str
    verdict: str
    """"better", "worse" or "level": the first against the second."""


def difference_of(score: Score) -> str:
    """Return "better", "worse", "level" or "unknown" for the first system against the second."""
    if score.low is None or score.high is None:
        return "unknown"
    low, high = (score.low, score.high) if score.higher_is_better else (-score.high, -score.low)
    return "better" if low > 0 else "worse" if high < 0 else "level"


def differences(scores: Sequence[Score]) -> list[Difference]:
    """Return the paired differences between systems, in the order of the metrics."""
    found = [s for s in scores if s.section == SECTION and s.name.endswith(DIFFERENCE)]
    names = {name: place for place, name in enumerate(METRICS)}
    found.sort(key=lambda s: names.get(s.name.removesuffix(DIFFERENCE), len(names)))
    made = []
    for score in found:
        first, _, second = score.method.partition(" - ")
        made.append(
            Difference(
                first=first,
                second=second,
                fold=score.fold,
                metric=score.name.removesuffix(DIFFERENCE),
                value=_signed(score.value),
                interval=_signed_range(score.low, score.high),
                verdict=difference_of(score),
            )
        )
    return made


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def _signed_range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_signed(low)} to {_signed(high)}"


@dataclass(frozen=True, kw_only=True)
class TimeLine:
    """What the training of one system takes; texts are "" where it is not known."""

    system: str
    n_parameters: str
    iterations: str
    equal_time: str
    """Iterations at equal time."""
    per_iteration: str
    pictures_per_s: str
    required: str
    """For `PAPER_ITERATIONS` at this speed."""
    ratio: str
    """Of an iteration to that of the first CNN-CNN."""
    paper: str
    paper_ratio: str


def required_times(systems: Sequence[TrainedSystem], *, batch: int | None = None) -> list[TimeLine]:
    """Return table 2 of the paper with its own numbers beside ours."""
    timed = [s for s in systems if s.seconds_per_iteration]
    base = next((s for s in timed if _published(s.name) == "CNN-CNN"), timed[0] if timed else None)
    lines = []
    for system in systems:
        seconds, paper = system.seconds_per_iteration, _published(system.name)
        relative = seconds / base.seconds_per_iteration if seconds and base else None  # pyright: ignore
        equal = system.iterations_equal_time
        lines.append(
            TimeLine(
                system=system.name,
                n_parameters="" if system.n_parameters is None else f"{system.n_parameters:,}",
                iterations=f"{system.iterations:,}",
                equal_time="" if equal is None else f"{equal:,}",
                per_iteration=f"{1000 * seconds:.1f} ms" if seconds else "",
                pictures_per_s=f"{batch / seconds:,.0f}" if seconds and batch else "",
                required=clock(PAPER_ITERATIONS * seconds) if seconds else "",
                ratio="" if relative is None else f"{relative:.2f}",
                paper=clock(PAPER_SECONDS[paper]) if paper else "",
                paper_ratio=f"{PAPER_SECONDS[paper] / PAPER_SECONDS['CNN-CNN']:.2f}"
                if paper
                else "",
            )
        )
    return lines


def time_sentences(systems: Sequence[TrainedSystem]) -> list[str]:
    """Return how much longer an iteration of the CNN-LSTM takes, beside the paper's 1.6."""
    seconds = {s.name: s.seconds_per_iteration for s in systems if s.seconds_per_iteration}
    slow = seconds.get("CNN-LSTM")
    theirs = PAPER_SECONDS["CNN-LSTM"] / PAPER_SECONDS["CNN-CNN"]
    return [
        f"An iteration of CNN-LSTM takes {slow / fast:.2f} times as long as one of {name}; in the "
        f"paper {theirs:.1f} times (6:58:24 against 4:19:52 on a GTX 1080)."
        for name, fast in seconds.items()
        if slow and _published(name) == "CNN-CNN"
    ]


def _published(name: str) -> str:
    """Return what the paper calls a system, "" for one that it has not."""
    return next((known for known in PAPER_SECONDS if name.startswith(known)), "")


def clock(seconds: int | float) -> str:
    """Return "4:19:52"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@dataclass(frozen=True, kw_only=True)
class TuningTable:
    """Errors after short trials with each learning rate; the same grid for all systems."""

    rates: tuple[str, ...]
    lines: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...]
    """System, and of each rate the error and whether it was chosen."""
    steps: int | None
    runs: int | None
    n_validation: int | None


def tuning_table(systems: Sequence[TrainedSystem]) -> TuningTable | None:
    """Return the trials; None where no system had any."""
    rates = {
        rate: float(rate)
        for system in systems
        for rate in system.tuning.get("losses", {})
        if _is_rate(rate)
    }
    if not rates:
        return None
    ordered = sorted(rates, key=rates.__getitem__)
    lines = []
    for system in systems:
        losses = system.tuning.get("losses", {})
        cells = [
            (_trial_text(losses.get(rate)), _is_chosen(rates[rate], system)) for rate in ordered
        ]
        lines.append((system.name, tuple(cells)))
    first = next(s.tuning for s in systems if s.tuning.get("losses"))
    return TuningTable(
        rates=tuple(ordered),
        lines=tuple(lines),
        **{key: first.get(key) for key in ("steps", "runs", "n_validation")},
    )


def _is_rate(text: str) -> bool:
    try:
        return 0 < float(text) < 1e6
    except ValueError:
        return False


def _is_chosen(rate: float, system: TrainedSystem) -> bool:
    chosen = system.learning_rate
    return chosen is not None and abs(rate - chosen) <= 1e-6 * chosen


def _trial_text(errors: Sequence[float | None] | None) -> str:
    """Return the mean error, and the lowest and highest of several trials."""
    if not errors:
        return ""
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return "diverged"
    mean = f"{sum(known) / len(known):.4f}"
    return mean if len(known) == 1 else f"{mean} ({min(known):.4f} to {max(known):.4f})"
