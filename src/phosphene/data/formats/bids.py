"""Recordings in a BIDS folder: channels, bad channels and events from the files around them."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene._checks.installation import pip_install
from phosphene.data.formats.companions import check_companions
from phosphene.data.formats.mne_calls import one_sentence
from phosphene.data.formats.mne_events import no_events
from phosphene.data.formats.mne_raw import Sidecars, read_mne_raw
from phosphene.data.recording import Recording

if TYPE_CHECKING:
    import mne

CODE_COLUMNS = ("trial_type", "value")
STIMULUS_COLUMN = "stim_file"
ABSENT = ("n/a", "", "nan", "NaN")
MAX_TSV_BYTES = 64 << 20


def read_bids(
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
    stimulus_column: str | None = None,
    strict: bool = True,
) -> Recording:
    """Read one recording of a BIDS folder through mne-bids.

    Types of channels and bad channels are those of channels.tsv. Events are those of events.tsv:
    their code is ``trial_type``, or ``value`` where that column is absent; rows of which it is n/a
    are passed over.

    Parameters
    ----------
    path
        A file called ``sub-..._eeg.edf`` (or in another format of BIDS) below the folder that holds
        dataset_description.json.
    subject, session
        ``sub-...`` and ``ses-...`` of its folders when None.
    recording
        Its file name without ``_eeg`` when None, with session, task and run.
    drop_channels, rename_channels, channel_types, montage, strict
        As in `read_mne_raw`.
    events_from
        As in `read_mne_raw`; 'annotations' are the rows of events.tsv.
    stimulus_column
        Column of events.tsv that names the picture shown; ``stim_file`` if there is one when None.
        File names stand for paths unless two pictures share one.

    Raises
    ------
    ValueError
        When mne-bids is not installed, for an events.tsv that is no table with ``onset`` and codes,
        and what `read_mne_raw` refuses.

    References
    ----------
    https://bids-specification.readthedocs.io
    """
    path = Path(path)
    root = bids_root(path)
    if root is None:
        raise ValueError(
            f"a recording in a BIDS folder is called sub-... below dataset_description.json; "
            f"{path.name} is none; move it, or read it as a file of its own."
        )
    stem = path.name.rpartition("_")[0]
    table_path = path.with_name(f"{stem}_events.tsv")
    files = [table_path, path.with_name(f"{stem}_channels.tsv")]
    files = [file for file in files if file.is_file()]
    check_companions(path, files)
    table = _read_events(table_path, stimulus_column) if table_path.is_file() else None

    def events(sfreq: float, n_samples: int) -> pd.DataFrame:
        if table is None:
            return no_events()
        sample = np.rint(table["onset"].to_numpy() * sfreq)
        inside = (sample >= 0) & (sample < n_samples)
        found = table.loc[inside].drop(columns="onset").reset_index(drop=True)
        found.insert(0, "sample", sample[inside].astype(np.int64))
        return found.sort_values("sample", ignore_index=True, kind="stable")

    return read_mne_raw(
        path,
        subject=subject,
        session=session,
        recording=recording or stem,
        drop_channels=drop_channels,
        rename_channels=rename_channels,
        channel_types=channel_types,
        events_from=events_from,
        montage=montage,
        sidecars=Sidecars(open=_open, events=events, files=tuple(files)),
        strict=strict,
    )


def bids_root(path: Path) -> Path | None:
    """Return the BIDS folder that a recording belongs to, None if it belongs to none."""
    if not path.name.startswith("sub-"):
        return None
    parents = path.absolute().parents[:4]
    return next((p for p in parents if (p / "dataset_description.json").is_file()), None)


def _open(path: Path) -> "tuple[mne.io.BaseRaw, list[str]]":
    try:
        import mne_bids
    except ImportError:
        raise ValueError(
            f"BIDS folders are read by mne-bids, which is not installed; {path.name} lies in one; "
            f"install it with {pip_install('mne-bids')}."
        ) from None
    with one_sentence(path, by="mne-bids") as notes:
        import mne

        with mne.use_log_level("error"):
            bids_path = mne_bids.get_bids_path_from_fname(path.absolute(), verbose="error")
            raw = mne_bids.read_raw_bids(bids_path, verbose="error")
    return raw, notes


def _read_events(path: Path, stimulus_column: str | None) -> pd.DataFrame:
    """Read events.tsv: ``onset`` in s, ``code``, and ``stimulus`` if it names any."""
    content = path.read_bytes() if path.stat().st_size <= MAX_TSV_BYTES else b""
    try:
        text = content.decode("utf-8-sig")
        table = pd.read_csv(io.StringIO(text), sep="\t", dtype="str", keep_default_na=False)
        onset = pd.to_numeric(table["onset"]).to_numpy(dtype=np.float64)
        if not np.isfinite(onset).all():
            raise ValueError("an onset that is no number")
    except (ValueError, KeyError) as error:  # UnicodeDecodeError and ParserError are ValueErrors
        raise ValueError(
            f"events.tsv is a table in UTF-8 with a number in each row's onset; {path.name} is not "
            f"({str(error).splitlines()[0][:100]}); correct it."
        ) from None
    column = next((name for name in CODE_COLUMNS if name in table), None)
    if column is None:
        raise ValueError(
            f"events need a code; {path.name} has no column {' or '.join(CODE_COLUMNS)} (it has "
            f"{', '.join(table.columns)[:100]}); add one."
        )
    if stimulus_column is not None:
        _checks.check_option("stimulus-column", stimulus_column, table.columns)
    pictures = stimulus_column or (STIMULUS_COLUMN if STIMULUS_COLUMN in table else None)
    events = pd.DataFrame({"onset": onset, "code": table[column]}).astype({"code": "str"})
    if pictures is not None:
        events["stimulus"] = _picture_names(table[pictures])
    is_event = ~table[column].isin(ABSENT) & ~table[column].str.casefold().str.startswith("bad")
    return events[is_event]


def _picture_names(paths: pd.Series) -> pd.Series:
    """Return file names of pictures, or their paths where two pictures share a name."""
    named = [path for path in paths.unique() if path not in ABSENT]
    names = {path: PurePosixPath(path).name for path in named}
    if len(set(names.values())) < len(names):
        names = {path: path for path in named}
    return paths.map(lambda path: names.get(path, "")).astype("str")
