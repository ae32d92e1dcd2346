"""`phosphene data import-lfp`: from a probe's LFP and the pictures shown to a data set."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from phosphene.cli.data_import import print_counts, refuse_existing
from phosphene.data.preprocessing import LFP_WINDOW, Preprocessing

if TYPE_CHECKING:
    from phosphene.data.recording import Recording
    from phosphene.data.trials import Trials


@dataclass(frozen=True, kw_only=True)
class LFPImportOptions:
    """Cut the response to each picture from a probe's LFP (NWB) and write a data set folder.

    Example: phosphene data import-lfp session_719161530.nwb --probe probe_729445652_lfp.nwb
    --area VISp --images natural_scene_templates/ --out data/v1
    """

    session: tyro.conf.Positional[Path]
    """NWB file of the session, with the times at which pictures were shown."""
    probe: Path
    """NWB file with the LFP of one probe; may be the session's own."""
    images: Path
    """Folder of the pictures, TIFF or PNG, whose names end in their numbers
    (natural_scene_0.tiff)."""
    out: Path
    """Data set folder to make; must not exist."""
    area: str | None = None
    """Keep the channels in this brain area, such as VISp; all valid ones if left out."""
    channels: tuple[int, ...] = ()
    """Keep the channels of these electrode ids."""
    max_channels: int | None = None
    """Keep at most so many channels, evenly spaced over depth."""
    stimulus: str = "natural_scenes"
    """Which showings, as the session names them in intervals/natural_scenes_presentations."""
    true_responses: Path | None = None
    """The true mean response to each picture (.npz), where a simulator knows it."""
    preprocessing: Annotated[Preprocessing, tyro.conf.OmitArgPrefixes] = LFP_WINDOW


def import_lfp(options: LFPImportOptions) -> "Trials":
    """Read, check, cut and write; return the trials."""
    from phosphene.data.dataset import save_dataset
    from phosphene.data.formats.image_folder import find_document
    from phosphene.data.formats.nwb_lfp import read_probe
    from phosphene.data.formats.scene_files import read_scenes
    from phosphene.data.pairing import pair
    from phosphene.data.recording import check_channels
    from phosphene.data.showings import NATURAL_SCENE, SHOWN, cut_showings
    from phosphene.data.true_responses import TRUE_RESPONSES, read_true_responses

    refuse_existing(options.out)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    recording, columns, n_columns = read_probe(
        options.session,
        options.probe,
        area=options.area,
        channels=options.channels or None,
        max_channels=options.max_channels,
        stimulus=options.stimulus,
        folder=options.out.parent,
    )
    check_channels(recording)
    shown = recording.events.loc[recording.events["code"] == SHOWN, "stimulus"]
    trials, rejected = cut_showings(recording, options.preprocessing)
    images = read_scenes(options.images, shown.tolist(), class_name=NATURAL_SCENE)
    extra = {}
    if options.true_responses is not None:
        extra[TRUE_RESPONSES] = read_true_responses(
            options.true_responses,
            stimuli=images.table["stimulus"].tolist(),
            columns=columns,
            n_columns=n_columns,
            n_times=trials.n_times,
            sfreq=trials.sfreq,
        )
    pairing = pair(trials, images)
    save_dataset(
        options.out,
        recordings=[recording],
        trials=trials,
        images=images,
        pairing=pairing,
        rejected=rejected,
        info={
            "origin": "imported",
            "events": {SHOWN: NATURAL_SCENE},
            "import_options": _options_of_reading(options),
            "licence": find_document(options.images),
        },
        extra=extra,
    )
    _print_recording(recording, n_columns)
    print_counts(trials, rejected)
    _print_showings(trials)
    height, width = images.pixels.shape[1:3]
    print(f"{len(images)} pictures of {width} x {height}, grey")
    for note in images.notes:
        print(f"note    pictures: {note}")
    if extra:
        print(f"truth   the true mean response to each of {len(images)} pictures is kept")
    print(f"pairing {pairing.kind}: {pairing.reason}")
    return trials


def main(argv: list[str]) -> None:
    """Run the command."""
    options = tyro.cli(LFPImportOptions, args=argv, prog="phosphene data import-lfp")
    import_lfp(options)
    data = shlex.quote(str(options.out))
    print(f"data    {options.out}")
    print(f"look    phosphene data inspect {data}")
    print(f"next    phosphene train lfpgan_2020 quick --data {data} --out RUN")


def _options_of_reading(options: LFPImportOptions) -> dict[str, Any]:
    """Return what was chosen when the files were read, as plain JSON values."""
    return {
        "session": options.session.name,
        "area": options.area,
        "channels": list(options.channels),
        "max_channels": options.max_channels,
        "stimulus": options.stimulus,
    }


def _print_recording(recording: "Recording", n_columns: int) -> None:
    measured = recording.sfreq_measured
    rate = f"{recording.sfreq:g} Hz" + (f" (measured {measured:.3f})" if measured else "")
    print(
        f"1 recording, {recording.duration / 60:.1f} minutes at {rate}, "
        f"{len(recording.ch_names)} of {n_columns} channels, {recording.n_gaps} gaps"
    )
    print(f"note    {recording.source}: {recording.meas_note}")


def _print_showings(trials: "Trials") -> None:
    """Print how often each picture was shown, and in how many blocks."""
    counts = trials.table["stimulus"].value_counts()
    least, most = int(counts.min()), int(counts.max())
    often = f"{most}" if least == most else f"{least} to {most}"
    n_blocks = trials.table["block"].nunique()
    print(f"shown   {len(counts)} pictures, {often} times each, in {n_blocks} blocks")
