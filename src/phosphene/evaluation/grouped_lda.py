"""Shrinkage LDA that may know each recording by heart: the decoder that a leaking split rewards."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from phosphene.evaluation.probes import Probe, shrinkage_lda
from phosphene.evaluation.units import check_labels, group_numbers

MIN_TRIALS = 5
"""Trials that a recording must have of a class to get a mean of its own."""


@dataclass(frozen=True, kw_only=True)
class GroupedLDA:
    """A fitted discriminant with several means per class."""

    probe: Probe
    class_of: Int[np.ndarray, " mean"]
    """Class of each mean."""

    def predict_proba(
        self, epochs: Float[np.ndarray, "trial chan time"]
    ) -> Float[np.ndarray, "trial class"]:
        """Return class probabilities: those of the means of a class, averaged, then normalised."""
        found = self.probe.predict_proba(epochs)
        members = np.eye(self.class_of.max() + 1)[self.class_of]
        odds = found @ (members / members.sum(axis=0))
        return odds / odds.sum(axis=1, keepdims=True)


def grouped_lda(
    epochs: Float[np.ndarray, "trial chan time"],
    labels: Int[np.ndarray, " trial"],
    groups: Iterable[Hashable],
    *,
    n_classes: int,
    step: int = 1,
) -> GroupedLDA:
    """Fit shrinkage LDA with a mean for each class in each recording.

    Where recordings are on both sides of a split, it decodes a trial by the state of the recording
    at the time (drift, gain, hum), as networks do that are large enough; where they are kept apart,
    it is a discriminant like others. `shrinkage_lda` has one mean per class and cannot follow a
    class whose mean is another one in each recording, so it shows less of what a split leaks.

    Parameters
    ----------
    epochs
        Training epochs of one fold.
    labels
        Their classes, each at least once.
    groups
        Recording of each training trial. Recordings with fewer than 5 trials of a class share one
        mean of it.
    n_classes, step
        As for `shrinkage_lda`.
    """
    check_labels(labels, n_classes)
    group = group_numbers("groups", groups, len(labels))
    pairs, number, counts = np.unique(
        group * n_classes + labels, return_inverse=True, return_counts=True
    )
    of_class = pairs % n_classes
    small = counts < MIN_TRIALS
    # the means that are left in their order, then one per class for what is shared
    place = np.where(small, len(pairs) + of_class, np.arange(len(pairs)))
    kept, mean = np.unique(place[number], return_inverse=True)
    class_of = np.where(kept < len(pairs), of_class[kept % len(pairs)], kept - len(pairs))
    probe = shrinkage_lda(epochs, mean.astype(np.int64), n_classes=len(kept), step=step)
    return GroupedLDA(probe=probe, class_of=class_of.astype(np.int64))
