"""`phosphene data import`: from your recordings and pictures to a data set."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from phosphene import _checks
from phosphene.cli.wrong_use import WrongUseError, read_pairs
from phosphene.data.preprocessing import Preprocessing

if TYPE_CHECKING:
    from phosphene.data.images import ImageSet
    from phosphene.data.trials import Trials


HEADSET = Preprocessing(reject=400e-6)
"""Settings that suit a headset with dry electrodes: blinks stay, loose electrodes do not."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Cut trials from recordings and write them, with the pictures, as one data set folder.

    Example: phosphene data import recordings/ --out data/n170 --images face_house/
    --shown '*3.jpg' --events 1=houses 2=faces
    """

    sources: tyro.conf.Positional[tuple[Path, ...]]
    """Recordings (muse-lsl CSV, EDF, BDF, GDF, BrainVision, EEGLAB, FIF, CNT, XDF), or folders that
    are searched for them; or one pickle of ThoughtViz's windows, or one .pth of EEG-ImageNet40."""
    out: Path
    """Data set folder to make; must not exist."""
    window_set: Annotated[Literal["image", "char", "digit"] | None, tyro.conf.arg(name="set")] = (
        None
    )
    """Which of ThoughtViz's sets a pickle is; it has classes of its own, and no --events."""
    split_file: Path | None = None
    """Published split of EEG-ImageNet40, such as block_splits_by_image_all.pth."""
    subject_filter: int | None = None
    """Keep the segments of this subject of EEG-ImageNet40; the split's places stay right."""
    events: tuple[str, ...] = ()
    """Event code and class name of each class, as in 1=houses 2=faces; the code of an annotation is
    its text, as in 'Stimulus/S  1=houses'."""
    events_from: str | None = None
    """Where events stand, if in several places: annotations, the name of a stimulus channel, or the
    name of a marker stream (XDF)."""
    images: Path | None = None
    """Pictures: a folder of PNG or JPEG, of MNIST's IDX or of CIFAR-10's binary files."""
    shown: tuple[str, ...] = ()
    """Patterns of the names of the pictures that were shown ('*3.jpg'); all if left out."""
    unseen_images: Path | None = None
    """More pictures of the classes that nobody was shown: they train the judge of pictures. Their
    classes are read and named as those of --images, or are in sub-folders, or named so already."""
    class_from: Literal["folder", "prefix"] = "folder"
    """Class of a picture: its folder's name, or its own name up to the first hyphen."""
    class_names: tuple[str, ...] = ()
    """New names for classes of pictures, as in target=cat nontarget=dog."""
    image_size: int = 128
    """Pictures are cropped to squares and shrunk to this side, or to the side of the smallest
    picture where that is less."""
    grey: bool = False
    """Read pictures as grey."""
    subject: str | None = None
    """Subject, where no folder is called subject...."""
    session: str | None = None
    """Session, where no folder is called session...."""
    drop_channels: tuple[str, ...] = ()
    """Channels to leave out, where a file has them."""
    rename_channels: tuple[str, ...] = ()
    """New names of channels, as in FP1=Fp1."""
    channel_types: tuple[str, ...] = ("eeg",)
    """Types of the channels to read, as MNE names them: eeg, ecog, seeg, eog, emg, ..."""
    montage: str | None = None
    """Standard montage (MNE) that must know all channels, such as standard_1020."""
    stream: str | None = None
    """Name of the stream that is the signal, where an XDF file has several."""
    unit: str | None = None
    """Unit of the channels, such as uV, where an XDF file names none."""
    scale_signals: float = 1.0
    """Factor on all samples, where a file names the wrong unit (1e-6: it says V and holds uV)."""
    keep_aux: bool = False
    """Keep the auxiliary input, Right AUX."""
    stimulus_column: str | None = None
    """Column of the recordings that names the picture shown at each event."""
    preprocessing: Annotated[Preprocessing, tyro.conf.OmitArgPrefixes] = HEADSET


def refuse_existing(out: Path) -> None:
    """Refuse a data set folder that is there already, before anything is read."""
    if out.exists():
        raise WrongUseError(
            f"`--out` must not exist yet; {out} does; choose another name or remove it."
        )


def import_dataset(options: ImportOptions) -> "Trials":
    """Read, check, cut and write; return the trials."""
    from phosphene.data.amplitude import scale_signal
    from phosphene.data.dataset import save_dataset
    from phosphene.data.formats import find_recordings, read_recordings
    from phosphene.data.formats.eeg_imagenet40 import is_eeg_imagenet40
    from phosphene.data.formats.image_folder import find_document
    from phosphene.data.formats.thoughtviz import is_thoughtviz
    from phosphene.data.pairing import pair
    from phosphene.data.preprocess import cut_epochs
    from phosphene.data.recording import check_distinct

    if options.window_set is not None or any(is_thoughtviz(path) for path in options.sources):
        from phosphene.cli.import_windows import import_windows

        return import_windows(options)
    nwb = next((path for path in options.sources if path.suffix.lower() == ".nwb"), None)
    if nwb is not None:
        raise WrongUseError(
            f"`phosphene data import` reads EEG; {nwb.name} is NWB; import LFP with "
            f"`phosphene data import-lfp {shlex.quote(str(nwb))} --probe FILE --images DIR --out "
            "DATA`."
        )
    about_segments = options.split_file is not None or options.subject_filter is not None
    if about_segments or any(is_eeg_imagenet40(path) for path in options.sources):
        from phosphene.cli.import_segments import import_segments

        return import_segments(options)
    events = read_pairs(options.events, option="--events", example="1=houses 2=faces")
    if len(set(events.values())) < 2:
        raise WrongUseError(
            f"`--events` needs at least 2 classes; got {' '.join(options.events) or 'none'}; "
            f"write for instance 1=houses 2=faces."
        )
    if not options.sources:
        raise WrongUseError(
            "`phosphene data import` needs recordings; got none; name files or folders."
        )
    refuse_existing(options.out)
    renames = read_pairs(
        options.rename_channels, option="--rename-channels", example="FP1=Fp1 FZ=Fz"
    )
    images = read_pictures(options, list(dict.fromkeys(events.values())))
    recordings = read_recordings(
        find_recordings(options.sources),
        subject=options.subject,
        session=options.session,
        drop_channels=options.drop_channels,
        keep_aux=options.keep_aux,
        stimulus_column=options.stimulus_column,
        rename_channels=renames,
        channel_types=options.channel_types,
        events_from=options.events_from,
        montage=options.montage,
        stream=options.stream,
        unit=options.unit,
    )
    recordings = [scale_signal(recording, options.scale_signals) for recording in recordings]
    check_distinct(recordings)
    trials, rejected = cut_epochs(recordings, options.preprocessing, events=events)
    pairing = pair(trials, images)
    ignored = sorted({c for r in recordings for c in r.events["code"]} - set(events))
    save_dataset(
        options.out,
        recordings=recordings,
        trials=trials,
        images=images,
        pairing=pairing,
        rejected=rejected,
        info={
            "origin": "imported",
            "events": events,
            "ignored_codes": ignored,
            "montage": recordings[0].montage,
            "import_options": options_of_reading(options),
            "licence": "" if options.images is None else find_document(options.images),
        },
    )
    print(f"{len(recordings)} recordings, {sum(r.duration for r in recordings) / 60:.1f} minutes")
    for recording in recordings:
        if recording.meas_note:
            print(f"note    {recording.source}: {recording.meas_note}")
    print_counts(trials, rejected)
    if ignored:
        print(f"events  codes {', '.join(ignored)} have no class and were left out")
    if images is not None:
        print_pictures(images)
    print(f"pairing {pairing.kind}: {pairing.reason}")
    if "unknown" in trials.table["subject"].to_numpy():
        print("subject unknown: no folder is called subject... or sub-...; name it with --subject")
    return trials


def main(argv: list[str]) -> None:
    """Run the command."""
    options = tyro.cli(ImportOptions, args=argv, prog="phosphene data import")
    import_dataset(options)
    print(f"data    {options.out}")
    print(f"next    phosphene data inspect {shlex.quote(str(options.out))}")


def options_of_reading(options: ImportOptions) -> dict[str, Any]:
    """Return what was done to signals and pictures when they were read, as plain JSON values."""
    names = (
        *("drop_channels", "rename_channels", "channel_types", "keep_aux", "scale_signals"),
        *("stream", "unit", "events_from", "stimulus_column"),
        *("shown", "class_from", "class_names", "image_size", "grey"),
    )
    values = {name: getattr(options, name) for name in names}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def read_pictures(options: ImportOptions, classes: Sequence[str]) -> "ImageSet | None":
    """Read the pictures of the classes; None where no pictures are named."""
    if options.images is None:
        picture_options = {
            "--shown": options.shown,
            "--class-names": options.class_names,
            "--unseen-images": options.unseen_images,
        }
        for name, value in picture_options.items():
            if value:
                raise WrongUseError(f"`{name}` is about pictures; there are none; add --images.")
        return None
    from phosphene.data.formats import read_images

    renames = read_pairs(
        options.class_names, option="--class-names", example="target=cat nontarget=dog"
    )
    images = read_images(
        options.images,
        class_from=options.class_from,
        image_size=options.image_size,
        grey=options.grey,
        shown=options.shown,
        class_names=renames,
    )
    for name in classes:
        if name not in images.classes:
            near = _checks.nearest_name(name, images.classes)
            raise WrongUseError(
                f"`--{'set' if options.window_set else 'events'}` must name classes of the "
                f"pictures, {', '.join(images.classes)}; got '{name}'; "
                + (f"did you mean '{near}'?" if near else "rename with --class-names.")
            )
    images = images.with_classes(classes)
    if options.unseen_images is None:
        return images
    return images.with_unseen(_read_unseen(options.unseen_images, options, renames))


def _read_unseen(path: Path, options: ImportOptions, renames: Mapping[str, str]) -> "ImageSet":
    """Read pictures whose classes may have their final names, as the pictures shown have not."""
    from phosphene.data.formats import read_images
    from phosphene.data.formats.image_folder import SUFFIXES, rename_classes

    if not path.exists():
        raise WrongUseError(
            f"`--unseen-images` must be pictures; there is nothing at {path}; correct the path."
        )
    is_flat = path.is_file() or any(file.suffix.lower() in SUFFIXES for file in path.iterdir())
    unseen = read_images(
        path,
        class_from=options.class_from if is_flat else "folder",
        image_size=options.image_size,
        grey=options.grey,
    )
    return rename_classes(unseen, {o: n for o, n in renames.items() if o in unseen.classes})


def print_pictures(images: "ImageSet") -> None:
    """Print how many pictures there are, their size, and what was done to them."""
    height, width = images.pixels.shape[1:3]
    n_shown = int(images.shown.sum())
    print(f"{len(images)} pictures of {width} x {height}, {n_shown} of them shown")
    for note in images.notes:
        print(f"note    pictures: {note}")


def print_counts(trials: "Trials", rejected: Any) -> None:
    """Print trials per class, and why others were rejected."""
    counts = trials.table["class_name"].value_counts()
    each = ", ".join(f"{counts.get(name, 0)} {name}" for name in trials.classes)
    print(
        f"{len(trials)} trials ({each}) of {trials.n_chans} channels x {trials.n_times} samples at "
        f"{trials.sfreq:g} Hz"
    )
    for reason, n in rejected["reason"].value_counts().items():
        print(f"{n} rejected: {reason}")
