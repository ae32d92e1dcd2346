"""What the page of a run that restores pictures shows, in place of decoding and pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from phosphene.reporting.contents import Contents
from phosphene.reporting.figures.intervals import Chart, score_chart
from phosphene.reporting.figures.learning_curves import Stage, learning_curves
from phosphene.reporting.figures.loss_trend import LossTrends, loss_trends
from phosphene.reporting.figures.restoration_grid import (
    RestorationGrid,
    baseline_grid,
    restoration_grid,
)
from phosphene.reporting.headline import Headline
from phosphene.reporting.restoration_headline import (
    charted_errors,
    restoration_tiles,
    write_restoration_headline,
)
from phosphene.reporting.restoration_tables import (
    Difference,
    RestorationTable,
    TimeLine,
    TuningTable,
    differences,
    required_times,
    restoration_table,
    time_sentences,
    tuning_table,
)


@dataclass(frozen=True, kw_only=True)
class Restorations:
    """Everything that the template needs; empty where the run folder holds nothing yet."""

    headline: Headline
    tiles: list[tuple[str, str, str]]
    charts: list[Chart]
    corruption: str
    grid: RestorationGrid | None
    baselines: RestorationGrid | None
    table: RestorationTable | None
    differences: list[Difference]
    trends: LossTrends | None
    times: list[TimeLine]
    time_sentences: list[str]
    tuning: TuningTable | None
    stages: list[Stage]
    """Trainings, without the short trials of learning rates."""


def describe_restorations(contents: Contents) -> Restorations | None:
    """Draw all that a run which restores pictures holds, None for runs of the other kinds."""
    found = contents.restorations
    if found is None:
        return None
    settings = _settings(contents)
    batch = settings.get("batch")
    charts = [
        score_chart(rows, caption=caption)
        for caption, rows in charted_errors(contents.scores, budgets=found.budgets)
    ]
    trained = tuple(record for record in contents.log if not _is_trial(record))
    return Restorations(
        headline=write_restoration_headline(contents),
        tiles=restoration_tiles(contents),
        charts=[chart for chart in charts if chart is not None],
        corruption=str(contents.about("corruption") or settings.get("corruption") or ""),
        grid=restoration_grid(contents),
        baselines=baseline_grid(contents),
        table=restoration_table(contents.scores, budgets=found.budgets),
        differences=differences(contents.scores),
        trends=loss_trends(contents),
        times=required_times(
            found.systems, batch=batch if isinstance(batch, int) and batch > 0 else None
        ),
        time_sentences=time_sentences(found.systems),
        tuning=tuning_table(found.systems),
        stages=learning_curves(replace(contents, log=trained)),
    )


def _settings(contents: Contents) -> Mapping[str, Any]:
    found = contents.config.get("config")
    return found if isinstance(found, Mapping) else {}


def _is_trial(record: Mapping[str, Any]) -> bool:
    return ", learning rate " in str(record.get("stage", ""))
