"""One self-contained HTML page from a run folder, whatever the folder holds so far."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phosphene.reporting.contents import Contents, read_contents
from phosphene.reporting.figures.class_scores import class_scores
from phosphene.reporting.figures.confusion import confusion_matrix
from phosphene.reporting.figures.evoked import evoked_panels
from phosphene.reporting.figures.feature_map import feature_map
from phosphene.reporting.figures.feature_maps import feature_maps
from phosphene.reporting.figures.interpolation import Interpolation, interpolation_figure
from phosphene.reporting.figures.intervals import score_chart
from phosphene.reporting.figures.learning_curves import learning_curves
from phosphene.reporting.figures.palette import DARK, LIGHT, class_colors, css_color
from phosphene.reporting.figures.picture_grid import picture_grid, picture_wall
from phosphene.reporting.figures.recordings import recordings_chart
from phosphene.reporting.figures.spectrum import spectrum_panel
from phosphene.reporting.glossary import glossary
from phosphene.reporting.headline import (
    best_baseline,
    ceiling_score,
    main_score,
    outside_controls,
    same_metric,
    write_headline,
)
from phosphene.reporting.judgement import copy_scores, copy_sentence, judge_scores
from phosphene.reporting.number_text import count_text, percent_text, range_text, value_text
from phosphene.reporting.responses import describe_responses
from phosphene.reporting.restorations import describe_restorations
from phosphene.reporting.tables import command, score_table, settings_tables
from phosphene.run_dir import RunDir
from phosphene.score import Score


def write_report(run: RunDir) -> Path:
    """Write report.html into a run folder and return its path.

    Reads the run folder and nothing else. Parts that are not there yet are named as missing, so
    that the report can be written while the run goes on.
    """
    page = render(read_contents(run), written=datetime.now(UTC))
    run.write_bytes("report.html", lambda file: file.write(page.encode()))
    return run.path / "report.html"


def render(contents: Contents, *, written: datetime) -> str:
    """Return the page as text; everything that comes from files is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("phosphene.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        page_context(contents), written=written.strftime("%Y-%m-%d %H:%M UTC")
    )


def page_context(contents: Contents) -> dict[str, Any]:
    """Return all that the template shows."""
    scores = contents.scores
    main, ceiling = main_score(scores), ceiling_score(contents)
    responses, restorations = describe_responses(contents), describe_restorations(contents)
    other = responses or restorations
    grid = picture_grid(contents)
    by_class = class_scores(scores)
    shown = {score for table in by_class for score in table.scores}
    listed = [score for score in scores if score not in shown]
    colors = [css_color(color) for color in class_colors(len(contents.classes))]
    return {
        "contents": contents,
        "headline": write_headline(contents) if other is None else other.headline,
        "tiles": tiles(contents, main, ceiling) if other is None else other.tiles,
        "charts": _charts(scores, main, ceiling) if other is None else other.charts,
        "responses": responses,
        "restorations": restorations,
        "full_controls": contents.full_controls,
        "grid": grid,
        "wall": picture_wall(contents),
        "paths": _paths(contents),
        "class_scores": by_class,
        "copies": copy_scores(scores),
        "copying": copy_sentence(scores),
        "map": feature_map(contents),
        "maps": feature_maps(contents),
        "confusion": confusion_matrix(contents),
        "recordings": recordings_chart(contents),
        "stages": learning_curves(contents) if restorations is None else restorations.stages,
        "evoked": evoked_panels(contents),
        "spectrum": spectrum_panel(contents),
        "scores": score_table(listed if responses is None else responses.scores),
        "fold_scores": score_table(listed, single_folds=True)
        if responses is None
        else score_table(responses.training_scores),
        "settings": settings_tables(contents),
        "command": command(contents),
        "glossary": glossary(listed, has_ceiling=ceiling is not None),
        "legend": list(zip(contents.classes, colors, strict=True)),
        "palette": [
            (f"--class-{i}", *pair) for i, pair in enumerate(zip(LIGHT, DARK, strict=True))
        ],
        "value_text": value_text,
        "range_text": range_text,
        "css_color": css_color,
    }


def tiles(
    contents: Contents, main: Score | None, ceiling: Score | None
) -> list[tuple[str, str, str]]:
    """Return (number, what it is, small print) for the first screen."""
    found = []
    if main is not None:
        found.append((value_text(main.value), main.name, count_text(main)))
        if ceiling is not None and "accuracy" in main.name.lower():
            share = percent_text(main.value / ceiling.value)
            found.append((share, "of the best possible", f"ceiling {value_text(ceiling.value)}"))
        elif best := best_baseline(main, contents.scores):
            found.append((value_text(best.value), "the baseline", best.method))
    for judged in judge_scores(contents.scores)[:1]:
        share = percent_text(judged.value)
        found.append((share, "seen by the judge as decoded", count_text(judged)))
    pooled = contents.pooled("labels", "recording")
    if contents.classes and pooled is not None:
        n_recordings = len(set(pooled[1].tolist()))
        what = "recordings" if n_recordings > 1 else "recording"
        found.append((f"{len(pooled[0]):,}", "held-out trials", f"from {n_recordings} {what}"))
    elif contents.classes:
        found.append((str(len(contents.classes)), "classes", ""))
    return found


def _paths(contents: Contents) -> tuple[str, Interpolation, list[Score]] | None:
    """Return the first fold with pictures along paths: its key, the figure and its scores."""
    for fold in contents.folds:
        figure = interpolation_figure(fold.interpolation or {}, contents.classes)
        if figure is not None:
            scores = [
                score
                for score in contents.scores
                if score.name.startswith("interpolation ") and score.fold == fold.key
            ]
            return fold.key, figure, scores
    return None


def _charts(scores: tuple[Score, ...], main: Score | None, ceiling: Score | None) -> list[Any]:
    """Return the headline charts: decoding of the main metric, and what the judge sees."""
    charts = []
    outside = outside_controls(scores)
    if main is not None:
        others = [s for s in same_metric(main, scores, role="result") if s is not main]
        rows = [main, *others]
        for role in ("baseline", "control", "reference"):
            rows += same_metric(main, scores, role=role)
        top = ceiling if "accuracy" in main.name.lower() else None
        caption = f"Held-out decoding: {main.name}"
        charts.append(score_chart(rows, ceiling=top, caption=caption, alarming=outside))
    for judged in judge_scores(scores):
        rows = [judged]
        for role in ("baseline", "control", "reference"):
            rows += same_metric(judged, scores, role=role)
        caption = f"Generated pictures: {judged.name}"
        charts.append(score_chart(rows, caption=caption, alarming=outside))
    return [chart for chart in charts if chart is not None]
