"""Batches of windows and of showings, which follow from the seed and the step alone."""

import numpy as np
import torch

from phosphene.data.windows import Windows, zscore_windows
from phosphene.experiment.responses.session import Session
from phosphene.training.batches import Batches, index_batches, tensor_batches
from phosphene.training.seeding import derive_seed
from phosphene.training.wgan_step import paired_batches


def window_batches(windows: Windows, *, batch_size: int, seed: int) -> Batches:
    """Return batches (windows,) drawn from a whole recording and z-scored.

    Draws are with replacement: at 12 million windows a pass without differs in nothing.
    """

    def batch(step: int) -> tuple[torch.Tensor, ...]:
        rng = np.random.default_rng(derive_seed(seed, "windows", step))
        return (torch.from_numpy(zscore_windows(windows.draw(rng, batch_size))[0]),)

    return batch


def picture_batches(pictures: torch.Tensor, *, batch_size: int, seed: int) -> Batches:
    """Return batches (pictures,) in which each comes once per pass."""
    rows = index_batches(len(pictures), batch_size=batch_size, seed=seed)
    return lambda step: (pictures[rows(step)],)


def showing_batches(
    session: Session, *, batch_size: int, seed: int, with_pictures: bool
) -> Batches:
    """Return batches of training showings: (windows,), or (windows, pictures, index).

    Pictures stand once each, with the row of its picture for each window.
    """
    rows = session.rows["train"]
    signals = torch.from_numpy(session.signals[rows])
    order = index_batches(len(rows), batch_size=batch_size, seed=seed)
    if not with_pictures:
        return tensor_batches((signals,), order)
    shown = torch.from_numpy(session.picture[rows])
    return paired_batches(signals, pictures=session.pictures, rows=shown, indices=order)
