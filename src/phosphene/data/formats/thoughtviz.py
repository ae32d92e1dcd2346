"""ThoughtViz's pickles of EEG windows, which EEG2Image uses as well: no recordings behind them.

A pickle holds `x_train, y_train, x_test, y_test`: windows `(window, 14, time, 1)` of an Emotiv EPOC
at 128 Hz, and their classes one-hot `(window, 10)`. Nothing in it says which set it is, what unit
the samples have, whom they are of, or which part of which recording a window is: windows of both
halves may come from one recording, and share samples.

References
----------
Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641
Singh et al., EEG2Image, ICASSP 2023, https://arxiv.org/abs/2302.10121
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene._checks.files import check_amount, shown
from phosphene.data.restricted_pickle import MAX_BYTES, read_pickle
from phosphene.data.splits import HALVES
from phosphene.data.trials import TRIAL_COLUMNS, Trials, content_hash, trial_id

SUFFIXES = (".pkl", ".pickle", ".p")
SETS = {
    "image": tuple(
        ["Apple", "Car", "Dog", "Gold", "Mobile", "Rose", "Scooter", "Tiger", "Wallet", "Watch"]
    ),
    "char": tuple("ACFHJMPSTY"),
    "digit": tuple("0123456789"),
}
"""Classes of each set in the order of its labels: the natural order of EEG2Image's folders."""
CH_NAMES = tuple(
    ["AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4"]
)
"""The headset's order; the pickles do not name their channels."""
SFREQ = 128.0
N_CLASSES = 10
MAX_SAMPLES = 1 << 27
"""Samples in a half; about six times what was published."""
UNIT = "a.u."
"""Arbitrary unit: neither the pickles nor the papers say what a sample is measured in."""
UNKNOWN = "unknown"
CITATION = "Tirupattur et al., ThoughtViz, ACM Multimedia 2018"


@dataclass(frozen=True, eq=False)
class Half:
    """The windows of one half, `x_train` or `x_test`."""

    windows: np.ndarray
    """``(window, chan, time)``, as in the file: dtype, and unit unknown."""
    labels: np.ndarray
    """``(window,)`` int64."""


def is_thoughtviz(path: Path) -> bool:
    """Say whether a path looks like a pickle, by its name."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read_halves(
    path: Path, *, max_bytes: int = MAX_BYTES
) -> tuple[dict[str, Half], tuple[str, ...]]:
    """Read both halves of a pickle that Python 2 or 3 wrote, its keys text or bytes.

    Parameters
    ----------
    path
        The pickle; nothing in it can run code, see `restricted_pickle`.
    max_bytes
        Largest file to read.

    Returns
    -------
    halves
        By the names of `HALVES`, ``x_train`` first.
    others
        Keys of whatever else the pickle holds; it is passed over.

    Raises
    ------
    ValueError
        When an array is missing, or shape, dtype or labels are not as published.
    """
    path = Path(path)
    found = read_pickle(path, encoding="latin1", max_bytes=max_bytes)
    if not isinstance(found, dict):
        raise ValueError(
            f"a ThoughtViz pickle is a dict with x_train, y_train, x_test and y_test; {path.name} "
            f"holds a {type(found).__name__}; name the file that EEG2Image calls data.pkl."
        )
    arrays = {_text(key): value for key, value in found.items()}
    if len(arrays) < len(found):
        raise ValueError(
            f"each array has one key; {path.name} has one as text and as bytes; leave one out."
        )
    halves = {name: _half(arrays, name, path.name) for name in HALVES}
    n_times = {name: half.windows.shape[2] for name, half in halves.items()}
    if len(set(n_times.values())) > 1:
        raise ValueError(
            f"windows of both halves have one length; in {path.name} they have "
            f"{' and '.join(f'{n} samples ({name})' for name, n in n_times.items())}; "
            "cut them alike."
        )
    used = {key for name in HALVES for key in (name, _labels_of(name))}
    return halves, tuple(key for key in arrays if key not in used)


def trials_from(halves: Mapping[str, Half], *, set_name: str) -> Trials:
    """Return all windows of a pickle as trials without recordings.

    The half stands in the column ``recording``, so that the published split can be kept. Subject
    and session are ``"unknown"``, ``start`` and ``stop`` are -1 and ``onset`` is 0, for the source
    does not say; the unit is arbitrary.

    Parameters
    ----------
    halves
        What `read_halves` returned.
    set_name
        Which of `SETS` it is; that decides what its ten labels are called.

    Raises
    ------
    ValueError
        For a set that there is not, a class without a window, and samples that are not finite.
    """
    _checks.check_option("set", set_name, SETS)
    classes = SETS[set_name]
    labels = np.concatenate([half.labels for half in halves.values()])
    missing = [name for i, name in enumerate(classes) if i not in labels]
    if missing:
        raise ValueError(
            f"every class of the set '{set_name}' has windows; there are none of "
            f"{', '.join(missing)}; get the whole file again."
        )
    epochs = np.concatenate(
        [half.windows for half in halves.values()], dtype=np.float32, casting="unsafe"
    )
    _checks.check_finite("windows", epochs)
    names = np.repeat(list(halves), [len(half.labels) for half in halves.values()])
    numbers = np.concatenate([np.arange(len(half.labels)) for half in halves.values()])
    rows = []
    for epoch, label, half, number in zip(epochs, labels, names, numbers, strict=True):
        identity = {"recording": str(half), "window": int(number), "class": classes[label]}
        rows.append((trial_id(epoch, identity), content_hash(epoch)))
    ids, contents = zip(*rows, strict=True)
    table = pd.DataFrame(
        {
            "trial": ids,
            "label": labels,
            "class_name": np.array(classes)[labels],
            "subject": UNKNOWN,
            "session": UNKNOWN,
            "recording": names,
            "block": "",
            "onset": 0.0,
            "stimulus": "",
            "start": -1,
            "stop": -1,
            "content": contents,
        }
    ).astype(TRIAL_COLUMNS)
    return Trials(
        epochs_with_margin=epochs,
        margin=0,
        sfreq=SFREQ,
        tmin=0.0,
        ch_names=CH_NAMES,
        classes=classes,
        table=table,
        preprocessing={
            "steps": [{"step": "windows as published", "source": "ThoughtViz", "set": set_name}],
            "settings": {},
        },
        unit=UNIT,
    )


def inspect_thoughtviz(path: Path) -> dict[str, Any]:
    """Describe a pickle: shapes, dtypes, classes, and windows that occur more than once.

    Returns
    -------
    dict
        ``halves`` with shape, dtype, smallest and largest value, windows per label, and how many
        repeat an earlier one of the half; ``n_in_both``, the windows of ``x_test`` that are in
        ``x_train`` as well; ``others``, keys that are passed over; ``set``, where a folder or the
        file is named after one of `SETS`, else None.
    """
    halves, others = read_halves(path)
    contents, described = {}, {}
    for name, half in halves.items():
        windows = half.windows.astype(np.float32)
        contents[name] = [content_hash(window) for window in windows]
        low, high = float(windows.min()), float(windows.max())
        described[name] = {
            "shape": list(half.windows.shape),
            "dtype": str(half.windows.dtype),
            "min": low if np.isfinite(low) else None,
            "max": high if np.isfinite(high) else None,
            "n_not_finite": int((~np.isfinite(windows)).sum()),
            "per_label": np.bincount(half.labels, minlength=N_CLASSES).tolist(),
            "n_repeated": len(windows) - len(set(contents[name])),
        }
    train = set(contents[HALVES[0]])
    return {
        "source": Path(path).name,
        "set": guess_set(path),
        "halves": described,
        "n_in_both": sum(content in train for content in contents[HALVES[1]]),
        "others": list(others),
    }


def guess_set(path: Path) -> str | None:
    """Return the set that the file or its folder is named after, as in eeg/image/data.pkl."""
    path = Path(path).resolve()
    return next((word for word in (path.stem, path.parent.name) if word in SETS), None)


def _half(arrays: Mapping[str, Any], name: str, file: str) -> Half:
    """Check one half."""
    for key in (name, _labels_of(name)):
        if not isinstance(arrays.get(key), np.ndarray):
            kind = f"a {type(arrays[key]).__name__} there" if key in arrays else "none"
            raise ValueError(
                f"a ThoughtViz pickle has the arrays x_train, y_train, x_test and y_test; {file} "
                f"has {kind} for {key} (its keys: {shown(list(arrays))}); get "
                "it again."
            )
    windows, shares = arrays[name], arrays[_labels_of(name)]
    remedy = "correct the file."
    fits = windows.ndim == 4 and windows.shape[1::2] == (len(CH_NAMES), 1) and windows.size
    if not fits:
        raise ValueError(
            f"{name} holds windows of shape (window, {len(CH_NAMES)}, time, 1); in {file} it has "
            f"{windows.shape}; {remedy}"
        )
    check_amount(f"{name} of {file}", windows.size, MAX_SAMPLES, unit="samples")
    if shares.shape != (len(windows), N_CLASSES):
        raise ValueError(
            f"{_labels_of(name)} holds a class for each window, one-hot: ({len(windows)}, "
            f"{N_CLASSES}); in {file} it has {shares.shape}; {remedy}"
        )
    for key in (name, _labels_of(name)):
        if arrays[key].dtype.kind not in "fiub":
            raise ValueError(
                f"{key} holds numbers; in {file} it has the dtype {arrays[key].dtype}; {remedy}"
            )
    odd = ~(((shares == 0) | (shares == 1)).all(axis=1) & (shares.sum(axis=1) == 1))
    if odd.any():
        raise ValueError(
            f"each row of {_labels_of(name)} is one-hot; in {file} {int(odd.sum())} are not, the "
            f"first row {int(odd.argmax())}; {remedy}"
        )
    return Half(windows[..., 0], shares.argmax(axis=1).astype(np.int64))


def _labels_of(half: str) -> str:
    return half.replace("x_", "y_")


def _text(key: Any) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else str(key)
