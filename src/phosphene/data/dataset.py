"""The data set folder: written once and whole, verified when it is read.

It may come from somebody else: names in it stay inside, and every value is checked before use.
"""

import hashlib
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene._checks.files import inside, read_json
from phosphene._checks.structure import check_structure
from phosphene.data.dataset_fields import INFO_FIELDS, RECORDING_FIELDS
from phosphene.data.dataset_files import (
    HASHES,
    file_digest,
    flush,
    open_array,
    verify_files,
    write_json,
)
from phosphene.data.images import IMAGE_COLUMNS, ImageSet
from phosphene.data.pairing import Pairing
from phosphene.data.recording import Recording, check_distinct
from phosphene.data.tables import read_table, write_table
from phosphene.data.trials import REJECTED_COLUMNS, TRIAL_COLUMNS, TRIAL_ORIGIN, Trials

FORMAT_VERSION = 1
EVENT_DTYPES = {
    "sample": "int64",
    "code": "str",
    "stimulus": "str",
    "label": "int64",
    "block": "str",
}
INFO_DEFAULTS: dict[str, Any] = {
    "name": "",
    "origin": "imported",
    "events": {},
    "ceiling": None,
    "montage": None,
    "licence": "",
    "citation": "",
}
"""What `info` may say, and what is written where it does not."""

_AGAIN = "import it again."


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set as it lies on disk: trials, pictures, how they pair, and what was rejected."""

    info: dict[str, Any]
    trials: Trials
    images: ImageSet | None
    pairing: Pairing
    rejected: pd.DataFrame
    path: Path | None = None

    @property
    def data_hash(self) -> str:
        """Sixteen hex digits over all that a model can see or a split depends on.

        Epochs, labels, names, rate, preprocessing, and where each trial comes from; pixels, classes
        and names of the pictures, and which were shown.
        """
        return _data_hash(self.trials, self.images, self.info.get("hashes", HASHES))

    @property
    def name(self) -> str:
        """The data set's name."""
        return str(self.info["name"])


def save_dataset(
    folder: Path,
    *,
    recordings: Sequence[Recording],
    trials: Trials,
    images: ImageSet | None,
    pairing: Pairing,
    rejected: pd.DataFrame,
    info: Mapping[str, Any],
    extra: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a data set to a temporary folder beside `folder`, then rename it.

    Parameters
    ----------
    folder
        Where it goes; must not exist.
    recordings
        Continuous signals; empty where the source holds only windows.
    trials, images, pairing, rejected
        The content, see `Dataset`.
    info
        Plain JSON values under the keys of `INFO_DEFAULTS`, and any others worth keeping.
    extra
        Arrays of numbers that belong to the data and are in none of these, by name; see
        `load_extra`. They are verified with the folder; `data_hash` does not see them.

    Raises
    ------
    ValueError
        When the folder exists, a recording occurs twice, or an extra array has a name that is no
        file name or does not hold numbers. Nothing is left behind.
    """
    _check_extra(extra or {})
    folder = Path(folder)
    if folder.exists() or folder.is_symlink():
        raise ValueError(
            f"a data set is written once; {folder} exists; choose another --out or remove it."
        )
    check_distinct(recordings)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp"
    draft.mkdir()
    try:
        _write_extra(draft, extra or {})
        _write(draft, recordings, trials, images, pairing, rejected, info, folder.name)
        for path in [*draft.rglob("*"), draft]:
            flush(path)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    flush(folder.parent)


def load_dataset(folder: Path) -> Dataset:
    """Read a data set folder, epochs memory-mapped (copy on write), and verify it.

    Raises
    ------
    ValueError
        When the folder is no data set, or a file's size, checksum, shape or dtype is not what
        info.json says.
    """
    folder = Path(folder)
    info = _read_info(folder)
    verify_files(folder, info)
    table = read_table(
        inside(folder, "trials.csv"), info["columns"].get("trials"), known=TRIAL_COLUMNS
    )
    epochs = open_array(folder, info["epochs"]["file"], info)
    trials = Trials(
        epochs_with_margin=epochs,
        margin=int(info["epochs"]["margin"]),
        sfreq=float(info["epochs"]["sfreq"]),
        tmin=float(info["epochs"]["tmin"]),
        ch_names=tuple(info["epochs"]["ch_names"]),
        classes=tuple(info["classes"]),
        table=table,
        preprocessing=info["preprocessing"],
        unit=info["epochs"]["unit"],
    )
    images = None
    if info["images"] is not None:
        images = ImageSet(
            np.array(open_array(folder, info["images"]["file"], info)),
            read_table(
                inside(folder, "images/images.csv"),
                info["columns"].get("images"),
                known=IMAGE_COLUMNS,
            ),
            tuple(info["images"]["classes"]),
        )
    said = _read_json(folder, "pairing.json", {"kind": str, "reason": str})
    pairing = Pairing(said["kind"], said["reason"])
    rejected = read_table(
        inside(folder, "rejected.csv"), info["columns"].get("rejected"), known=REJECTED_COLUMNS
    )
    dataset = Dataset(info, trials, images, pairing, rejected, folder)
    if dataset.data_hash != info["data_hash"]:
        raise ValueError(
            f"a data set must have the hash that info.json names, {info['data_hash']}; {folder} "
            f"has {dataset.data_hash}; import it again."
        )
    return dataset


def load_recordings(folder: Path) -> list[Recording]:
    """Read a data set's continuous signals, memory-mapped; empty where it has only windows."""
    folder = Path(folder)
    info = _read_info(folder)
    recordings = []
    for stem in info["recordings"]:
        path = f"recordings/{stem}"
        said = _read_json(folder, f"{path}.json", RECORDING_FIELDS)
        meta = {name: said[name] for name in RECORDING_FIELDS if name != "columns"}
        meta["ch_names"], meta["gaps"] = tuple(said["ch_names"]), tuple(said["gaps"])
        signal = open_array(folder, f"{path}.npy", info)
        events = read_table(inside(folder, f"{path}.csv"), said["columns"], known=EVENT_DTYPES)
        recordings.append(Recording(signal=signal, events=events, **meta))
    return recordings


def load_extra(folder: Path, name: str) -> np.ndarray | None:
    """Read an extra array of a data set, memory-mapped; None where it has none of this name.

    Raises
    ------
    ValueError
        When the folder is no data set, or the array is not what info.json says.
    """
    folder = Path(folder)
    path = f"extra/{name}.npy"
    info = _read_info(folder)
    return open_array(folder, path, info) if path in info["files"] else None


def is_dataset(folder: Path) -> bool:
    """Say whether a path looks like a data set folder."""
    return (folder / "info.json").is_file() and (folder / "trials.csv").is_file()


def _write(
    draft: Path,
    recordings: Sequence[Recording],
    trials: Trials,
    images: ImageSet | None,
    pairing: Pairing,
    rejected: pd.DataFrame,
    info: Mapping[str, Any],
    name: str,
) -> None:
    for part in ("recordings", "epochs", "images"):
        (draft / part).mkdir()
    stems = []
    for number, recording in enumerate(recordings):
        stems.append(f"{number:04d}")
        _write_recording(draft / "recordings" / stems[-1], recording)
    epochs_file = f"epochs/{trials.preprocessing_hash}.npy"
    np.save(draft / epochs_file, trials.epochs_with_margin, allow_pickle=False)
    columns = {
        "trials": write_table(draft / "trials.csv", trials.table, TRIAL_COLUMNS),
        "rejected": write_table(draft / "rejected.csv", rejected, REJECTED_COLUMNS),
    }
    if images is not None:
        np.save(draft / "images" / "pixels.npy", images.pixels, allow_pickle=False)
        columns["images"] = write_table(
            draft / "images" / "images.csv", images.table, IMAGE_COLUMNS
        )
    else:
        (draft / "images").rmdir()
    write_json(draft / "pairing.json", asdict(pairing))
    arrays = {}
    for path in sorted(draft.rglob("*.npy")):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        arrays[path.relative_to(draft).as_posix()] = {
            "shape": list(array.shape),
            "dtype": str(array.dtype),
        }
    files = {
        path.relative_to(draft).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": file_digest(path, HASHES),
        }
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    own = {
        "format_version": FORMAT_VERSION,
        "classes": list(trials.classes),
        "epochs": {
            "file": epochs_file,
            "margin": trials.margin,
            "sfreq": trials.sfreq,
            "tmin": trials.tmin,
            "ch_names": list(trials.ch_names),
            "unit": trials.unit,
        },
        "images": None
        if images is None
        else {"file": "images/pixels.npy", "classes": list(images.classes)},
        "preprocessing": trials.preprocessing,
        "recordings": stems,
        "columns": columns,
        "arrays": arrays,
        "files": files,
        "hashes": HASHES,
        "data_hash": _data_hash(trials, images, HASHES),
    }
    given = {key: value for key, value in info.items() if key not in own}
    write_json(draft / "info.json", {**INFO_DEFAULTS, "name": name, **given, **own})


def _check_extra(extra: Mapping[str, np.ndarray]) -> None:
    for name, array in extra.items():
        if not re.fullmatch(r"[a-z0-9_]+", name):
            raise ValueError(
                f"an extra array is named in small letters, digits and _; got {name!r}; rename it."
            )
        if array.dtype.kind not in "biuf":
            raise ValueError(
                f"an extra array holds numbers; '{name}' holds {array.dtype}; keep names in info."
            )


def _write_extra(draft: Path, extra: Mapping[str, np.ndarray]) -> None:
    for name, array in extra.items():
        (draft / "extra").mkdir(exist_ok=True)
        np.save(draft / "extra" / f"{name}.npy", array, allow_pickle=False)


def _write_recording(stem: Path, recording: Recording) -> None:
    np.save(stem.with_suffix(".npy"), recording.signal, allow_pickle=False)
    columns = write_table(stem.with_suffix(".csv"), recording.events, EVENT_DTYPES)
    meta = {
        "sfreq": recording.sfreq,
        "ch_names": list(recording.ch_names),
        "recording": recording.recording,
        "subject": recording.subject,
        "session": recording.session,
        "source": recording.source,
        "sha256": recording.sha256,
        "montage": recording.montage,
        "gaps": list(recording.gaps),
        "sfreq_measured": recording.sfreq_measured,
        "meas_note": recording.meas_note,
    }
    write_json(stem.with_suffix(".json"), {**meta, "columns": columns})


def _read_info(folder: Path) -> dict[str, Any]:
    path = folder / "info.json"
    if not path.is_file():
        raise ValueError(
            f"a data set is a folder with info.json; {folder} is none; make one with "
            "`phosphene data import` or `phosphene data simulate`."
        )
    info = _read_json(folder, "info.json", {"format_version": int})
    if info["format_version"] != FORMAT_VERSION:
        raise ValueError(
            f"this version reads data sets of format {FORMAT_VERSION}; {folder} has format "
            f"{info['format_version']}; {_AGAIN}"
        )
    info.setdefault("hashes", 1)
    check_structure(info, INFO_FIELDS, where=str(path), remedy=_AGAIN)
    if info["hashes"] not in (1, HASHES):
        raise ValueError(
            f"this version makes checksums in the ways 1 to {HASHES}; {folder} has way "
            f"{info['hashes']}; {_AGAIN}"
        )
    _checks.check_positive(f"sfreq of {path}", info["epochs"]["sfreq"])
    return info


def _read_json(folder: Path, name: str, expected: Mapping[str, Any]) -> dict[str, Any]:
    path = inside(folder, name)
    value = read_json(path, remedy=_AGAIN)
    check_structure(value, expected, where=str(path), remedy=_AGAIN)
    return value


def _data_hash(trials: Trials, images: ImageSet | None, version: int) -> str:
    text = trials.data_hash(TRIAL_ORIGIN if version > 1 else ())
    if images is not None:
        text += "".join(images.table["sha256"] + images.table["class_name"])
        text += images.data_hash() if version > 1 else ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
