"""Which files are recordings, and which reader reads each."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phosphene._checks.files import check_name

if TYPE_CHECKING:
    from phosphene.data.recording import Recording

MUSE_SUFFIXES = (".csv",)
XDF_SUFFIXES = (".xdf",)
MNE_SUFFIXES = (".edf", ".bdf", ".gdf", ".vhdr", ".ahdr", ".set", ".fif", ".fif.gz", ".cnt")
"""Formats that are found in a folder. MNE reads more; a file of those is named itself."""
FOLDER_SUFFIXES = (".mff",)
RECORDING_SUFFIXES = (*MUSE_SUFFIXES, *XDF_SUFFIXES, *MNE_SUFFIXES, *FOLDER_SUFFIXES)
BIDS_FILE = "dataset_description.json"
NAMED_ONLY = (".eeg", ".nedf", ".lay", ".cdt", ".dap", ".dat", ".rs3", ".data", ".mefd", ".nxe")
"""Formats of MNE whose suffixes others use as well."""
NOT_CONTINUOUS = re.compile(
    r".*[-_](epo|eve|ave|cov|trans|proj|ica|fwd|inv|src|sol|bem)\.fif(\.gz)?", re.IGNORECASE
)
WHAT_THEY_ARE = "muse-lsl CSV, EDF, BDF, GDF, BrainVision (.vhdr), EEGLAB (.set), FIF, CNT, XDF"

_DEFAULTS: dict[str, Any] = {
    "stimulus_column": None,
    "rename_channels": None,
    "channel_types": ("eeg",),
    "events_from": None,
    "montage": None,
    "stream": None,
    "unit": None,
}
_TAKES = {
    "muse-lsl CSV": ("stimulus_column",),
    "XDF": ("rename_channels", "channel_types", "events_from", "montage", "stream", "unit"),
    "MNE": ("rename_channels", "channel_types", "events_from", "montage"),
    "BIDS": ("stimulus_column", "rename_channels", "channel_types", "events_from", "montage"),
}


def read_recording(
    path: Path,
    *,
    subject: str | None = None,
    session: str | None = None,
    recording: str | None = None,
    drop_channels: Sequence[str] = (),
    keep_aux: bool = False,
    stimulus_column: str | None = None,
    rename_channels: Mapping[str, str] | None = None,
    channel_types: Sequence[str] = ("eeg",),
    events_from: str | None = None,
    montage: str | None = None,
    stream: str | None = None,
    unit: str | None = None,
    strict: bool = True,
) -> "Recording":
    """Read one recording, choosing the reader by the file's suffix and, for BIDS, its folder.

    Parameters
    ----------
    path
        A file in one of the formats of `RECORDING_SUFFIXES`, or in another that MNE reads.
    subject, session, recording
        Identity, where folder and file names do not tell it.
    drop_channels
        Channels to leave out.
    keep_aux
        Keep the auxiliary input of a Muse; other formats have no such channel to leave out.
    stimulus_column
        Column that names the picture shown.
    rename_channels
        New names of channels.
    channel_types
        Types of channels to read, as MNE names them.
    events_from
        Where events stand: 'annotations', a stimulus channel, or a marker stream of an XDF file.
    montage
        Standard montage that must know the channels.
    stream
        The stream of an XDF file that is the signal.
    unit
        Unit of the channels of an XDF file that names none.
    strict
        Refuse NaN, constant channels and files without events; False is for inspection.

    Raises
    ------
    ValueError
        For a file of an unknown format, an option that its format does not have, and what the
        reader refuses.
    """
    path = Path(path)
    suffix = _suffix(path)
    is_folder = path.is_dir() and suffix in FOLDER_SUFFIXES
    if not path.is_file() and not is_folder:
        raise ValueError(f"a recording is a file; there is none at {path}; correct the path.")
    if suffix not in (*RECORDING_SUFFIXES, *NAMED_ONLY):
        raise ValueError(
            f"recordings are read from {', '.join(RECORDING_SUFFIXES)} files ({WHAT_THEY_ARE}); "
            f"got {path.name}; convert it."
        )
    if NOT_CONTINUOUS.fullmatch(path.name):
        raise ValueError(
            f"a recording is continuous; by its name {path.name} is not; name the raw file."
        )
    check_name(Path(path.name))
    kind = _kind(path)
    given = {
        "stimulus_column": stimulus_column,
        "rename_channels": rename_channels or None,
        "channel_types": tuple(channel_types),
        "events_from": events_from,
        "montage": montage,
        "stream": stream,
        "unit": unit,
    }
    for name, value in given.items():
        if name not in _TAKES[kind] and value != _DEFAULTS[name]:
            fit = [other for other, names in _TAKES.items() if name in names]
            raise ValueError(
                f"`--{name.replace('_', '-')}` is for recordings in the formats of "
                f"{', '.join(fit)}; {path.name} is {kind}; leave it out."
            )
    options = {name: given[name] for name in _TAKES[kind]}
    identity = {"subject": subject, "session": session, "recording": recording}
    shared = {**identity, "drop_channels": drop_channels, "strict": strict}
    if kind == "muse-lsl CSV":
        from phosphene.data.formats.muse_csv import read_muse_csv

        return read_muse_csv(path, **shared, keep_aux=keep_aux, **options)
    if kind == "XDF":
        from phosphene.data.formats.xdf import read_xdf

        return read_xdf(path, **shared, **options)
    if kind == "BIDS":
        from phosphene.data.formats.bids import read_bids

        return read_bids(path, **shared, **options)
    from phosphene.data.formats.mne_raw import read_mne_raw

    return read_mne_raw(path, **shared, **options)


def read_recordings(
    paths: Sequence[Path], *, drop_channels: Sequence[str] = (), **options: Any
) -> "list[Recording]":
    """Read several recordings as `read_recording` does.

    A channel to leave out need not be in all of them: where only some files have it, leaving it
    out makes all alike.

    Raises
    ------
    ValueError
        When no file has a channel that is to be left out, and for what `read_recording` refuses.
    """
    from phosphene.data.recording import UnknownChannelError

    recordings, refusals = [], []
    for path in paths:
        try:
            recordings.append(read_recording(path, drop_channels=drop_channels, **options))
        except UnknownChannelError as error:
            names = [name for name in drop_channels if name not in error.names]
            if len(paths) == 1:
                raise
            refusals.append(error)
            recordings.append(read_recording(path, drop_channels=names, **options))
    for name in drop_channels:
        if len(refusals) == len(paths) and all(name in error.names for error in refusals):
            raise min(refusals, key=lambda error: error.names.index(name))
    return recordings


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """Return the recording files among files and, searched recursively, folders; sorted.

    Of a FIF file in parts the first is returned; it names the others. Files of MNE that are not
    continuous (``-epo.fif`` and others) are passed over. Of a BIDS folder the ``sub-...`` folders
    are searched.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir() and path.suffix.lower() not in FOLDER_SUFFIXES:
            inside = [p for p in sorted(path.rglob("*")) if _is_found(p, path)]
            if not inside:
                raise ValueError(
                    f"a folder of recordings must hold {', '.join(RECORDING_SUFFIXES)} files; "
                    f"{path} holds none; correct the path."
                )
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise ValueError(
                f"recordings are files or folders; there is nothing at {path}; correct the path."
            )
    return list(found)


def has_recordings(path: Path) -> bool:
    """Say whether a path is a recording or a folder that holds some."""
    if path.is_dir() and path.suffix.lower() not in FOLDER_SUFFIXES:
        return any(_is_found(file, path) for file in path.rglob("*"))
    return _suffix(path) in (*RECORDING_SUFFIXES, *NAMED_ONLY)


def _kind(path: Path) -> str:
    suffix = _suffix(path)
    if suffix in MUSE_SUFFIXES:
        return "muse-lsl CSV"
    if suffix in XDF_SUFFIXES:
        return "XDF"
    parents = path.absolute().parents[:4]
    is_bids = path.name.startswith("sub-") and any((p / BIDS_FILE).is_file() for p in parents)
    return "BIDS" if is_bids else "MNE"


def _is_found(path: Path, root: Path) -> bool:
    suffix = _suffix(path)
    parts = path.relative_to(root).parts
    if suffix not in RECORDING_SUFFIXES or any(part.startswith(".") for part in parts):
        return False
    if (root / BIDS_FILE).is_file() and not parts[0].startswith("sub-"):
        return False  # derivatives, sourcedata, stimuli, ...
    if (suffix in FOLDER_SUFFIXES) != path.is_dir() or NOT_CONTINUOUS.fullmatch(path.name):
        return False
    if any(Path(part).suffix.lower() in FOLDER_SUFFIXES for part in parts[:-1]):
        return False
    part = re.fullmatch(r"(.+)-\d+(\.fif(?:\.gz)?)", path.name, re.IGNORECASE)
    if part and path.with_name(part.group(1) + part.group(2)).is_file():
        return False
    split = re.fullmatch(r"(.+_split-)(\d+)(_.+\.fif(?:\.gz)?)", path.name, re.IGNORECASE)
    if split is None or int(split.group(2)) < 2:
        return True
    first = f"{split.group(1)}{1:0{len(split.group(2))}}{split.group(3)}"
    return not path.with_name(first).is_file()


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return ".fif.gz" if name.endswith(".fif.gz") else path.suffix.lower()
