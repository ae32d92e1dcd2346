"""Batches whose content depends on the seed and the step alone, so that resuming is exact."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from phosphene._checks import check_positive
from phosphene.training.seeding import seeded_generator

Batches = Callable[[int], tuple[Tensor, ...]]
"""From the number of the step, counted from 0, to the tensors of its batch."""

IndexBatches = Callable[[int], Tensor]
"""From the number of the step, counted from 0, to the rows of its batch."""


def index_batches(n_items: int, *, batch_size: int, seed: int) -> IndexBatches:
    """Return batches of rows in which every row comes once per pass, in a new order each pass.

    A batch may straddle two passes, so that all batches are full and no row is left out.
    """
    check_positive("n_items", n_items)
    check_positive("batch_size", batch_size)
    stream = _Stream(n_items, seed)
    return lambda step: stream.rows(step * batch_size, batch_size)


def balanced_index_batches(labels: Tensor, *, batch_size: int, seed: int) -> IndexBatches:
    """Return batches of rows that hold every class equally often, rare classes repeating sooner.

    Every row of a class comes once per pass through it, in a new order each pass; a batch may
    straddle two passes. The batch size is rounded down to a multiple of the number of classes.
    """
    classes = labels.unique().tolist()
    members = [(labels == label).nonzero().squeeze(1).cpu() for label in classes]
    streams = [
        _Stream(len(rows), seed, label) for rows, label in zip(members, classes, strict=True)
    ]
    share = rows_per_class(batch_size, n_classes=len(classes))

    def batch(step: int) -> Tensor:
        parts = [
            rows[stream.rows(step * share, share)]
            for rows, stream in zip(members, streams, strict=True)
        ]
        return torch.cat(parts)

    return batch


def rows_per_class(batch_size: int, *, n_classes: int) -> int:
    """Return how many rows of each class a balanced batch holds: at least one."""
    check_positive("batch_size", batch_size)
    check_positive("n_classes", n_classes)
    return max(1, batch_size // n_classes)


def tensor_batches(tensors: Sequence[Tensor], indices: IndexBatches) -> Batches:
    """Return batches of the given tensors' rows."""
    lengths = {len(tensor) for tensor in tensors}
    if len(lengths) != 1:
        raise ValueError(
            f"all tensors must have as many rows; got {[len(tensor) for tensor in tensors]}. "
            "Select the same rows from each."
        )

    def batch(step: int) -> tuple[Tensor, ...]:
        rows = indices(step)
        return tuple(tensor[rows] for tensor in tensors)

    return batch


def same_class_batches(
    features: Tensor,
    labels: Tensor,
    *,
    pictures: Tensor,
    picture_labels: Tensor,
    indices: IndexBatches,
    seed: int,
) -> Batches:
    """Return batches of (pictures, features) in which each picture has the class of its trial.

    For data where only the class of a trial's picture is known. Each step draws anew; the authors
    of EEG2Image draw one picture per trial before training and keep it.
    """
    missing = sorted(set(labels.tolist()) - set(picture_labels.tolist()))
    if missing:
        raise ValueError(
            f"every class of the trials must have a picture; got none for the classes {missing}. "
            "Add pictures or leave those trials out."
        )
    order = picture_labels.argsort(stable=True)
    n_classes = int(picture_labels.max()) + 1
    counts = torch.bincount(picture_labels, minlength=n_classes)
    first = counts.cumsum(0) - counts

    def batch(step: int) -> tuple[Tensor, ...]:
        rows = indices(step)
        classes = labels[rows]
        draws = torch.rand(len(rows), generator=seeded_generator(seed, "picture", step))
        within = (draws * counts[classes]).long()
        return pictures[order[first[classes] + within]], features[rows]

    return batch


class _Stream:
    """Endless concatenation of permutations; keeps the last one it made."""

    def __init__(self, n_items: int, *purpose: int) -> None:
        self.n_items, self.purpose = n_items, purpose
        self._kept: tuple[int, Tensor] = (-1, torch.empty(0, dtype=torch.int64))

    def rows(self, start: int, count: int) -> Tensor:
        parts = []
        while count:
            epoch, offset = divmod(start, self.n_items)
            part = self._permutation(epoch)[offset : offset + count]
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return torch.cat(parts)

    def _permutation(self, epoch: int) -> Tensor:
        if self._kept[0] != epoch:
            rng = seeded_generator(*self.purpose, "order", epoch)
            self._kept = (epoch, torch.randperm(self.n_items, generator=rng))
        return self._kept[1]
