"""The signals of `phosphene generate`: raw recordings or a data set, fitted to a bundle."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from phosphene._checks import files
from phosphene.cli.wrong_use import WrongUseError, check_use, read_pairs

if TYPE_CHECKING:
    import numpy as np

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
N_MEASURED = 500
"""Trials whose amplitude is measured: a data set may be larger than memory."""


def read_signals(options: "GenerateOptions", bundle: "Bundle") -> "tuple[Trials, list[str]]":
    """Return trials that fit the bundle, and what was shown in each, "" where that is unknown."""
    from phosphene.data.dataset import is_dataset, load_dataset

    path = options.signals
    if path is None or not path.exists():
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
        trials, shown = _cut(options, bundle, path)
    bundle.check_signals(ch_names=trials.ch_names, sfreq=trials.sfreq, n_times=trials.n_times)
    bundle.check_preprocessing(trials.preprocessing)
    _check_strength(trials, bundle, n_trials=options.n_trials, source=path)
    return trials, shown


def evenly_spread(n: int, most: int) -> "np.ndarray":
    """Return at most so many rows of n, evenly spread, as int64; all where there are no more."""
    import numpy as np

    return np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)


def _check_strength(
    trials: "Trials", bundle: "Bundle", *, n_trials: int | None, source: Path
) -> None:
    """Refuse trials that are measured in another unit than the training trials."""
    from phosphene.data.amplitude import check_amplitude, robust_sd
    from phosphene.data.dataset import is_dataset

    unit = bundle.spec.get("unit", trials.unit)
    if unit != trials.unit:
        raise ValueError(
            f"signals must be in the unit of the training trials, {files.shown(unit)}; {source} is "
            f"in {trials.unit}; give signals of the kind that the model was trained on."
        )
    rows = evenly_spread(len(trials), min(N_MEASURED, n_trials or N_MEASURED))
    options = {}
    if is_dataset(source):
        again = "if the recordings name the wrong unit, import them again with --scale-signals"
        options = {"unit": trials.unit, "rescale": again if trials.unit == "V" else ""}
    found = robust_sd(trials.epochs[rows])
    check_amplitude(found, bundle.system.scaler.scale, source=source.name, **options)


def _cut(options: "GenerateOptions", bundle: "Bundle", source: Path) -> "tuple[Trials, list[str]]":
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
    paths = find_recordings([source])
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
    code_at = {
        (recording.recording, sample): code
        for recording in recordings
        for sample, code in _one_event_each(recording, codes, bundle.classes).items()
    }
    trials, rejected = cut_epochs(recordings, preprocessing, events=dict.fromkeys(codes, ANY_CLASS))
    for reason, n in rejected["reason"].value_counts().items():
        print(f"{n} rejected: {reason}")
    sfreqs = {recording.recording: recording.sfreq for recording in recordings}
    keys = [
        (row.recording, round(row.onset * sfreqs[row.recording]))
        for row in trials.table.itertuples()
    ]
    return trials, [codes[code_at[key]] for key in keys]


def _one_event_each(
    recording: "Recording", codes: Collection[str], classes: Sequence[str]
) -> dict[int, str]:
    """Return the chosen code at each sample; several at one sample are refused."""
    code_at: dict[int, str] = {}
    for event in recording.events.itertuples():
        sample, code = int(event.sample), str(event.code)
        if code not in codes:
            continue
        if sample in code_at:
            at = f"at {sample / recording.sfreq:.3f} s {recording.source} has"
            if code_at[sample] == code:
                raise ValueError(
                    f"each trial needs an event of its own; {at} {code} twice; remove one of them."
                )
            example = shlex.quote(f"{code_at[sample]}={classes[0]}")
            raise ValueError(
                f"each trial needs an event of its own; {at} {code_at[sample]} and {code}; name "
                f"the codes that say what was shown with --events, as in --events {example}."
            )
        code_at[sample] = code
    return code_at


def _read(path: Path, options: "GenerateOptions", bundle: "Bundle") -> "Recording":
    """Read a recording; one without events is refused unless there are onsets."""
    from phosphene.data.amplitude import scale_signal
    from phosphene.data.formats import read_recording
    from phosphene.data.formats.muse_csv import AUX
    from phosphene.data.recording import check_channels

    renames = read_pairs(
        options.rename_channels, option="--rename-channels", example="'EEG Fp1=Fp1'"
    )
    read = partial(
        read_recording,
        path,
        drop_channels=options.drop_channels,
        keep_aux=AUX in bundle.ch_names,
        rename_channels=renames,
        channel_types=options.channel_types,
        events_from=options.events_from,
        montage=options.montage,
        stream=options.stream,
        unit=options.unit,
    )
    if options.onsets:
        recording = with_onsets(read(strict=False), options.onsets)
        _check_marks(recording, renames, bundle.ch_names)
        _check_choice(recording)
        check_channels(recording)
        return scale_signal(recording, options.scale_signals)
    try:
        recording = read()
    except ValueError as error:
        found = read(strict=False)
        _check_marks(found, renames, bundle.ch_names)
        if len(found.events) or found.bad_channels:
            raise
        check_channels(found)
        raise ValueError(
            f"{error} Or say when pictures were shown, in s: --onsets 2.5 4.0."
        ) from None
    return scale_signal(recording, options.scale_signals)


def _check_marks(recording: "Recording", renames: Mapping[str, str], needed: Sequence[str]) -> None:
    """Refuse channels that the file marks as bad, and say what helps for those of the model."""
    marked = [
        name for name in recording.bad_channels if renames.get(name, name) in recording.ch_names
    ]
    if not marked:
        return
    of_model = [name for name in marked if renames.get(name, name) in needed]
    remedy = (
        f"the model needs {', '.join(of_model)}; remove the mark from the file if the signal is "
        "good, else give another recording, or train a model without."
        if of_model
        else f"leave them out with --drop-channels {shlex.join(marked)}."
    )
    raise ValueError(
        f"channels marked as bad are not decoded; {recording.source} marks {', '.join(marked)}; "
        f"{remedy}"
    )


def _check_choice(recording: "Recording") -> None:
    """Refuse one of several signals that nobody chose."""
    if recording.import_options:
        raise ValueError(
            f"what is read must be chosen; {recording.source} holds several signals or channels "
            f"of other types; give for instance {shlex.join(recording.import_options)}."
        )


def with_onsets(recording: "Recording", onsets: Sequence[float]) -> "Recording":
    """Return the recording with events at these times in s, instead of none.

    Raises
    ------
    ValueError
        When it has events or ends before one of the times, or when two times are one sample.
    """
    import pandas as pd

    if len(recording.events):
        raise WrongUseError(
            f"`--onsets` is for recordings without events; {recording.source} has "
            f"{len(recording.events)}; leave it out, or choose some with --events."
        )
    samples = [round(onset * recording.sfreq) for onset in onsets]
    if len(set(samples)) < len(samples):
        twice = next(o for o, s in zip(onsets, samples, strict=True) if samples.count(s) > 1)
        raise WrongUseError(
            f"`--onsets` must be different times; got {twice:g} twice; leave one out."
        )
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
