"""The classifier of windows: the feature network that distances between sets of them rest on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from phosphene.experiment.responses.session import Session
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.experiment.watch import Watch
from phosphene.models.classifiers.lfp_cnn import LFPCNN
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.loop import fit
from phosphene.training.seeding import derive_seed, seeded, seeded_generator


@dataclass(frozen=True, eq=False)
class Classified:
    """A trained classifier and what it says of showings that did not train it."""

    network: nn.Module
    classes: np.ndarray
    """Row of the pictures for each class."""
    heldout: np.ndarray
    """Trials that it was tested on."""
    probabilities: np.ndarray
    """``(heldout, class)``."""


def divide_showings(settings: ResponseSettings, session: Session) -> tuple[np.ndarray, np.ndarray]:
    """Return the trials that train the classifier and those that test it.

    All are showings of training pictures; a share of each picture's is held out, one at least.
    """
    rows = session.rows["train"]
    picture = session.picture[rows]
    rng = np.random.default_rng(derive_seed(settings.split_seed, "classifier showings"))
    held = np.zeros(len(rows), dtype=bool)
    for each in np.unique(picture):
        mine = rng.permutation(np.flatnonzero(picture == each))
        n_held = max(1, round(settings.classifier_share * len(mine)))
        if n_held == len(mine):
            raise ValueError(
                f"a picture must be shown twice or more to train and test the classifier; "
                f"{session.stimuli[each]} was shown {len(mine)} times. Record more showings."
            )
        held[mine[:n_held]] = True
    return rows[~held], rows[held]


def train_classifier(
    settings: ResponseSettings, session: Session, *, watch: Watch, checkpoints: Path
) -> Classified:
    """Train a network to tell training pictures apart by one window each.

    The thesis asks for such a network as a standard (section 7.1). It sees no test picture, so that
    its features are as foreign to those of one system as of another; `split_seed` is all its
    randomness, so that runs are measured by the same one.
    """
    seed = derive_seed(settings.split_seed, "classifier")
    trained, heldout = divide_showings(settings, session)
    classes, labels = np.unique(session.picture[trained], return_inverse=True)
    with seeded(derive_seed(seed, "weights")):
        network = LFPCNN(len(classes), n_chans=session.n_chans, n_times=session.n_times)
    n_steps = settings.classifier_steps
    step = ClassifierStep(
        network,
        rng=seeded_generator(seed, "classifier"),
        schedule="cosine",
        n_steps=n_steps,
        label_smoothing=0.1,
        devices=watch.devices,
    )
    targets = torch.from_numpy(labels.astype(np.int64))
    fit(
        step,
        tensor_batches(
            (torch.from_numpy(session.signals[trained]), targets),
            balanced_index_batches(
                targets, batch_size=max(settings.classifier_batch, len(classes)), seed=seed
            ),
        ),
        n_steps=n_steps,
        stage="classifier of windows",
        checkpoints=checkpoints,
        resume=True,
        log=watch.record,
        log_every=max(1, n_steps // 50),
        progress=watch.progress,
    )
    network.eval()
    found = describe_windows(network, session.signals[heldout])
    return Classified(
        network=network, classes=classes, heldout=heldout, probabilities=found["probabilities"]
    )


@torch.no_grad()
def describe_windows(
    network: nn.Module, signals: np.ndarray, *, batch_size: int = 256
) -> dict[str, np.ndarray]:
    """Return ``features`` and ``probabilities`` of windows, in evaluation mode."""
    network.eval()
    parts = torch.from_numpy(np.ascontiguousarray(signals)).split(batch_size)
    features = torch.cat([network.features(part) for part in parts])  # pyright: ignore
    logits = torch.cat([network(part) for part in parts])
    return {"features": features.numpy(), "probabilities": logits.softmax(1).numpy()}
