"""Recordings in the formats that MNE reads: EDF, BDF, GDF, BrainVision, EEGLAB, FIF and more."""

import re
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene.data.formats.companions import check_companions, hash_files
from phosphene.data.formats.declared_size import check_declared_size, check_loaded_size
from phosphene.data.formats.edf_header import SAMPLE_BYTES, UNITS, EdfHeader, read_edf_header
from phosphene.data.formats.identity import name_from_path
from phosphene.data.formats.mne_calls import one_sentence
from phosphene.data.formats.mne_events import (
    ANNOTATIONS,
    FoundEvents,
    choose_source,
    find_events,
    no_events,
)
from phosphene.data.montage import check_montage
from phosphene.data.recording import Recording, check_channels, check_dropped

if TYPE_CHECKING:
    import mne

CHANNEL_TYPES = ("eeg", "ecog", "seeg", "dbs", "eog", "ecg", "emg", "bio")
"""Types of channels that are measured in V."""
BLOCK_VALUES = 1 << 22  # 32 MiB at a time as float64
NOTE_LENGTH = 300


@dataclass(frozen=True, eq=False)
class Sidecars:
    """What files beside a recording say of it, and take precedence with."""

    open: "Callable[[Path], tuple[mne.io.BaseRaw, list[str]]]"
    """Opens the recording with all they say of channels; returns what was warned of, too."""
    events: Callable[[float, int], pd.DataFrame]
    """Events (``sample``, ``code``, maybe ``stimulus``) at a rate, of so many samples."""
    files: tuple[Path, ...]


def read_mne_raw(
    path: Path,
    *,
    subject: str | None = None,
    session: str | None = None,
    recording: str | None = None,
    drop_channels: Sequence[str] = (),
    rename_channels: Mapping[str, str] | None = None,
    channel_types: Sequence[str] = ("eeg",),
    events_from: str | None = None,
    montage: str | None = None,
    sidecars: Sidecars | None = None,
    strict: bool = True,
) -> Recording:
    """Read one recording with MNE.

    Parameters
    ----------
    path
        The recording, or its header file (.vhdr, .set); the files that a header names must lie in
        the same folder.
    subject, session
        Taken from the names of file and folders when None, see `name_from_path`.
    recording
        Identity; subject, session and file name when None.
    drop_channels
        Channels to leave out, by their names in the file.
    rename_channels
        New names of channels, after dropping.
    channel_types
        Types of the channels to read, some of `CHANNEL_TYPES`.
    events_from
        'annotations', or the name of a stimulus channel; None where the file has one source only.
        The code of an event is the annotation's text, or the channel's integer as text.
    montage
        Standard montage that must know all channels. None makes no claim about positions.
    sidecars
        What the files around a recording in a BIDS folder say; its events are the annotations then.
    strict
        Refuse NaN, constant channels, channels that the file marks as bad, several sources of
        events and files without any; False keeps them, for inspection.

    Returns
    -------
    Recording
        In V. Places where the file says that it was cut, and stretches annotated as BAD, are gaps.
        What MNE warned of stands in ``meas_note``.

    Raises
    ------
    ValueError
        For what is no whole file of its format, whatever MNE says of it, channels of unequal rates
        or unknown units, and what `strict` names.
    """
    path = Path(path)
    for kind in channel_types:
        _checks.check_option("channel-types", kind, CHANNEL_TYPES)
    files = check_companions(path)
    check_declared_size(path)
    header = read_edf_header(path) if path.suffix.lower() in SAMPLE_BYTES else None
    raw, notes = _open(path, trigger=events_from) if sidecars is None else sidecars.open(path)
    files = check_companions(path, [*files, *(Path(name) for name in raw.filenames if name)])
    check_loaded_size(int(raw.n_times), len(raw.ch_names), files, name=path.name)
    kinds = tuple(channel_types) if strict else _present_types(raw, channel_types)
    names = _chosen(raw, drop_channels, kinds, events_from, path.name)
    problems = {} if header is None else _edf_problems(header, raw.ch_names, names)
    if strict and problems:
        name, why = next(iter(problems.items()))
        raise ValueError(
            f"all channels need one rate and a unit of volts; {name} of {path.name} {why}; leave "
            f"out --drop-channels {shlex.join(problems)}, or export the file again."
        )
    names = [name for name in names if name not in problems]
    if header is not None and names:
        others = _of_other_rates(header, raw.ch_names, names)
        others = [name for name in others if name not in (events_from, *_stim_channels(raw))]
        if others and sidecars is not None:
            raise ValueError(
                f"all channels of an EDF or BDF file in a BIDS folder need one rate; {path.name} "
                f"has others in {', '.join(others)}; export it without them."
            )
        raw = _open(path, trigger=events_from, exclude=others)[0] if others else raw
    trigger = events_from if events_from in raw.ch_names else None
    found = find_events(raw, path=path, trigger=trigger)
    if sidecars is not None:
        table = sidecars.events(float(raw.info["sfreq"]), int(raw.n_times))
        own = {name: t for name, t in found.by_source.items() if name != ANNOTATIONS}
        found = replace(found, by_source={ANNOTATIONS: table, **own} if len(table) else own)
        files = [*files, *sidecars.files]
    bads = tuple(name for name in raw.info["bads"] if name in names)
    if strict and bads:
        raise ValueError(
            f"channels marked as bad are left out knowingly; {path.name} marks {', '.join(bads)}; "
            f"leave them out with --drop-channels {shlex.join(bads)}."
        )
    source = _source(raw, found, events_from, trigger=trigger, strict=strict, name=path.name)
    subject = subject or name_from_path(path, "subject")
    session = session or name_from_path(path, "session")
    result = Recording(
        signal=_load(raw, names, path),
        sfreq=float(raw.info["sfreq"]),
        ch_names=renamed(names, rename_channels or {}, source=path.name),
        recording=recording or f"{subject}_{session}_{_stem(path.name)}",
        subject=subject,
        session=session,
        events=no_events() if source is None else found.by_source[source],
        source=path.name,
        sha256=hash_files(files),
        montage=montage,
        gaps=found.gaps,
        meas_note=_note(problems, header, found, notes),
        bad_channels=(*bads, *problems),
        import_options=(
            *(("--channel-types", *kinds) if kinds != tuple(channel_types) else ()),
            *(("--events-from", source) if source and len(found.by_source) > 1 else ()),
        ),
    )
    if montage is not None:
        check_montage(montage, result.ch_names, source=path.name)
    if strict:
        check_channels(result)
    return result


def renamed(names: Sequence[str], new: Mapping[str, str], *, source: str) -> tuple[str, ...]:
    """Return channel names with some replaced; an unknown old name is refused."""
    for old in new:
        if old not in names:
            near = _checks.nearest_name(old, names)
            raise ValueError(
                f"only channels that are read can be renamed; {source} has no '{old}'; "
                + (f"did you mean '{near}'?" if near else f"it has {', '.join(names)}.")
            )
    return tuple(new.get(name, name) for name in names)


def _open(
    path: Path, *, trigger: str | None, exclude: Sequence[str] = ()
) -> "tuple[mne.io.BaseRaw, list[str]]":
    """Open a file without loading its signal; return it and what MNE warned of."""
    with one_sentence(path) as notes:
        import mne

        suffix = path.suffix.lower()
        options: dict[str, Any] = {}
        if suffix in (".edf", ".bdf"):
            options = {"infer_types": True, "exclude_after_unique": True, "exclude": list(exclude)}
        if suffix in (".edf", ".bdf", ".gdf"):
            own = [trigger] if trigger not in (None, ANNOTATIONS) else []
            options["stim_channel"] = ["status", "trigger", *own]
        raw = mne.io.read_raw(path, preload=False, verbose="error", **options)
        raw.get_channel_types()  # a damaged FIF file may hold kinds that there are not
    return raw, notes


def _stim_channels(raw: "mne.io.BaseRaw") -> list[str]:
    types = zip(raw.ch_names, raw.get_channel_types(), strict=True)
    return [name for name, kind in types if kind == "stim"]


def _present_types(raw: "mne.io.BaseRaw", wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the wanted types, or the one that most channels in V have where none is of these."""
    counts = Counter(kind for kind in raw.get_channel_types() if kind in CHANNEL_TYPES)
    if not counts or any(kind in counts for kind in wanted):
        return tuple(wanted)
    return (max(counts, key=lambda kind: counts[kind]),)


def _chosen(
    raw: "mne.io.BaseRaw",
    drop_channels: Sequence[str],
    channel_types: Sequence[str],
    events_from: str | None,
    name: str,
) -> list[str]:
    """Return the names of the channels to load, in the file's order."""
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    check_dropped(drop_channels, raw.ch_names)
    names = [
        channel
        for channel, kind in types.items()
        if kind in channel_types and channel not in drop_channels and channel != events_from
    ]
    if not names:
        held = ", ".join(f"{n} {kind}" for kind, n in Counter(types.values()).items())
        raise ValueError(
            f"a recording needs channels of the types {', '.join(channel_types)}; {name} keeps "
            f"none of its channels ({held}); choose others with --channel-types, or drop fewer."
        )
    return names


def _edf_problems(
    header: EdfHeader, ch_names: Sequence[str], names: Sequence[str]
) -> dict[str, str]:
    """Return the chosen channels that cannot be read as they are, and why.

    The rate of most channels is the recording's; of the faster ones where two are as frequent.
    """
    columns = zip(ch_names, header.samples_per_record, header.units, header.has_range, strict=True)
    chosen = [column for column in columns if column[0] in names]
    counts = Counter(n_samples for _, n_samples, _, _ in chosen)
    usual = max(counts, key=lambda n_samples: (counts[n_samples], n_samples))
    problems = {}
    for name, n_samples, unit, has_range in chosen:
        if unit not in UNITS:
            problems[name] = f"has the unit {unit!r}, which is not uV, mV or V"
        elif not has_range:
            problems[name] = "has an empty physical or digital range"
        elif n_samples != usual:
            rates = f"{n_samples / header.record_s:g} Hz, others {usual / header.record_s:g} Hz"
            problems[name] = f"has another sampling rate ({rates})"
    return problems


def _of_other_rates(header: EdfHeader, ch_names: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the channels that MNE would resample the chosen ones with."""
    n_samples = dict(zip(ch_names, header.samples_per_record, strict=True))
    return [name for name in ch_names if n_samples[name] != n_samples[names[0]]]


def _source(
    raw: "mne.io.BaseRaw",
    found: FoundEvents,
    events_from: str | None,
    *,
    trigger: str | None,
    strict: bool,
    name: str,
) -> str | None:
    """Choose the source of the events; without `strict` take the first of several."""
    stim = _stim_channels(raw)
    stim += [trigger] if trigger is not None and trigger not in stim else []
    if not strict and events_from is None:
        return next(iter(found.by_source), None)
    source = choose_source(found, events_from, stim_channels=stim, source=name)
    if strict and source is None:
        places = events_from or " or ".join([ANNOTATIONS, *stim])
        raise ValueError(
            f"trials need events; {name} has none in {places}; record with markers, name another "
            f"source with --events-from, or leave the file out."
        )
    return source


def _load(raw: "mne.io.BaseRaw", names: Sequence[str], path: Path) -> np.ndarray:
    """Load channels in blocks, so that only float32 is held whole."""
    signal = np.empty((len(names), int(raw.n_times)), dtype=np.float32)
    picks = [raw.ch_names.index(name) for name in names]
    block = max(1, BLOCK_VALUES // len(raw.ch_names))
    with one_sentence(path):
        for start in range(0, signal.shape[1], block):
            stop = min(start + block, signal.shape[1])
            signal[:, start:stop] = raw.get_data(picks=picks, start=start, stop=stop)
    return signal


def _note(
    problems: Mapping[str, str],
    header: EdfHeader | None,
    found: FoundEvents,
    notes: Sequence[str],
) -> str:
    """Join what the reader has to remark."""
    said = [f"{name} {why}" for name, why in problems.items()]
    said += [header.note] if header else []
    if found.n_bad:
        said.append(f"{found.n_bad} stretches are annotated as bad and count as gaps")
    if found.n_outside:
        said.append(f"{found.n_outside} annotations lie outside the signal and were left out")
    text = "; ".join(note for note in [*said, *notes] if note)
    return text if len(text) <= NOTE_LENGTH else f"{text[: NOTE_LENGTH - 3]}..."


def _stem(name: str) -> str:
    """Return a file name without the suffixes of formats."""
    return re.sub(r"(\.(fif|gz|[a-z]{3,4}))+$", "", name, flags=re.IGNORECASE) or name
