"""A comparison written as Markdown, as one self-contained HTML page, and as plain values."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phosphene.reporting.comparison import BEST, CLASSICAL, Comparison
from phosphene.reporting.comparison_pairs import pair_rows
from phosphene.reporting.comparison_pictures import picture_rows
from phosphene.reporting.comparison_restorations import restoration_rows
from phosphene.reporting.comparison_signals import signal_rows
from phosphene.reporting.comparison_tables import Block
from phosphene.reporting.figures.intervals import Chart, score_chart
from phosphene.reporting.figures.palette import DARK, LIGHT
from phosphene.reporting.judgement import JUDGED
from phosphene.reporting.restoration_contents import SECTION
from phosphene.run_dir import RunDir
from phosphene.score import ROLES, Score


def write_comparison(comparison: Comparison, folder: Path, *, stem: str = "comparison") -> Path:
    """Write STEM.md, STEM.html and STEM.json into a folder and return the path of the page."""
    target = RunDir(folder)
    target.write_json(f"{stem}.json", comparison_to_json(comparison))
    texts = {
        "md": comparison_markdown(comparison),
        "html": render_comparison(comparison, written=datetime.now(UTC)),
    }
    for suffix, text in texts.items():
        target.write_bytes(f"{stem}.{suffix}", lambda file, text=text: file.write(text.encode()))
    return folder / f"{stem}.html"


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """Return plain values: systems with every run, references, published numbers, failures."""
    systems = [
        {
            "label": system.label,
            "recipe": system.runs[0].recipe,
            "preset": system.runs[0].preset,
            "n_seeds": len(system.runs),
            "runs": [{"name": run.name, "seed": run.seed} for run in system.runs],
            "settings": {k: v for k, v in system.runs[0].settings.items() if k != "seed"},
            "values": _plain_row(comparison, system.label, reference=False),
        }
        for system in comparison.systems
    ]
    references = dict.fromkeys(
        line.label for block in comparison.blocks for line in block.lines if line.reference
    )
    return {
        "facts": dict(comparison.facts),
        "systems": systems,
        "references": [
            {"label": label, "values": _plain_row(comparison, label, reference=True)}
            for label in references
        ],
        **({"signals": rows} if (rows := signal_rows(comparison.blocks)) else {}),
        **({"restoration": rows} if (rows := restoration_rows(comparison.blocks)) else {}),
        **({"differences": rows} if (rows := pair_rows(comparison.blocks)) else {}),
        "published": [asdict(number) for number in comparison.published],
        "failures": [{"run": name, "reason": reason} for name, reason in comparison.failures],
        "notes": [*comparison.notes, *(r for block in comparison.blocks for r in block.remarks)],
    }


def _plain_row(comparison: Comparison, label: str, *, reference: bool) -> dict[str, Any]:
    return {
        block.key: {
            column.key: dict(cell.plain)
            for line in block.lines
            if (line.label, line.reference) == (label, reference)
            for column, cell in zip(block.columns, line.cells, strict=True)
            if cell.plain
        }
        for block in comparison.blocks
    }


def comparison_markdown(comparison: Comparison) -> str:
    """Return the tables as Markdown; what comes from files is escaped."""
    parts = ["# Comparison", "; ".join(f"{k}: {_escape(v)}" for k, v in comparison.facts) + "."]
    for block in comparison.blocks:
        parts += [f"## {block.title}", block.lead, _markdown_table(block)]
        parts += [f"- {_escape(remark)}" for remark in block.remarks]
    parts += [f"- {_escape(note)}" for note in comparison.notes]
    if comparison.failures:
        parts.append("## Without a result")
        parts += [f"- {_escape(name)}: {_escape(reason)}" for name, reason in comparison.failures]
    if comparison.published:
        rows = ["| recipe | number | value | source |", "|---|---|---|---|"]
        rows += [
            f"| {_escape(p.recipe)} | {_escape(p.name)} | {_escape(str(p.value))} "
            f"| {_escape(p.paper)}, {_escape(p.url)} |"
            for p in comparison.published
        ]
        parts += ["## As published, not comparable", PUBLISHED_LEAD, "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


_ESCAPED = str.maketrans(
    {**{sign: f"\\{sign}" for sign in "\\`*_[]|#"}, "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
PUBLISHED_LEAD = (
    "On the authors' data, split and pictures, none of which are those above; their numbers stand "
    "in no column with ours."
)


def _markdown_table(block: Block) -> str:
    heads = [c.title + (f" ({c.small})" if c.small else "") for c in block.columns]
    rows = [
        ["", *map(_escape, heads)],
        ["---"] * (1 + len(heads)),
        *(
            [
                _escape(line.label) + (f" ({line.detail})" if line.detail else ""),
                *(
                    _escape("; ".join(filter(None, (cell.text, *cell.small))))
                    for cell in line.cells
                ),
            ]
            for line in block.lines
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return " ".join(text.split()).translate(_ESCAPED)


def render_comparison(comparison: Comparison, *, written: datetime) -> str:
    """Return the page as text; everything that comes from files is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("phosphene.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    n = len(comparison.systems)
    return environment.get_template("comparison.html.j2").render(
        comparison=comparison,
        title=f"{n} systems side by side" if n > 1 else f"{comparison.systems[0].label}, alone",
        alarms=_alarms(comparison),
        charts=_charts(comparison),
        pictures=picture_rows(comparison.systems),
        published_lead=PUBLISHED_LEAD,
        palette=[(f"--class-{i}", *p) for i, p in enumerate(zip(LIGHT, DARK, strict=True))],
        written=written.strftime("%Y-%m-%d %H:%M UTC"),
    )


def _charts(comparison: Comparison) -> list[Chart]:
    """Return decoding and what the judge sees in pictures, a row per system."""
    blocks = {block.key: block for block in comparison.blocks}
    alarms = _alarms(comparison)
    charts = []
    if "decoding" in blocks and (columns := blocks["decoding"].columns):
        charts.append(_chart(blocks["decoding"], columns[0].key, "Held-out decoding", alarms))
    if "pictures" in blocks:
        for column in blocks["pictures"].columns:
            if JUDGED in column.key:
                charts.append(_chart(blocks["pictures"], column.key, "Generated pictures", alarms))
    if SECTION in blocks and (columns := blocks[SECTION].columns):
        charts.append(_chart(blocks[SECTION], columns[0].key, "Restored pictures", alarms))
    return [chart for chart in charts if chart is not None]


def _alarms(comparison: Comparison) -> list[str]:
    """Return the systems of which a control lies so far above chance that luck does not do it."""
    lines = [line for block in comparison.blocks for line in block.lines]
    return [x.label for x in lines if any(cell.state == "alarm" for cell in x.cells)]


def _chart(block: Block, key: str, caption: str, alarms: Sequence[str]) -> Chart | None:
    """Return one column as a chart; classical decoders join it where all runs agree on them."""
    found = _column_scores(block, key)
    ceiling = next((s for s in found if s.method == BEST), None)
    for ending in CLASSICAL:
        baseline = _column_scores(block, f"{key}{ending}")
        if baseline and len({round(s.value, 9) for s in baseline}) == 1:
            method = ending.removeprefix(" of ")
            found.append(replace(baseline[0], role="baseline", method=method))
    rows = sorted((s for s in found if s.method != BEST), key=lambda s: ROLES.index(s.role))
    alarming = [s for s in rows if s.method in alarms]
    return score_chart(rows, ceiling=ceiling, caption=f"{caption}: {key}", alarming=alarming)


def _column_scores(block: Block, key: str) -> list[Score]:
    """Return the numbers of a column as scores called by their rows."""
    names = [column.key for column in block.columns]
    if key not in names:
        return []
    found = [(line, line.cells[names.index(key)].plain) for line in block.lines]
    return [
        Score(
            name=key,
            value=plain["value"],
            n=1,
            unit="systems",
            role="reference" if line.reference else "result",
            method=line.label,
            low=plain.get("low"),
            high=plain.get("high"),
            chance_low=plain.get("chance_low"),
            chance_high=plain.get("chance_high"),
        )
        for line, plain in found
        if plain
    ]
