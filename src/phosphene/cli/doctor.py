"""`phosphene doctor`: what is here, what is missing, and how to get it."""

import json as json_format
import os
import sys
from dataclasses import asdict
from pathlib import Path

import tyro

from phosphene.cli import examination
from phosphene.cli.examination import Finding
from phosphene.cli.machine import count_cores, measure_disk, measure_memory
from phosphene.cli.torch_probe import probe_torch

ORDER = ("missing", "trouble", "optional")


def doctor(*, json: bool = False) -> int:
    """Say what is here, what is missing and how to get it; exit code 1 if it is needed.

    Args:
        json: Print JSON instead of a table.
    """
    findings = examine()
    ok = all(finding.state != "missing" for finding in findings)
    if json:
        content = {"ok": ok, "findings": [asdict(finding) for finding in findings]}
        print(json_format.dumps(content, indent=2, ensure_ascii=False))
        return 0 if ok else 1
    _print(findings)
    problems = [finding for finding in findings if finding.state != "ok"]
    for finding in sorted(problems, key=lambda finding: ORDER.index(finding.state)):
        print(f"\n{finding.state}: {finding.why}\n    {finding.remedy}")
    n_trouble = sum(finding.state == "trouble" for finding in findings)
    if not ok:
        print("\nSomething needed is missing; get it with the commands above and call this again.")
    elif n_trouble:
        print(f"\nAll that is needed is there; {n_trouble} of the lines above may cost you time.")
    else:
        print("\nAll that is needed is there.")
    print(f"next    phosphene {'demo' if ok else 'doctor'}")
    return 0 if ok else 1


def main(argv: list[str]) -> None:
    """Run the command."""
    raise SystemExit(tyro.cli(doctor, args=argv, prog="phosphene doctor"))


def examine() -> list[Finding]:
    """Look at software, torch, machine and optional parts."""
    cores, gpu = count_cores(), examination.nvidia_gpu()
    return [
        examination.examine_python(sys.version_info[:2]),
        examination.examine_phosphene(),
        *examination.examine_packages(examination.needed_packages()),
        *examination.examine_torch(probe_torch(), gpu=gpu, cores=cores),
        examination.examine_cores(cores, os.environ),
        examination.examine_memory(measure_memory()),
        examination.examine_disk("here", measure_disk(Path())),
        *examination.examine_downloads(),
        *examination.examine_optional(),
    ]


def _print(findings: list[Finding]) -> None:
    """Print a table on a terminal, one line each elsewhere."""
    try:
        from rich import box
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table
    except ImportError:  # one of the packages to report
        return _print_lines(findings)
    console = Console(highlight=False)
    if not console.is_terminal:
        return _print_lines(findings)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("part", "name", "found", ""):
        table.add_column(column)
    colors = {"ok": "green", "optional": "cyan", "trouble": "yellow", "missing": "red"}
    last = ""
    for finding in findings:
        part = "" if finding.section == last else finding.section
        last = finding.section
        state = f"[{colors[finding.state]}]{finding.state}[/]"
        table.add_row(part, escape(finding.name), escape(finding.value), state)
    console.print(table)
    return None


def _print_lines(findings: list[Finding]) -> None:
    for finding in findings:
        state = "" if finding.state == "ok" else f"  [{finding.state}]"
        print(f"{finding.section:<9} {finding.name:<17} {finding.value}{state}")
