"""`phosphene audit DATA`: what a model could cheat with, before anyone trains."""

import json as json_format
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from phosphene.cli.data_import import HEADSET
from phosphene.cli.wrong_use import WrongUseError, read_pairs
from phosphene.data.preprocessing import Preprocessing

if TYPE_CHECKING:
    from phosphene.audit.inputs import AuditInput

COLORS = {"severe": "bold red", "warning": "yellow", "note": "cyan"}
_ABOUT_RECORDINGS = (
    *("events", "events_from", "subject", "session", "drop_channels", "rename_channels"),
    *("channel_types", "montage", "stream", "unit", "keep_aux", "stimulus_column"),
    "preprocessing",
)


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """Look for everything in data, or in a split of them, that a decoder could cheat with.

    Examples: phosphene audit data/n170; phosphene audit data.pkl --split window; phosphene audit
    recordings/ --events 1=houses 2=faces --out audit.html
    """

    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A data set folder; or one pickle of ThoughtViz's windows, or one .pth of EEG-ImageNet40; or
    recordings or folders of them, with --events, as `data import` takes them."""
    split: str | None = None
    """Split to look at: window, block, recording, session, subject, stimulus or published; the
    split.json of a run; or the .pth that was published with EEG-ImageNet40. What `train` would
    take if left out."""
    n_folds: int | None = None
    """Folds that units are dealt into; every unit is left out in turn if left out."""
    strict: bool = False
    """Exit with code 1 when there is a severe finding."""
    json: bool = False
    """Print the findings as JSON."""
    out: Path | None = None
    """Page to write, such as audit.html; an older one is replaced."""
    effect: float | None = None
    """Balanced accuracy that the data should be able to show, such as 0.6."""
    seed: int = 0
    """Of permutations and folds."""
    window_set: Annotated[Literal["image", "char", "digit"] | None, tyro.conf.arg(name="set")] = (
        None
    )
    """Which of ThoughtViz's sets a pickle is: it names the classes."""
    subject_filter: int | None = None
    """Keep the segments of this subject of EEG-ImageNet40."""
    events: tuple[str, ...] = ()
    """Event code and class name of each class of recordings, as in 1=houses 2=faces."""
    events_from: str | None = None
    """Where events stand, if in several places: annotations, a stimulus channel, a stream."""
    subject: str | None = None
    """Subject, where no folder is called subject...."""
    session: str | None = None
    """Session, where no folder is called session...."""
    drop_channels: tuple[str, ...] = ()
    """Channels to leave out, where a file has them."""
    rename_channels: tuple[str, ...] = ()
    """New names of channels, as in FP1=Fp1."""
    channel_types: tuple[str, ...] = ("eeg",)
    """Types of the channels to read, as MNE names them."""
    montage: str | None = None
    """Standard montage (MNE) that must know all channels."""
    stream: str | None = None
    """Name of the stream that is the signal, where an XDF file has several."""
    unit: str | None = None
    """Unit of the channels, such as uV, where an XDF file names none."""
    keep_aux: bool = False
    """Keep the auxiliary input, Right AUX."""
    stimulus_column: str | None = None
    """Column of the recordings that names the picture shown at each event."""
    preprocessing: Annotated[Preprocessing, tyro.conf.OmitArgPrefixes] = HEADSET


def audit(options: AuditOptions) -> dict[str, Any]:
    """Open the data, run every check, and return the report as plain JSON values."""
    from phosphene.audit.audit import run_audit
    from phosphene.audit.inputs import choose_audited_split

    data = open_input(options)
    is_published = options.split is not None and options.split.lower().endswith(".pth")
    wanted = "published" if is_published else options.split
    split, words = choose_audited_split(data, wanted, n_folds=options.n_folds, seed=options.seed)
    report = run_audit(data.source, split=split, seed=options.seed, effect=options.effect)
    about = {
        "name": data.name,
        "kind": data.kind,
        "split_in_words": words,
        "rejected": data.rejected,
        "seed": options.seed,
    }
    about = {**about, **report.about}
    if any(finding.kind == "few_independent_recordings" for finding in report.findings):
        about["unit"] = "stretch of windows that share samples"
    return replace(report, about=about).to_json()


def open_input(options: AuditOptions) -> "AuditInput":
    """Read what the sources are, refusing options that are not about it."""
    from phosphene.audit import inputs
    from phosphene.data.dataset import is_dataset
    from phosphene.data.formats.eeg_imagenet40 import is_eeg_imagenet40
    from phosphene.data.formats.thoughtviz import is_thoughtviz

    if not options.sources:
        raise WrongUseError(
            "`phosphene audit` needs data; got none; name a data set folder, a pickle, a .pth file "
            "or recordings."
        )
    path = options.sources[0]
    if not path.exists():
        raise WrongUseError(f"`phosphene audit` needs data; there is nothing at {path}; correct it")
    alone = len(options.sources) == 1
    if alone and is_dataset(path):
        _refuse(options, "data set folder", (*_ABOUT_RECORDINGS, "window_set", "subject_filter"))
        return inputs.open_dataset(path)
    if alone and is_thoughtviz(path):
        _refuse(options, "pickle of windows", (*_ABOUT_RECORDINGS, "subject_filter"))
        return inputs.open_thoughtviz(path, set_name=options.window_set)
    if alone and is_eeg_imagenet40(path):
        _refuse(options, "file of segments", (*_ABOUT_RECORDINGS, "window_set"))
        is_file = options.split is not None and options.split.lower().endswith(".pth")
        split_file = Path(options.split) if is_file and options.split else None
        return inputs.open_eeg_imagenet40(
            path, split_file=split_file, subject=options.subject_filter
        )
    _refuse(options, "set of recordings", ("window_set", "subject_filter"))
    events = read_pairs(options.events, option="--events", example="1=houses 2=faces")
    if len(set(events.values())) < 2:
        raise WrongUseError(
            "recordings need `--events`, with at least 2 classes; got "
            f"{' '.join(options.events) or 'none'} for {path}; write for instance --events "
            "1=houses 2=faces."
        )
    renames = read_pairs(options.rename_channels, option="--rename-channels", example="FP1=Fp1")
    names = set(_ABOUT_RECORDINGS) - {"events", "rename_channels", "preprocessing"}
    return inputs.open_recordings(
        options.sources,
        options.preprocessing,
        events=events,
        rename_channels=renames,
        **{name: getattr(options, name) for name in names},
    )


def _refuse(options: AuditOptions, what: str, names: Sequence[str]) -> None:
    """Refuse options that are about another sort of data, instead of passing them over."""
    defaults = {field.name: field.default for field in fields(AuditOptions)}
    changed = [name for name in names if getattr(options, name) != defaults[name]]
    if changed:
        called = {"window_set": "set", "preprocessing": "band and other settings of epochs"}
        listed = ", ".join(f"--{called.get(name, name.replace('_', '-'))}" for name in changed)
        raise WrongUseError(
            f"{listed} cannot be followed; {options.sources[0]} is a {what}; leave it out."
        )


def print_report(report: Mapping[str, Any]) -> None:
    """Print a table of the findings, a paragraph on each, and what was not looked at."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.padding import Padding
    from rich.table import Table

    from phosphene.reporting.audit_page import audit_facts, said

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=110, highlight=False)  # a file has no width
    console.print(f"{'audit':<17}{escape(report['about']['name'])}", soft_wrap=True)
    for name, text in audit_facts(report["about"]):
        console.print(f"{name.lower():<17}{escape(text)}", soft_wrap=True)
    findings = report["findings"]
    if findings:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("", "kind", "finding"):
            table.add_column(column, no_wrap=column != "finding")
        for finding in findings:
            table.add_row(
                finding["severity"],
                finding["kind"].replace("_", " "),
                escape(finding["title"]),
                style=COLORS[finding["severity"]],
            )
        console.print(table)
    for finding in findings:
        color = COLORS[finding["severity"]]
        console.print(f"[{color}]{escape(finding['title'])}[/]")
        parts = [
            f"{name.replace('_', ' ')}: {said(value, most=4)}"
            for name, value in finding["evidence"].items()
        ]
        body = [
            escape("; ".join(parts)),
            f"[dim]effect[/]  {escape(finding['effect'])}",
            f"[dim]remedy[/]  {escape(finding['remedy'])}",
        ]
        if finding["trials"]:
            listed = ", ".join(map(str, finding["trials"][:8]))
            rest = ", ..." if finding["n_trials"] > 8 else ""
            body.append(f"[dim]trials[/]  {finding['n_trials']}: rows {listed}{rest}")
        console.print(Padding("\n".join(filter(None, body)), (0, 0, 1, 2)))
    for missed in report["not_done"]:
        console.print(
            f"[dim]not checked: {escape(missed['check'])}, for {escape(missed['why'])}[/]"
        )
    counts = report["counts"]
    console.print(
        f"{len(report['done'])} checks made, {len(report['not_done'])} not possible: "
        f"{counts['severe']} severe, {counts['warning']} warnings, {counts['note']} notes"
    )


def main(argv: list[str]) -> None:
    """Run the command."""
    options = tyro.cli(AuditOptions, args=argv, prog="phosphene audit")
    report = audit(options)
    if options.out is not None:
        from phosphene.reporting.audit_page import write_audit_page

        write_audit_page(report, options.out)
    if options.json:
        print(json_format.dumps(report, indent=2, ensure_ascii=False))
    else:
        print_report(report)
        if options.out is not None:
            print(f"page    {options.out}")
        else:
            words = shlex.join(["phosphene", "audit", *argv, "--out", "audit.html"])
            print(f"next    {words}")
    if options.strict and report["counts"]["severe"]:
        sys.exit(1)
