"""`phosphene data simulate-lfp --out DIR`: a probe's session whose responses are known."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from phosphene.cli.progress import open_progress
from phosphene.data.simulate.lfp_settings import AREA, LFPSimulation

if TYPE_CHECKING:
    from phosphene.data.simulate.lfp import LFPModel


def data_simulate_lfp(
    simulation: Annotated[LFPSimulation, tyro.conf.OmitArgPrefixes],
    *,
    out: Path,
    images: Path | None = None,
) -> None:
    """Simulate a laminar probe in mouse visual cortex that is shown pictures; write it as NWB.

    The folder holds session.nwb and probe_0_lfp.nwb as the Allen Institute publishes them, the
    pictures, and the true mean response to each (true_responses.npz).

    Args:
        simulation: What happens.
        out: Folder to make.
        images: Folder of PNG or JPEG to show in place of made ones; they become grey, and are
            cropped and resized to --picture-shape. There are then as many pictures as files.
    """
    from phosphene.data.simulate.lfp import simulate_session
    from phosphene.data.simulate.scene_folder import find_scenes, read_scenes

    pictures = None
    if images is not None:
        files = find_scenes(images)
        simulation = replace(simulation, n_pictures=len(files))
        pictures = read_scenes(files, shape=simulation.picture_shape)
    progress = open_progress()
    at = ""

    def report(stage: str, done: int, total: int) -> None:
        nonlocal at
        if stage != at:
            progress.finish()
            progress.start(stage, total)
        at = stage
        progress.update(done, {})

    try:
        model = simulate_session(simulation, out=out, pictures=pictures, progress=report)
    finally:
        progress.finish()
    print(describe(model, out))


def describe(model: "LFPModel", out: Path) -> str:
    """Return what was made and the command that makes a data set of it."""
    from phosphene.data.simulate.lfp import PICTURES, PROBE_FILE, SESSION_FILE, TRUTH_FILE

    simulation = model.simulation
    minutes = simulation.n_samples / simulation.sfreq / 60
    height, width = simulation.picture_shape
    words = ["phosphene", "data", "import-lfp", str(out / SESSION_FILE)]
    words += ["--probe", str(out / PROBE_FILE), "--images", str(out / PICTURES), "--area", AREA]
    words += ["--true-responses", str(out / TRUTH_FILE), "--out", f"{out}_data"]
    return "\n".join(
        [
            f"simulated  {minutes:.1f} minutes, {simulation.n_chans} channels in {AREA} and "
            f"{simulation.other_channels} below it, {simulation.sfreq:.10g} Hz",
            f"pictures   {simulation.n_pictures} of {height} x {width} pixels, each shown "
            f"{simulation.n_repeats} times in {simulation.n_blocks} blocks, grey as often",
            f"responses  the true mean of each picture is in {TRUTH_FILE}; effect "
            f"{simulation.effect:g}, picture share {simulation.picture_share:g}",
            f"session    {out}",
            f"next       {shlex.join(words)}",
        ]
    )


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(data_simulate_lfp, args=argv, prog="phosphene data simulate-lfp")
