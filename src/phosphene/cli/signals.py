"""The signals of `phosphene generate`: raw recordings or a data set, fitted to a bundle."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from phosphene.cli.wrong_use import WrongUseError, check_use, read_pairs

if TYPE_CHECKING:
    from phosphene.cli.generate import GenerateOptions
    from phosphene.data.recording import Recording
    from phosphene.data.trials import Trials
    from phosphene.export.bundle import Bundle

ANY_CLASS = "any"
RAW_OPTIONS = (
    "events",
    "events_from",
    "onsets",
    "drop_channels",
    "rename_channels",
    "channel_types",
    "montage",
    "stream",
    "unit",
    "scale_signals",
)
"""Options about raw recordings."""


def read_signals(options: "GenerateOptions", bundle: "Bundle") -> "tuple[Trials, list[str]]":
    """Return trials that fit the bundle, and what was shown in each, "" where that is unknown."""
    from phosphene.data.amplitude import check_amplitude, robust_sd
    from phosphene.data.dataset import is_dataset, load_dataset

    path = options.signals
    if not path.exists():
        raise ValueError(
            f"`--signals` must be a recording or a data set; there is nothing at {path}; correct "
            "the path."
        )
    if is_dataset(path):
        for name in RAW_OPTIONS:
            if getattr(options, name) != type(options).__dataclass_fields__[name].default:
                raise WrongUseError(
                    f"`--{name.replace('_', '-')}` is about raw recordings; {path} is a data set; "
                    "leave it out."
                )
        trials = load_dataset(path).trials
        shown = trials.table["class_name"].tolist()
    else:
        trials, shown = _cut(options, bundle)
    bundle.check_signals(ch_names=trials.ch_names, sfreq=trials.sfreq, n_times=trials.n_times)
    bundle.check_preprocessing(trials.preprocessing)
    found = robust_sd(trials.epochs[: options.n_trials])
    check_amplitude(found, bundle.system.scaler.scale, source=path.name)
    return trials, shown


def _cut(options: "GenerateOptions", bundle: "Bundle") -> "tuple[Trials, list[str]]":
    """Filter and cut raw recordings as the training trials were."""
    from phosphene.data.formats import find_recordings
    from phosphene.data.preprocess import cut_epochs
    from phosphene.data.recording import check_distinct
    from phosphene.export.matching import Expected, fit_preprocessing, fit_recording

    names = _names_of_events(options.events, bundle.classes)
    sfreq = float(bundle.spec["sfreq"])
    preprocessing = fit_preprocessing(bundle.preprocessing(), sfreq=sfreq)
    expected = Expected(
        ch_names=bundle.ch_names,
        montage=bundle.spec.get("montage"),
        sfreq=sfreq,
        preprocessing=preprocessing,
        scale=bundle.system.scaler.scale,
    )
    paths = find_recordings([options.signals])
    if options.onsets and (len(paths) > 1 or options.events):
        raise WrongUseError(
            f"`--onsets` is about one recording without events; got {len(paths)} recordings and "
            f"{'events' if options.events else 'no events'}; name one recording, and leave "
            "--events out."
        )
    recordings, said = [], set()
    for path in paths:
        recording, notes = fit_recording(_read(path, options, bundle), expected)
        recordings.append(recording)
        for note in notes:
            if note not in said:
                print(note)
            said.add(note)
    check_distinct(recordings)
    codes = names or {code: "" for recording in recordings for code in recording.events["code"]}
    trials, rejected = cut_epochs(recordings, preprocessing, events=dict.fromkeys(codes, ANY_CLASS))
    for reason, n in rejected["reason"].value_counts().items():
        print(f"{n} rejected: {reason}")
    code_at = {
        (recording.recording, int(event.sample)): str(event.code)
        for recording in recordings
        for event in recording.events.itertuples()
    }
    sfreqs = {recording.recording: recording.sfreq for recording in recordings}
    keys = [
        (row.recording, round(row.onset * sfreqs[row.recording]))
        for row in trials.table.itertuples()
    ]
    return trials, [codes[code_at[key]] for key in keys]


def _read(path: Path, options: "GenerateOptions", bundle: "Bundle") -> "Recording":
    """Read a recording; one without events is refused unless there are onsets."""
    from phosphene.data.amplitude import scale_signal
    from phosphene.data.formats import read_recording
    from phosphene.data.formats.muse_csv import AUX
    from phosphene.data.recording import check_channels

    read = partial(
        read_recording,
        path,
        drop_channels=options.drop_channels,
        keep_aux=AUX in bundle.ch_names,
        rename_channels=read_pairs(
            options.rename_channels, option="--rename-channels", example="'EEG Fp1=Fp1'"
        ),
        channel_types=options.channel_types,
        events_from=options.events_from,
        montage=options.montage,
        stream=options.stream,
        unit=options.unit,
    )
    if options.onsets:
        recording = read(strict=False)
        check_channels(recording)
        return scale_signal(with_onsets(recording, options.onsets), options.scale_signals)
    try:
        recording = read()
    except ValueError as error:
        found = read(strict=False)
        if len(found.events) or found.bad_channels:
            raise
        check_channels(found)
        raise ValueError(
            f"{error} Or say when pictures were shown, in s: --onsets 2.5 4.0."
        ) from None
    return scale_signal(recording, options.scale_signals)


def with_onsets(recording: "Recording", onsets: Sequence[float]) -> "Recording":
    """Return the recording with events at these times in s, instead of none.

    Raises
    ------
    ValueError
        When it has events, or ends before one of the times.
    """
    import pandas as pd

    if len(recording.events):
        raise WrongUseError(
            f"`--onsets` is for recordings without events; {recording.source} has "
            f"{len(recording.events)}; leave it out, or choose some with --events."
        )
    samples = [round(onset * recording.sfreq) for onset in onsets]
    for onset, sample in zip(onsets, samples, strict=True):
        if not 0 <= sample < recording.n_samples:
            raise ValueError(
                f"onsets must lie in the recording; {recording.source} lasts "
                f"{recording.duration:.2f} s; got {onset:g}; correct --onsets."
            )
    events = pd.DataFrame({"sample": samples, "code": ["onset"] * len(samples)})
    return replace(recording, events=events.astype({"sample": "int64", "code": "str"}))


def _names_of_events(words: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    """Read words like 1=houses; the names must be classes of the bundle."""
    names = read_pairs(words, option="--events", example="1=houses 2=faces")
    for name in names.values():
        check_use("events", name, classes)
    return names
