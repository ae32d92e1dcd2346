"""`phosphene data fetch NAME`: get a published file, verified by its hash, into the cache."""

import sys
from pathlib import Path

import tyro

from phosphene.cli.wrong_use import check_use


def fetch_file(name: tyro.conf.Positional[str], *, source: Path | None = None) -> None:
    """Get a published file, verify its SHA-256, and keep it in the cache.

    The one file is inception-2015 (96 MB): weights of Inception-v3 from pytorch-fid, for IS and
    FID that can be compared with published ones. Nothing else ever downloads it.

    Args:
        name: inception-2015.
        source: Take this copy of the file, fetched by other means, in place of the internet.
    """
    from phosphene.data.downloads import DOWNLOADS, cached_file, fetch

    check_use("file", name, DOWNLOADS)
    there = source is None and cached_file(name).exists()
    path = fetch(name, source=source, progress=sys.stderr.isatty())
    print(f"{'kept' if there else 'wrote':<8}{path}")
    print(f"holds   {DOWNLOADS[name].about}")
    print(f"sha256  {DOWNLOADS[name].sha256}, verified")
    print("next    phosphene evaluate RUN, which adds the scores to a finished run")
    print("        (not to one with --inception off, as of demo and smoke: train again with auto)")


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(fetch_file, args=argv, prog="phosphene data fetch")
