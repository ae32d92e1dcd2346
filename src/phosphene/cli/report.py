"""`phosphene report RUN`: write the report of a run again."""

from pathlib import Path

import tyro

from phosphene.run_dir import RunDir


def report(run: tyro.conf.Positional[Path]) -> None:
    """Write report.html from what a run folder holds, finished or not.

    Args:
        run: Folder that `phosphene train` wrote.
    """
    folder = RunDir(run)
    folder.read_json("config.json")  # refuses a folder that is no run, before anything is written
    from phosphene.reporting.report import write_report

    print(f"report  {write_report(folder)}")
    print(f"next    phosphene evaluate {run}")


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(report, args=argv, prog="phosphene report")
