"""The tables that set systems side by side, whatever they are then written as."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from phosphene.recipe import Recipe
from phosphene.reporting.comparison_controls import control_block
from phosphene.reporting.comparison_pairs import pair_block
from phosphene.reporting.comparison_restorations import check_restorations, restoration_block
from phosphene.reporting.comparison_runs import (
    NETWORKS,
    RunResult,
    check_comparable,
    extractor_of,
    results,
    unidentified,
)
from phosphene.reporting.comparison_signals import check_signals, signal_block
from phosphene.reporting.comparison_systems import Measure, System, group_runs
from phosphene.reporting.comparison_tables import (
    Block,
    Cell,
    Column,
    Line,
    cost_cell,
    reference_cell,
    score_cell,
)
from phosphene.reporting.comparison_verdicts import verdict_block
from phosphene.reporting.headline import main_score, same_metric
from phosphene.reporting.judgement import JUDGED, NEAREST
from phosphene.reporting.number_text import range_text, value_text
from phosphene.reporting.restoration_contents import SECTION
from phosphene.score import Score

ORDER = (
    f"{JUDGED} (decoded)",
    f"{JUDGED} (shown)",
    "IS[domain]",
    "Fréchet distance[domain]",
    "IS[inception-2015]",
    "FID[inception-2015]",
    "within-class SSIM",
    "copied fraction",
    "nearest training distance",
)
"""Scores of pictures, as they stand from left to right; others follow."""
BEST = "best possible decoder"
REAL = "real pictures"
CLASSICAL = {" of shrinkage LDA": "lda", " of tangent space": "tangent space"}
"""How columns of classical decoders end, and what their method's name holds."""
HOW_TO_READ = (
    "Small print of one run: its 95 % interval. Of several seeds: the mean stands large, and below "
    "it the lowest and the highest seed; where all seeds agree, the interval."
)


@dataclass(frozen=True, kw_only=True)
class Published:
    """A number as its authors published it."""

    recipe: str
    paper: str
    url: str
    name: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Systems side by side."""

    systems: tuple[System, ...]
    blocks: tuple[Block, ...]
    facts: tuple[tuple[str, str], ...]
    """What all runs have in common: data, split."""
    published: tuple[Published, ...]
    failures: tuple[tuple[str, str], ...]
    """Runs that gave no result, each with the reason."""
    notes: tuple[str, ...]


def compare_runs(
    runs: Sequence[RunResult],
    *,
    recipes: Sequence[Recipe] = (),
    failures: Sequence[tuple[str, str]] = (),
    each_seed: bool = False,
) -> Comparison:
    """Set runs side by side, those of equal recipe and settings apart from the seed as one row.

    Parameters
    ----------
    runs
        Finished runs; their order is that of the rows.
    recipes
        Of which to quote the published numbers.
    failures
        Names of runs that gave no result, with the reason.
    each_seed
        Name the value of every seed instead of the lowest and the highest.

    Raises
    ------
    ValueError
        If scores would share a column that cannot be compared, see `check_comparable`,
        `check_signals` and `check_restorations`.
    """
    check_comparable(runs)
    check_signals(runs)
    check_restorations(runs)
    systems = group_runs(runs)
    blocks = (
        _decoding_block(systems, each_seed=each_seed),
        pair_block(systems),
        _picture_block(systems, each_seed=each_seed),
        signal_block(systems, each_seed=each_seed),
        restoration_block(systems, each_seed=each_seed),
        control_block(systems),
        verdict_block(systems),
        _cost_block(systems),
    )
    return Comparison(
        systems=systems,
        blocks=tuple(block for block in blocks if block.columns),
        facts=_facts(runs),
        published=tuple(
            Published(recipe=recipe.key, paper=recipe.paper, url=recipe.url, name=name, value=value)
            for recipe in recipes
            for name, value in recipe.published.items()
        ),
        failures=tuple(failures),
        notes=_notes(runs),
    )


def _facts(runs: Sequence[RunResult]) -> tuple[tuple[str, str], ...]:
    first = runs[0]
    main = main_score(first.scores) or next(iter(results(first.scores, SECTION)), None)
    data = f"{first.data} (hash {first.data_hash[:12]})" if first.data else first.data_hash[:12]
    classes = f", {len(first.classes)} classes" if first.classes else ""
    facts = [("Data", data + classes)]
    if main is not None:
        facts.append(("Held out", f"{main.n:,} {main.unit}, {main.split}".rstrip(", ")))
    facts.append(("Split", f"hash {first.split}"))
    if pictures := next((run.pictures for run in runs if run.pictures), ""):
        facts.append(("Division of pictures", f"hash {pictures}"))
    return tuple(facts)


def _decoding_block(systems: Sequence[System], *, each_seed: bool) -> Block:
    """Return the main decoding metric, AUC and k-means, the first two beside classical decoders."""
    columns: list[Column] = []
    cells: list[list[Cell]] = [[] for _ in systems]

    def add(key: str, title: str, measures: Sequence[Measure | None]) -> None:
        if any(measures):
            columns.append(Column(key=key, title=title))
            for row, measure in zip(cells, measures, strict=True):
                row.append(score_cell(measure, each_seed=each_seed))

    names = list(dict.fromkeys(m.name for s in systems if (m := main_score(s.runs[0].scores))))
    names += [name for name in ("AUC",) if name not in names]
    for name in names:

        def own(run: RunResult, name: str = name) -> list[Score]:
            return _like_main(run, name)

        add(name, name, [s.measure(own) for s in systems])
        for ending, word in CLASSICAL.items():

            def classical(run: RunResult, name: str = name, word: str = word) -> list[Score]:
                main = _like_main(run, name)
                baselines = same_metric(main[0], run.scores, role="baseline") if main else []
                return [s for s in baselines if word in s.method.lower()][:1]

            title = f"{name}{ending}"
            add(title, title, [s.measure(classical) for s in systems])
    kmeans = "k-means accuracy"
    add(kmeans, kmeans, [s.measure(lambda run: _pooled(run, kmeans)) for s in systems])
    lines = [_line(s, tuple(row)) for s, row in zip(systems, cells, strict=True)]
    best = next((s for x in systems for s in x.runs[0].scores if s.section == "ceiling"), None)
    if best is not None and any(column.key == best.name for column in columns):
        cell = _ceiling_cell(best)
        row = tuple(cell if column.key == best.name else Cell() for column in columns)
        lines.append(Line(label=BEST, cells=row, reference=True))
    return Block(
        key="decoding",
        title="Decoding",
        lead="How well the class of held-out trials is read from the signal. Shrinkage LDA and "
        "the tangent space are classical decoders of the same run, the ones to beat.",
        columns=tuple(columns),
        lines=tuple(lines),
    )


def _ceiling_cell(best: Score) -> Cell:
    ends = range_text(best.low, best.high)
    plain = {"value": best.value, "low": best.low, "high": best.high}
    return Cell(text=value_text(best.value), small=(ends,) if ends else (), plain=plain)


def _like_main(run: RunResult, name: str) -> list[Score]:
    """Return the pooled result of a name, by the method of the run's main score."""
    main = main_score(run.scores)
    found = _pooled(run, name, every=True)
    same = [s for s in found if main is not None and s.method == main.method]
    return (same or found)[:1]


def _pooled(run: RunResult, name: str, *, every: bool = False) -> list[Score]:
    found = [s for s in results(run.scores, "decoding") if s.name == name and s.fold == "all"]
    return found if every else found[:1]


def _picture_block(systems: Sequence[System], *, each_seed: bool) -> Block:
    """Return every score of generated pictures, and of real ones where that is known."""
    runs = [run for system in systems for run in system.runs]
    unnamed = unidentified(runs)
    names = dict.fromkeys(s.name for run in runs for s in results(run.scores, "pictures"))
    names = sorted(names, key=_place)
    columns, rows, real = [], [[] for _ in systems], []
    everything = System(label=REAL, runs=tuple(run for run in runs if run.painted))
    for name in names:

        def pick(run: RunResult, role: str, name: str = name) -> list[Score]:
            found = [
                s
                for s in run.scores
                if (s.section, s.name, s.role) == ("pictures", name, role)
                and run not in unnamed.get(extractor_of(s), ())
            ]
            return [s for key in run.painted for s in found if s.fold == key]

        measures = [s.measure(lambda run: pick(run, "result")) for s in systems]
        lower = any(m is not None and not m.higher_is_better for m in measures)
        better = "lower is better" if lower else ""
        columns.append(Column(key=name, title=name, small=better))
        for row, measure in zip(rows, measures, strict=True):
            row.append(score_cell(measure, each_seed=each_seed))
        reference = everything.measure(lambda run: pick(run, "reference"))
        real.append(reference_cell(reference))
    lines = [_line(s, tuple(row)) for s, row in zip(systems, rows, strict=True)]
    lines = [line for line, s in zip(lines, systems, strict=True) if any(r.painted for r in s.runs)]
    if any(cell.text for cell in real):
        lines.append(Line(label=REAL, cells=tuple(real), reference=True))
    return Block(
        key="pictures",
        title="Pictures",
        lead="What generated pictures are like. The bracket of a score names the network that it "
        "is read through; two networks never share a column. Real pictures show what can be "
        "reached.",
        columns=tuple(columns),
        lines=tuple(lines),
    )


def _place(name: str) -> tuple[int, str]:
    if name in ORDER:
        return ORDER.index(name), ""
    return len(ORDER) + (NEAREST in name), name


def _cost_block(systems: Sequence[System]) -> Block:
    """Return parameters, training time and drawing speed, as far as runs know them."""
    wanted: list[tuple[str, str, Callable[[RunResult], float | None]]] = [
        (f"{x} parameters", f"{x}, parameters", lambda run, x=x: run.n_parameters.get(x))
        for x in NETWORKS
    ]
    wanted += [
        ("training seconds", "training, s", lambda run: run.train_s),
        ("pictures per second", "pictures per s", lambda run: run.pictures_per_s),
        ("threads", "threads", lambda run: run.n_threads),
    ]
    columns, rows = [], [[] for _ in systems]
    for key, title, pick in wanted:
        measures = [system.number(pick) for system in systems]
        if not any(measures):
            continue
        columns.append(Column(key=key, title=title))
        for row, measure in zip(rows, measures, strict=True):
            row.append(cost_cell(measure))
    return Block(
        key="cost",
        title="Size and speed",
        lead="Trainable parameters; seconds of training in all, judge and controls included; and "
        "pictures drawn per second on the machine that trained.",
        columns=tuple(columns),
        lines=tuple(_line(s, tuple(row)) for s, row in zip(systems, rows, strict=True)),
    )


def _line(system: System, cells: tuple[Cell, ...]) -> Line:
    n = len(system.runs)
    return Line(label=system.label, detail=f"{n} seeds" if n > 1 else "", cells=cells)


def _notes(runs: Sequence[RunResult]) -> tuple[str, ...]:
    notes = [HOW_TO_READ]
    notes += dict.fromkeys(f"{stamp[:1].upper()}{stamp[1:]}." for r in runs for stamp in r.stamps)
    for network, some in unidentified(runs).items():
        names = ", ".join(run.name for run in some)
        notes.append(
            f"Scores read through the {network} network are left out where the run does not name "
            f"its weights, without which nobody knows that it is the same network: {names}."
        )
    threads = {run.n_threads for run in runs if run.n_threads is not None}
    if len(threads) > 1:
        counts = " and ".join(str(n) for n in sorted(threads))
        notes.append(f"Times were taken with {counts} threads: they do not compare.")
    return tuple(notes)
