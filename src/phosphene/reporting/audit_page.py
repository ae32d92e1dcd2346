"""The page of an audit, from its JSON form: findings worst first, with evidence and remedy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phosphene._checks.structure import check_structure
from phosphene.run_dir import RunDir

STRUCTURE = {
    "about": {
        "n_trials": int,
        "classes": [str],
        "trials_per_class": [int],
        "n_chans": int,
        "n_times": int,
        "sfreq": float,
        "name?": str,
        "kind?": str,
        "split_in_words?": str,
    },
    "counts": {"severe": int, "warning": int, "note": int},
    "findings": [
        {
            "kind": str,
            "severity": str,
            "title": str,
            "evidence": {str: object},
            "effect": str,
            "remedy": str,
            "trials": [int],
            "n_trials": int,
        }
    ],
    "done": [str],
    "not_done": [{"check": str, "why": str}],
}
_UNITS = ("subjects", "sessions", "recordings", "blocks", "stimuli")


def write_audit_page(report: Mapping[str, Any], path: Path) -> None:
    """Write one self-contained HTML file; an older one is replaced, a half-written one never left.

    Parameters
    ----------
    report
        What `AuditReport.to_json` returned, perhaps read from a file.
    path
        Where the page goes.
    """
    page = render_audit(report, written=datetime.now(UTC))
    folder = RunDir(path.resolve().parent)
    folder.write_bytes(path.name, lambda file: file.write(page.encode()))


def render_audit(report: Mapping[str, Any], *, written: datetime) -> str:
    """Return the page as text; everything that comes from files is escaped.

    Raises
    ------
    ValueError
        When the report is not of the form of `STRUCTURE`.
    """
    import jinja2

    check_structure(report, STRUCTURE, where="an audit", remedy="run `phosphene audit` again.")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("phosphene.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["said"] = said
    return environment.get_template("audit.html.j2").render(
        report=report,
        title=_title(report),
        facts=audit_facts(report["about"]),
        written=written.strftime("%Y-%m-%d %H:%M UTC"),
    )


def _title(report: Mapping[str, Any]) -> str:
    counts = report["counts"]
    name = report["about"].get("name") or "These data"
    if counts["severe"]:
        few = "1 severe finding" if counts["severe"] == 1 else f"{counts['severe']} severe findings"
        return f"{name}: {few}, a score would lie"
    if counts["warning"]:
        few = "1 warning" if counts["warning"] == 1 else f"{counts['warning']} warnings"
        return f"{name}: nothing severe, {few}"
    return f"{name}: nothing was found that a decoder could cheat with"


def audit_facts(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and text of what was looked at, from the report's `about`."""
    named = list(zip(about["classes"], about["trials_per_class"], strict=False))
    per_class = ", ".join(f"{n} {name}" for name, n in named[:8])
    more = f", and {len(named) - 8} classes more" if len(named) > 8 else ""
    units = [f"{about[f'n_{u}']} {u}" for u in _UNITS if about.get(f"n_{u}") is not None]
    found = [
        ("Data", about.get("kind", "")),
        ("Trials", f"{about['n_trials']} ({per_class}{more})"),
        ("Signals", f"{about['n_chans']} channels, {about['n_times']} samples"),
        ("Rate", f"{about['sfreq']:g} Hz"),
        ("From", ", ".join(units) or "windows without recordings"),
        ("Split", about.get("split_in_words", "")),
        ("Independent unit", str(about.get("unit") or "")),
    ]
    return [(name, text) for name, text in found if text]


def said(value: Any, *, most: int | None = None) -> str:
    """Return a piece of evidence as text: numbers short, lists on one line.

    Parameters
    ----------
    value
        A plain JSON value.
    most
        Items of a list to show; None shows all.
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {said(each)}" for name, each in value.items())
    if not isinstance(value, list):
        return str(value)
    nested = any(isinstance(each, list) for each in value)
    items = [said(each).replace(", ", "–") if nested else said(each) for each in value[:most]]
    more = ["..."] if most is not None and len(value) > most else []
    return ("; " if nested else ", ").join([*items, *more])
