"""EEG-ImageNet40: EEG of six people who looked at 2,000 pictures of 40 classes, as `.pth` files.

A file is a dict that `torch.save` wrote: `dataset`, a list of dicts with `eeg` (128 channels by
about 500 samples at 1 kHz), `image`, `label` and `subject`; `labels`, the WordNet ids of the
classes; `images`, the names of the pictures; in one of the files `means` and `stddevs` as well.
Segments come without recordings: the file does not say when a segment was recorded.

Each person saw the 50 pictures of a class in a row, so the class of a segment is also the block of
time that it comes from. Whatever drifts over minutes tells the class, and no split of a person's
segments can take that apart (`DOUBT`).

References
----------
Spampinato et al., CVPR 2017, https://arxiv.org/abs/1609.00344
Li et al., TPAMI 2021, on the design, https://arxiv.org/abs/1812.07697
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from phosphene._checks.files import check_amount, shown
from phosphene.data.torch_files import MAX_BYTES, read_torch, require_lists, whole_number
from phosphene.data.trials import (
    REJECTED_COLUMNS,
    TRIAL_COLUMNS,
    Trials,
    content_hash,
    trial_id,
)

if TYPE_CHECKING:
    import torch

SUFFIX = ".pth"
SFREQ = 1000.0
N_CHANS = 128
LENGTHS = (450, 600)
"""Segments of fewer or more samples are left out, as in the released code."""
WINDOW = (20, 460)
"""First sample and the one after the last, as in the released code."""
UNIT = "a.u."
"""Arbitrary unit: the files do not say what a sample is measured in."""
UNKNOWN = "unknown"
CITATION = "Spampinato et al., CVPR 2017"
MAX_ITEMS = 100_000
MAX_SAMPLES = 1 << 30
MAX_NAME = 200
DOUBT = (
    "each person saw all pictures of a class in one block, so training and test trials of a class "
    "come from the same minutes, and drift alone tells the class; with the order of pictures "
    "randomised, decoders like these were found at chance (Li et al. 2021)"
)


@dataclass(frozen=True, eq=False)
class Item:
    """A segment, by its place in the file."""

    eeg: "torch.Tensor"
    """``(128, sample)``, any floating dtype."""
    image: int
    label: int
    subject: int


@dataclass(frozen=True, eq=False)
class Source:
    """What a file of segments holds."""

    items: tuple[Item, ...]
    classes: tuple[str, ...]
    """WordNet ids, in the order of the labels."""
    images: tuple[str, ...]
    others: tuple[str, ...]
    """Keys that are passed over, `means` and `stddevs` among them."""


def is_eeg_imagenet40(path: Path) -> bool:
    """Say whether a path looks like a file of segments, by its name."""
    return path.suffix.lower() == SUFFIX and path.is_file()


def read_source(path: Path, *, max_bytes: int = MAX_BYTES) -> Source:
    """Read a file of segments.

    Parameters
    ----------
    path
        The file. It is read by `torch.load` with `weights_only`: tensors and plain containers, no
        code.
    max_bytes
        Largest file to read.

    Raises
    ------
    ValueError
        When anything in it is not as published.
    """
    path = Path(path)
    content = read_torch(path, max_bytes=max_bytes)
    require_lists(content, ("dataset", "labels", "images"), path)
    records = content["dataset"]
    check_amount(f"`dataset` of {path.name}", len(records), MAX_ITEMS, unit="segments")
    classes, images = (_names(content[key], key, path) for key in ("labels", "images"))
    items = tuple(
        _item(record, index, (len(classes), len(images)), path)
        for index, record in enumerate(records)
    )
    if not items:
        raise ValueError(
            f"`dataset` holds at least one segment; in {path.name} it is empty; get it again."
        )
    others = tuple(str(key) for key in content if key not in ("dataset", "labels", "images"))
    return Source(items, classes, images, others)


def trials_from(
    source: Source, *, subject: int | None = None
) -> tuple[Trials, pd.DataFrame, np.ndarray]:
    """Cut the published window from the segments that the released code keeps.

    The subject stands in the column ``recording``, and ``subject`` and class together in ``block``,
    for a class was one block of a person; ``start`` and ``stop`` are -1, for the source does not
    say where a segment was.

    Parameters
    ----------
    source
        What `read_source` returned.
    subject
        Keep the segments of this person alone.

    Returns
    -------
    trials
        Windows in the order of the file.
    rejected
        Segments of another length, their place in the file as ``sample``.
    places
        ``(trial,)`` int64, the place of each trial in the file: what split files count.

    Raises
    ------
    ValueError
        For a subject who is not there, samples that are not finite, or if nothing is left.
    """
    subjects = sorted({item.subject for item in source.items})
    if subject is not None and subject not in subjects:
        raise ValueError(
            f"the subject must be in the file, {', '.join(map(str, subjects))}; got {subject}; "
            "correct it."
        )
    kept, rejected = [], []
    for place, item in enumerate(source.items):
        if subject is not None and item.subject != subject:
            continue
        n_samples = int(item.eeg.shape[1])
        if max(LENGTHS[0], WINDOW[1]) <= n_samples <= LENGTHS[1]:
            kept.append(place)
            continue
        reason = f"{'shorter' if n_samples < LENGTHS[1] else 'longer'} than a whole segment"
        row = (f"subject{item.subject}", place, source.classes[item.label], reason)
        rejected.append(row)
    if not kept:
        raise ValueError(
            f"segments have {WINDOW[1]} to {LENGTHS[1]} samples; none of the {len(rejected)} has; "
            "get the file again."
        )
    n_times = WINDOW[1] - WINDOW[0]
    check_amount("the windows", len(kept) * N_CHANS * n_times, MAX_SAMPLES, unit="samples")
    epochs = np.empty((len(kept), N_CHANS, n_times), np.float32)
    rows = []
    for epoch, place in zip(epochs, kept, strict=True):
        item = source.items[place]
        epoch[:] = item.eeg[:, slice(*WINDOW)].float().numpy()
        if not np.isfinite(epoch).all():
            raise ValueError(
                f"samples must be finite; segment {place} has others; get the file again."
            )
        name, person = source.classes[item.label], f"subject{item.subject}"
        identity = {"recording": person, "item": place, "class": name}
        rows.append(
            {
                "trial": trial_id(epoch, identity),
                "label": item.label,
                "class_name": name,
                "subject": str(item.subject),
                "session": UNKNOWN,
                "recording": person,
                "block": f"{person}_{name}",
                "onset": 0.0,
                "stimulus": source.images[item.image],
                "start": -1,
                "stop": -1,
                "content": content_hash(epoch),
            }
        )
    step = {"step": "windows as published", "source": "EEG-ImageNet40", "window": list(WINDOW)}
    trials = Trials(
        epochs_with_margin=epochs,
        margin=0,
        sfreq=SFREQ,
        tmin=WINDOW[0] / SFREQ,
        ch_names=tuple(f"ch{number:03d}" for number in range(1, N_CHANS + 1)),
        classes=source.classes,
        table=pd.DataFrame(rows).astype(TRIAL_COLUMNS),
        preprocessing={"steps": [step], "settings": {}},
        unit=UNIT,
    )
    left_out = pd.DataFrame(rejected, columns=list(REJECTED_COLUMNS)).astype(REJECTED_COLUMNS)
    return trials, left_out, np.array(kept, dtype=np.int64)


def inspect_eeg_imagenet40(path: Path) -> dict[str, Any]:
    """Describe a file: segments per subject and class, lengths, and what import leaves out."""
    source = read_source(path)
    lengths = np.array([item.eeg.shape[1] for item in source.items])
    subjects = [item.subject for item in source.items]
    names = [source.classes[item.label] for item in source.items]
    usable = (lengths >= max(LENGTHS[0], WINDOW[1])) & (lengths <= LENGTHS[1])
    return {
        "source": Path(path).name,
        "n_segments": len(source.items),
        "n_usable": int(usable.sum()),
        "samples": [int(lengths.min()), int(lengths.max())],
        "n_pictures": len(source.images),
        "per_subject": {str(s): subjects.count(s) for s in sorted(set(subjects))},
        "per_class": {name: names.count(name) for name in source.classes},
        "others": list(source.others),
    }


def _names(names: list[Any], key: str, path: Path) -> tuple[str, ...]:
    check_amount(f"`{key}` of {path.name}", len(names), MAX_ITEMS, unit="names")
    fits = all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in names)
    if not fits or len(set(names)) < len(names) or len(names) < 2:
        raise ValueError(
            f"`{key}` holds at least two different names of at most {MAX_NAME} characters; in "
            f"{path.name} it has {shown(names)}; get the file again."
        )
    return tuple(names)


def _item(record: Any, index: int, counts: tuple[int, int], path: Path) -> Item:
    """Check one segment; `counts` are the numbers of classes and of pictures."""
    import torch

    where = f"segment {index} of {path.name}"
    record = record if isinstance(record, dict) else {}
    limits = {"label": counts[0], "image": counts[1], "subject": 1_000_000}
    found: dict[str, int] = {}
    for name, limit in limits.items():
        number = whole_number(record.get(name))
        if number is None or not 0 <= number < limit:
            raise ValueError(
                f"`{name}` of a segment is a whole number from 0 to {limit - 1}; {where} has "
                f"{shown(record.get(name))}; get the file again."
            )
        found[name] = number
    eeg = record.get("eeg")
    if (
        not isinstance(eeg, torch.Tensor)
        or eeg.layout != torch.strided
        or eeg.device.type != "cpu"
        or eeg.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
        or eeg.ndim != 2
        or eeg.shape[0] != N_CHANS
    ):
        got = f"{eeg.dtype} {tuple(eeg.shape)}" if isinstance(eeg, torch.Tensor) else shown(eeg)
        raise ValueError(
            f"`eeg` of a segment is a dense tensor of numbers ({N_CHANS}, sample); {where} has "
            f"{got}; get the file again."
        )
    return Item(eeg=eeg.detach(), **found)
