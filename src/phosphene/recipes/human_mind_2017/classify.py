"""Train a classifier in one fold and read classes of held-out trials."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from phosphene.data.scaling import ChannelScaler
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import noise_like_recordings
from phosphene.evaluation.probes import shrinkage_lda
from phosphene.evaluation.thinning import baseline_step
from phosphene.models.encoders.eeg_channel_net import EEGChannelNet
from phosphene.models.encoders.human_mind_lstm import HumanMindLSTM
from phosphene.recipes.human_mind_2017.config import Config
from phosphene.training.batches import balanced_index_batches, index_batches, tensor_batches
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.loop import fit
from phosphene.training.progress import Progress
from phosphene.training.seeding import derive_seed, seeded, seeded_generator
from phosphene.training.validation import ValidatedStep

EVALUATION_BATCH = 64
"""Trials encoded at once: EEGChannelNet's maps of 128 x 440 samples are large."""


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A scaler and the networks of a step, trained in one fold."""

    scaler: ChannelScaler
    step: EncoderStep
    chosen_step: int
    """Step whose weights validation trials chose; 0 where the last step's are kept."""

    def features(self, epochs: np.ndarray) -> np.ndarray:
        """Encode epochs in the unit of the data set."""
        signals = torch.from_numpy(self.scaler.apply(epochs))
        return self.step.features(signals, batch_size=EVALUATION_BATCH).numpy()

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return class probabilities of encoded epochs, in float64."""
        found = self.step.probabilities(torch.from_numpy(features)).numpy().astype(np.float64)
        return found / found.sum(axis=1, keepdims=True)


def build_encoder(config: Config, trials: Trials) -> nn.Module:
    """Build the network for trials of this size, with torch's global draws."""
    if config.encoder == "lstm":
        return HumanMindLSTM(trials.n_chans, n_features=config.n_features or 128)
    return EEGChannelNet(
        trials.n_chans,
        trials.n_times,
        n_features=config.n_features or 1000,
        dropout=config.dropout,
    )


def train_classifier(
    config: Config,
    training: Trials,
    labels: np.ndarray,
    *,
    validation: Trials | None,
    validation_labels: np.ndarray | None,
    seed: int,
    stage: str,
    log: Callable[[Mapping[str, Any]], None],
    progress: Progress,
    checkpoints: Path | None = None,
) -> Classifier:
    """Train on the trials of one fold.

    Parameters
    ----------
    config
        Settings.
    training
        Training trials only; scaling is fitted on them.
    labels
        Their classes, or permuted ones for the null.
    validation, validation_labels
        Trials that choose the epoch, and their classes; None keeps the last step.
    seed
        Of start values, order and dropout.
    stage
        Name in the log.
    log, progress
        Told how training goes.
    checkpoints
        Folder to resume from; None keeps nothing.
    """
    scaler = ChannelScaler.fit(training.epochs)
    signals = torch.from_numpy(scaler.apply(training.epochs))
    with seeded(derive_seed(seed, "encoder weights")):
        encoder = build_encoder(config, training)
    per_epoch = max(1, len(training) // config.batch)
    n_steps = config.epochs * per_epoch
    step = EncoderStep(
        encoder,
        n_classes=training.n_classes,
        rng=seeded_generator(seed, "encoder"),
        lr=config.lr,
        weight_decay=config.weight_decay,
        eps=1e-8,
        schedule="cosine" if config.one_cycle else "constant",
        n_steps=n_steps,
        n_warmup=n_steps // 4 if config.one_cycle else 0,
    )
    trained: EncoderStep | ValidatedStep = step
    if validation is not None and validation_labels is not None:
        held = torch.from_numpy(scaler.apply(validation.epochs))
        target = torch.tensor(validation_labels)

        def accuracy() -> float:
            features = step.features(held, batch_size=EVALUATION_BATCH)
            return float((step.probabilities(features).argmax(1) == target).float().mean())

        trained = ValidatedStep(
            step, networks=("encoder", "head"), measure=accuracy, every=per_epoch
        )
    goal = torch.tensor(labels)
    if config.balanced:
        indices = balanced_index_batches(goal, batch_size=config.batch, seed=seed)
    else:
        indices = index_batches(len(goal), batch_size=config.batch, seed=seed)
    fit(
        trained,
        tensor_batches((signals, goal), indices),
        n_steps=n_steps,
        stage=stage,
        checkpoints=checkpoints,
        resume=True,
        log=log,
        log_every=per_epoch,
        progress=progress,
    )
    chosen = trained.load_best() if isinstance(trained, ValidatedStep) else 0
    return Classifier(scaler=scaler, step=step, chosen_step=chosen)


def decode(
    classifier: Classifier, train: Trials, test: Trials, *, seed: int
) -> dict[str, np.ndarray]:
    """Decode held-out trials, and noise in place of them."""
    features = classifier.features(test.epochs)
    noise = noise_like_recordings(
        test.epochs,
        test.table["recording"],
        others=train.epochs,
        seed_of=lambda name: derive_seed(seed, "noise input", name) % 2**32,
    )
    return {
        "features": features,
        "probabilities": classifier.probabilities(features),
        "noise_probabilities": classifier.probabilities(classifier.features(noise)),
        "chosen_step": np.full(len(test), classifier.chosen_step),
    }


def decode_linearly(train: Trials, labels: np.ndarray, test: Trials) -> np.ndarray:
    """Return class probabilities of held-out trials by shrinkage LDA on the epochs."""
    epochs = np.asarray(train.epochs)
    step = baseline_step(train.preprocessing, sfreq=train.sfreq)
    lda = shrinkage_lda(epochs, labels, n_classes=train.n_classes, step=step)
    return lda.predict_proba(np.asarray(test.epochs))
