"""First stage: train an encoder in one fold, and read classes from its features."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from phosphene.augment.signal import SignalAugmentation
from phosphene.data.scaling import ChannelScaler
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import class_mean_features, noise_like_recordings
from phosphene.evaluation.probes import Probe, linear_probe, shrinkage_lda
from phosphene.evaluation.thinning import baseline_step
from phosphene.export.networks import build_network
from phosphene.export.signal_to_picture import (
    ClassPull,
    FeatureScaler,
    LinearDecoder,
    SignalToPicture,
)
from phosphene.recipes.eeg2image_2023.config import Config
from phosphene.training.batches import balanced_index_batches, rows_per_class, tensor_batches
from phosphene.training.devices import ALONE, Devices
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.loop import fit
from phosphene.training.progress import Progress
from phosphene.training.seeding import derive_seed, seeded, seeded_generator


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Where a training writes its records, whom it tells how far it is, and who takes part."""

    log: Callable[[Mapping[str, Any]], None]
    progress: Progress
    fold: str
    devices: Devices = ALONE

    def record(self, values: Mapping[str, Any]) -> None:
        """Append a record of the fold."""
        self.log({**values, "fold": self.fold})


def published_encoder(config: Config) -> Config:
    """Return the settings under which the published encoder is decoded beside another one.

    Network, loss and length of the feature are the published ones; optimiser, batch and number of
    epochs are this run's, because the published 3000 epochs do not fit in minutes.
    """
    return replace(
        config,
        encoder=config.compare_encoder or "lstm_two_layer",
        objective=config.compare_objective,
        n_features=128,
        encoder_epochs=config.compare_epochs,
        encoder_weight_decay=0.0,
        signal_mixup=0.0,
        signal_shift=0.0,
        squared_distance=False,
    )


def check_triplets(config: Config, *, n_classes: int) -> None:
    """Refuse, before anything is trained, batches in which no two trials share a class.

    The triplet loss of such a batch is zero: nothing would be learned, and nothing would say so.
    """
    if rows_per_class(config.encoder_batch, n_classes=n_classes) > 1:
        return
    ways = {
        "`objective`": (config.objective, "--objective softmax"),
        "`compare_objective`": (
            config.compare_objective if config.compare_encoder else "softmax",
            "--compare-encoder None to leave the comparison out",
        ),
    }
    found = {name: way for name, (objective, way) in ways.items() if objective != "softmax"}
    if found:
        raise ValueError(
            f"a batch must hold 2 trials of each class for the triplets of {' and '.join(found)}; "
            f"got --encoder-batch {config.encoder_batch} for {n_classes} classes. Give "
            f"--encoder-batch {2 * n_classes} or more, or {' and '.join(found.values())}."
        )


def encoder_spec(config: Config, trials: Trials) -> dict[str, Any]:
    """Return what `build_network` needs to know about the encoder."""
    if config.encoder == "compact_cnn":
        return {
            "network": "CompactCNN",
            "settings": {
                "n_chans": trials.n_chans,
                "n_times": trials.n_times,
                "n_features": config.n_features,
                "sfreq": float(trials.sfreq),
                "depth": 4,
                "n_maps": 32,
                "dropout": config.dropout,
            },
        }
    hidden = [32] if config.encoder == "lstm_two_layer" else []
    return {
        "network": "LSTMEncoder",
        "settings": {
            "n_chans": trials.n_chans,
            "n_features": config.n_features,
            "hidden": hidden,
        },
    }


def train_encoder(
    config: Config,
    trials: Trials,
    labels: np.ndarray,
    *,
    seed: int,
    stage: str,
    watch: Watch,
    checkpoints: Path | None = None,
) -> SignalToPicture:
    """Train an encoder and a linear decoder on the trials of one fold.

    Parameters
    ----------
    config
        Settings.
    trials
        Training trials only; scaling is fitted on them.
    labels
        Their classes, or permuted ones for the null.
    seed
        Of start values, order and augmentation.
    stage
        Name in the log.
    watch
        Log and progress.
    checkpoints
        Folder to resume from; None keeps nothing.

    Returns
    -------
    SignalToPicture
        Without a generator. Its decoder is the softmax head, or a probe after triplets.
    """
    scaler = ChannelScaler.fit(trials.epochs)
    shift = min(round(config.signal_shift * trials.sfreq), trials.margin)
    cut = slice(trials.margin - shift, trials.margin + trials.n_times + shift)
    signals = torch.from_numpy(scaler.apply(trials.epochs_with_margin[:, :, cut]))
    with seeded(derive_seed(seed, "encoder weights")):
        encoder = build_network(encoder_spec(config, trials))
    share = rows_per_class(config.encoder_batch, n_classes=len(np.unique(labels)))
    n_rows = share * len(np.unique(labels))  # of a batch, which whole rows per class make smaller
    n_steps = max(1, config.encoder_epochs * len(trials) // n_rows)
    step = EncoderStep(
        encoder,
        n_classes=trials.n_classes,
        rng=seeded_generator(seed, "encoder"),
        objective=config.objective,
        lr=config.encoder_lr,
        weight_decay=config.encoder_weight_decay,
        schedule="cosine" if config.encoder_one_cycle else "constant",
        n_steps=n_steps,
        n_warmup=n_steps // 4 if config.encoder_one_cycle else 0,
        margin_loss=config.margin,
        squared=config.squared_distance,
        augmentation=SignalAugmentation(
            max_shift=shift, mixup=config.signal_mixup if config.objective == "softmax" else 0.0
        ),
        margin=shift,
        devices=watch.devices,
    )
    target = torch.tensor(labels)
    indices = balanced_index_batches(target, batch_size=config.encoder_batch, seed=seed)
    fit(
        step,
        tensor_batches((signals, target), indices),
        n_steps=n_steps,
        stage=stage,
        checkpoints=checkpoints,
        resume=True,
        log=watch.record,
        log_every=max(1, n_steps // 100),
        progress=watch.progress,
    )
    system = SignalToPicture(
        scaler,
        encoder,
        LinearDecoder(np.zeros((trials.n_classes, 1)), np.zeros(trials.n_classes)),
        FeatureScaler(np.zeros(1, np.float32), np.ones(1, np.float32)),
        None,
        config.noise,
    )
    features = system.features(trials.epochs)
    if step.head is not None:
        decoder = LinearDecoder(*(p.detach().numpy() for p in _parameters(step.head)))
    else:
        decoder = probe_decoder(features, labels)
    standard = FeatureScaler.fit(features, standardize=config.standardize_features)
    pull = None
    if config.class_pull:
        centres = class_mean_features(standard.apply(features), labels, n_classes=trials.n_classes)
        pull = ClassPull(centres, config.class_pull)
    return replace(system, decoder=decoder, feature_scaler=standard, pull=pull)


def probe_decoder(features: np.ndarray, labels: np.ndarray) -> LinearDecoder:
    """Fit a linear probe of training features, and fold it into a decoder."""
    n_classes = int(labels.max()) + 1  # each class is among the training trials of a fold
    return decoder_from_probe(linear_probe(features, labels, n_classes=n_classes))


def decoder_from_probe(probe: Probe) -> LinearDecoder:
    """Fold a probe's standardisation into its weights; two classes get one row each."""
    scale, regression = probe.model[0], probe.model[-1]
    weight = regression.coef_ / scale.scale_
    bias = regression.intercept_ - weight @ scale.mean_
    if len(weight) == 1:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return LinearDecoder(weight, bias)


def decode(
    config: Config, system: SignalToPicture, train: Trials, test: Trials, *, seed: int
) -> dict[str, np.ndarray]:
    """Decode held-out trials, with a probe beside the decoder and noise in place of signals."""
    features = system.features(test.epochs)
    noise_features = system.features(_noise_epochs(test, train, seed=seed))
    training_features = system.features(train.epochs)
    probe = linear_probe(training_features, train.labels, n_classes=train.n_classes)
    return {
        "features": features,
        "probabilities": system.decoder.probabilities(features),
        "probe_probabilities": probe.predict_proba(features),
        "noise_features": noise_features,
        "noise_probabilities": system.decoder.probabilities(noise_features),
    }


def _noise_epochs(test: Trials, train: Trials, *, seed: int) -> np.ndarray:
    return noise_like_recordings(
        test.epochs,
        test.table["recording"],
        others=train.epochs,
        seed_of=lambda name: derive_seed(seed, "noise input", name) % 2**32,
    )


def decode_linearly(train: Trials, labels: np.ndarray, test: Trials) -> np.ndarray:
    """Return class probabilities of held-out trials by shrinkage LDA on the epochs."""
    epochs = np.asarray(train.epochs)
    step = baseline_step(train.preprocessing, sfreq=train.sfreq)
    lda = shrinkage_lda(epochs, labels, n_classes=train.n_classes, step=step)
    return lda.predict_proba(np.asarray(test.epochs))


def _parameters(head: nn.Linear) -> tuple[torch.Tensor, torch.Tensor]:
    return head.weight, head.bias
