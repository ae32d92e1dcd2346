"""First stage of an experiment: train an encoder in a fold, read classes from its features."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from phosphene.augment.signal import SignalAugmentation
from phosphene.data.scaling import SCALERS, ChannelScaler
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import class_mean_features, noise_like_recordings
from phosphene.evaluation.probes import Probe, linear_probe, shrinkage_lda
from phosphene.evaluation.riemann import riemann_available, tangent_space
from phosphene.evaluation.thinning import baseline_step
from phosphene.experiment.watch import Watch
from phosphene.export.networks import build_network
from phosphene.export.signal_to_picture import (
    ClassPull,
    FeatureScaler,
    LinearDecoder,
    SignalToPicture,
)
from phosphene.models.encoders.thoughtviz_cnn import fold_head
from phosphene.training.batches import (
    balanced_index_batches,
    index_batches,
    rows_per_class,
    tensor_batches,
)
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.loop import fit
from phosphene.training.seeding import derive_seed, seeded, seeded_generator


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """How an encoder is trained."""

    spec: Callable[[Trials], dict[str, Any]]
    """From trials to what `build_network` needs to build it."""
    objective: str = "softmax"
    """"softmax", "triplet" or "both"."""
    epochs: int
    """Passes over the training trials."""
    batch: int
    """Trials per step."""
    lr: float
    """Step of the optimiser."""
    optimizer: str = "adam"
    """"adam", or "sgd": gradient descent."""
    eps: float = 1e-7
    """Adam's term under the fraction."""
    momentum: float = 0.0
    """Share of the last step of gradient descent that is kept."""
    nesterov: bool = False
    """Whether that share is taken ahead of the gradient."""
    weight_decay: float = 0.0
    """Decay of weight matrices, decoupled under Adam."""
    one_cycle: bool = False
    """Warm the step up and anneal it to zero."""
    lr_decay: float = 0.0
    """Divide the step by 1 + `lr_decay` * updates, as Keras' optimisers do; 0 is off."""
    head: Callable[..., nn.Module] | None = None
    """`head(n_features, n_classes=)` from features to logits, batch norms and then a linear map,
    such as `thoughtviz_head`; None makes a linear map. Triplets alone train none."""
    balanced: bool = True
    """Every class equally often in a batch; else trials are shuffled."""
    scaling: str = "channel"
    """What signals are divided by, a key of `SCALERS`. A window's largest value counts what a
    `shift` may bring into it."""
    margin: float = 1.0
    """Margin of the triplet loss."""
    squared_distance: bool = False
    """Squared distances in the triplet loss."""
    mixup: float = 0.0
    """Beta parameter that mixes pairs of trials under the softmax objective; 0 is off."""
    shift: float = 0.0
    """Largest random shift of training trials in time, in seconds; 0 is off."""


def check_triplets(
    objectives: Mapping[str, tuple[str, str]], *, batch: int, n_classes: int
) -> None:
    """Refuse, before anything is trained, batches in which no two trials share a class.

    The triplet loss of such a batch is zero: nothing would be learned, and nothing would say so.

    Parameters
    ----------
    objectives
        From the name of a setting to its value and to the words that make it softmax or leave it
        out.
    batch
        Trials per step.
    n_classes
        Number of classes.
    """
    if rows_per_class(batch, n_classes=n_classes) > 1:
        return
    found = {name: way for name, (value, way) in objectives.items() if value != "softmax"}
    if found:
        raise ValueError(
            f"a batch must hold 2 trials of each class for the triplets of {' and '.join(found)}; "
            f"got --encoder-batch {batch} for {n_classes} classes. Give "
            f"--encoder-batch {2 * n_classes} or more, or {' and '.join(found.values())}."
        )


def train_encoder(
    settings: EncoderSettings,
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
    settings
        How to train.
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

    Raises
    ------
    ValueError
        For a head that is more than a linear map once it is trained, and for settings that
        `EncoderStep` or `make_schedule` refuse.
    """
    scaler = SCALERS[settings.scaling].fit(np.asarray(trials.epochs))
    shift = min(round(settings.shift * trials.sfreq), trials.margin)
    cut = slice(trials.margin - shift, trials.margin + trials.n_times + shift)
    signals = torch.from_numpy(scaler.apply(np.asarray(trials.epochs_with_margin[:, :, cut])))
    with seeded(derive_seed(seed, "encoder weights")):
        encoder = build_network(settings.spec(trials))
    head = _make_head(settings, encoder, n_classes=trials.n_classes, seed=seed)
    n_rows = settings.batch
    if settings.balanced:  # whole rows per class make a batch smaller
        n_present = len(np.unique(labels))
        n_rows = rows_per_class(settings.batch, n_classes=n_present) * n_present
    n_steps = max(1, settings.epochs * len(trials) // n_rows)
    step = EncoderStep(
        encoder,
        n_classes=trials.n_classes,
        rng=seeded_generator(seed, "encoder"),
        objective=settings.objective,
        head=head,
        optimizer=settings.optimizer,
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        eps=settings.eps,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        schedule=_schedule(settings),
        lr_decay=settings.lr_decay,
        n_steps=n_steps,
        n_warmup=n_steps // 4 if settings.one_cycle else 0,
        margin_loss=settings.margin,
        squared=settings.squared_distance,
        augmentation=SignalAugmentation(
            max_shift=shift, mixup=settings.mixup if settings.objective == "softmax" else 0.0
        ),
        margin=shift,
        devices=watch.devices,
    )
    target = torch.tensor(labels)
    if settings.balanced:
        indices = balanced_index_batches(target, batch_size=settings.batch, seed=seed)
    else:
        indices = index_batches(len(target), batch_size=settings.batch, seed=seed)
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
        ChannelScaler.fit(np.asarray(trials.epochs)),
        encoder,
        LinearDecoder(np.zeros((trials.n_classes, 1)), np.zeros(trials.n_classes)),
        FeatureScaler(np.zeros(1, np.float32), np.ones(1, np.float32)),
        None,
        "normal",
        scaling=settings.scaling,
    )
    if step.head is not None:
        head = fold_head(step.head)
        decoder = LinearDecoder(head.weight.detach().numpy(), head.bias.detach().numpy())
    else:
        decoder = probe_decoder(system.features(trials.epochs), labels)
    return replace(system, decoder=decoder)


def _make_head(
    settings: EncoderSettings, encoder: nn.Module, *, n_classes: int, seed: int
) -> nn.Module | None:
    """Build the settings' own head, having refused one that no linear decoder can stand for."""
    if settings.head is None:
        return None
    n_features = int(encoder.n_features)  # pyright: ignore[reportArgumentType]
    with seeded(derive_seed(seed, "head weights")):
        head = settings.head(n_features, n_classes=n_classes)
    fold_head(head)
    return head


def _schedule(settings: EncoderSettings) -> str:
    if settings.one_cycle:
        return "cosine"
    return "inverse_time" if settings.lr_decay else "constant"


def fit_condition(
    system: SignalToPicture, trials: Trials, *, standardize: bool, pull: float
) -> SignalToPicture:
    """Fit, on training trials, what lies between features and generator.

    Parameters
    ----------
    system
        A trained encoder and decoder.
    trials
        Its training trials.
    standardize
        Whether features are brought to mean 0 and SD 1 of the training trials.
    pull
        Share of the way that they are moved to the mean of the decoded class, see `ClassPull`.
    """
    features = system.features(trials.epochs)
    scaler = FeatureScaler.fit(features, standardize=standardize)
    if not pull:
        return replace(system, feature_scaler=scaler, pull=None)
    scaled = scaler.apply(features)
    centres = class_mean_features(scaled, trials.labels, n_classes=trials.n_classes)
    return replace(system, feature_scaler=scaler, pull=ClassPull(centres, pull))


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
    system: SignalToPicture, train: Trials, test: Trials, *, seed: int
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


def decode_classically(
    train: Trials, labels: np.ndarray, test: Trials, *, riemann: bool
) -> dict[str, np.ndarray]:
    """Return class probabilities of held-out trials by the classical decoders of evoked responses.

    Parameters
    ----------
    train, test
        Trials of a fold.
    labels
        Classes of the training trials, or permuted ones for the null.
    riemann
        Whether to decode in the tangent space too, where pyriemann is installed.
    """
    found = {"lda_probabilities": decode_linearly(train, labels, test)}
    if riemann and riemann_available():
        step = baseline_step(train.preprocessing, sfreq=train.sfreq)
        epochs = np.asarray(train.epochs)
        probe = tangent_space(epochs, labels, n_classes=train.n_classes, step=step)
        found["riemann_probabilities"] = probe.predict_proba(np.asarray(test.epochs))
    return found
