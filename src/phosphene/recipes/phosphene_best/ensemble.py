"""The decoder: fit the members of an ensemble on the training trials of a fold, and join them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from phosphene.augment.signal import SignalAugmentation
from phosphene.data.scaling import ChannelScaler
from phosphene.data.trials import Trials
from phosphene.evaluation.probes import shrinkage_lda
from phosphene.evaluation.thinning import baseline_step
from phosphene.experiment.watch import Watch
from phosphene.export.networks import build_network
from phosphene.export.signal_to_picture import FeatureScaler, LinearDecoder, SignalToPicture
from phosphene.models.encoders.ensemble import EnsembleEncoder
from phosphene.models.encoders.tangent_space import TangentSpaceEncoder, filters_per_class
from phosphene.training.batches import balanced_index_batches, rows_per_class, tensor_batches
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.loop import fit
from phosphene.training.seeding import derive_seed, seeded, seeded_generator


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings:
    """Members of the ensemble, and how its networks are trained."""

    n_networks: int = 4
    """Convolutional networks that differ in start values, order of trials and augmentation."""
    network_features: int = 16
    """Features of each."""
    tangent_space: bool = True
    """Have the tangent space of covariances vote."""
    discriminant: bool = True
    """Have shrinkage LDA vote."""
    thinned: bool = True
    """Let the networks see the samples that LDA sees, and no more."""
    steps: int = 700
    """Updates of each network; few trials are passed often, as small data sets need."""
    epochs: int = 15
    """Passes over the training trials, where that is more updates."""
    batch: int = 64
    """Trials per step."""
    lr: float = 2e-3
    """Largest AdamW step; it is warmed up over a quarter of the steps and annealed to zero."""
    weight_decay: float = 1e-2
    """Decoupled weight decay."""
    mixup: float = 0.3
    """Beta parameter that mixes pairs of trials."""
    shift: float = 0.024
    """Largest random shift of training trials in time, in seconds."""
    scale: float = 0.1
    """SD of the logarithm of a factor on each training trial."""
    channel_dropout: float = 0.1
    """Probability of silencing a channel of a training trial."""
    dropout: float = 0.25
    """Dropout of the networks."""
    equal_votes: bool = True
    """Give networks together, tangent space and discriminant equal weight: bring the logits of each
    to unit SD over training trials first. Otherwise logits are averaged as they are."""


def ensemble_spec(settings: EnsembleSettings, trials: Trials) -> dict[str, Any]:
    """Return what `build_network` needs to know about the ensemble."""
    step = baseline_step(trials.preprocessing, sfreq=trials.sfreq) if settings.thinned else 1
    n_filters = filters_per_class(trials.n_chans, n_classes=trials.n_classes)
    return {
        "network": "EnsembleEncoder",
        "settings": {
            "n_chans": trials.n_chans,
            "n_times": trials.n_times,
            "n_classes": trials.n_classes,
            "n_networks": settings.n_networks,
            "network_features": settings.network_features,
            "tangent_space": settings.tangent_space,
            "xdawn_filters": n_filters,
            "discriminant": settings.discriminant,
            "step": step,
            "sfreq": float(trials.sfreq),
            "dropout": settings.dropout,
        },
    }


def n_ensemble_features(settings: EnsembleSettings, *, n_classes: int) -> int:
    """Return the length of the ensemble's feature vector, as `EnsembleEncoder` counts it."""
    n_linear = bool(settings.tangent_space) + bool(settings.discriminant)
    return settings.n_networks * settings.network_features + n_linear * n_classes


@dataclass(frozen=True, eq=False)
class Members:
    """Fitted members of an ensemble, before they are joined."""

    scaler: ChannelScaler
    encoder: EnsembleEncoder
    heads: list[tuple[Tensor, Tensor]]
    """Weight and bias of each network's classifier."""
    signals: Tensor
    """Scaled training trials, ``(trial, chan, time)``."""

    shares: list[float]
    """Weight of each member's logits in the mean; their sum is 1."""

    def join(self) -> SignalToPicture:
        """Return one encoder and one linear decoder, whose logits are the members' mean."""
        weight, bias = self.encoder.join(self.signals, self.heads, shares=self.shares)
        identity = FeatureScaler.fit(np.zeros((1, self.encoder.n_features)), standardize=False)
        decoder = LinearDecoder(weight.numpy(), bias.numpy())
        return SignalToPicture(self.scaler, self.encoder, decoder, identity, None, "normal")

    def logits(self, epochs: np.ndarray) -> dict[str, np.ndarray]:
        """Return the logits of each member by its name, of epochs in volts, float64."""
        return member_logits(self.encoder, self.heads, torch.from_numpy(self.scaler.apply(epochs)))


@torch.no_grad()
def member_logits(
    encoder: EnsembleEncoder, heads: list[tuple[Tensor, Tensor]], signals: Tensor
) -> dict[str, np.ndarray]:
    """Return the logits of each member by its name, float64, with mean zero over classes."""
    encoder.eval()
    parts = [
        torch.cat(part)
        for part in zip(*map(encoder.member_features, signals.split(512)), strict=True)
    ]
    found = {}
    for number, (name, part) in enumerate(zip(encoder.members, parts, strict=True)):
        logits = part.double()
        if number < len(heads):
            weight, bias = heads[number]
            logits = logits @ weight.double().T + bias.double()
        found[name] = (logits - logits.mean(1, keepdim=True)).numpy()
    return found


def equal_shares(logits: Mapping[str, np.ndarray]) -> list[float]:
    """Return shares under which networks together weigh as much as each other member does.

    Parameters
    ----------
    logits
        Of each member on training trials, networks called "network ...".
    """
    n_networks = sum(name.startswith("network") for name in logits)
    weights = [
        1 / max(float(values.std()), 1e-6) / (n_networks if name.startswith("network") else 1)
        for name, values in logits.items()
    ]
    return [weight / sum(weights) for weight in weights]


def train_encoder(
    settings: EnsembleSettings,
    trials: Trials,
    labels: np.ndarray,
    *,
    seed: int,
    stage: str,
    watch: Watch,
    checkpoints: Path | None = None,
) -> SignalToPicture:
    """Fit an ensemble and join it into one encoder and one linear decoder.

    Parameters
    ----------
    settings
        Members, and how they are trained.
    trials, labels, seed, stage, watch, checkpoints
        As `fit_members` takes them.
    """
    return fit_members(
        settings, trials, labels, seed=seed, stage=stage, watch=watch, checkpoints=checkpoints
    ).join()


def fit_members(
    settings: EnsembleSettings,
    trials: Trials,
    labels: np.ndarray,
    *,
    seed: int,
    stage: str,
    watch: Watch,
    checkpoints: Path | None = None,
) -> Members:
    """Fit every member alone.

    Parameters
    ----------
    settings
        Settings.
    trials
        Training trials only; scaling is fitted on them.
    labels
        Their classes, each at least once, or permuted ones for the null.
    seed
        Of start values, order and augmentation.
    stage
        Name in the log; the number of the network is added.
    watch
        Log and progress.
    checkpoints
        Folder to resume from, one more folder for each network; None keeps nothing. Members that
        no gradient trains are fitted again.
    """
    scaler = ChannelScaler.fit(trials.epochs)
    spec = ensemble_spec(settings, trials)
    with seeded(derive_seed(seed, "ensemble weights")):
        encoder = build_network(spec, kind="encoders")
    if not isinstance(encoder, EnsembleEncoder):
        raise TypeError(f"need an ensemble; {spec['network']} is none.")
    shift = min(round(settings.shift * trials.sfreq), trials.margin)
    cut = slice(trials.margin - shift, trials.margin + trials.n_times + shift)
    padded = torch.from_numpy(scaler.apply(trials.epochs_with_margin[:, :, cut]))
    heads = [
        _train_network(
            settings,
            network,
            padded,
            torch.tensor(labels),
            margin=shift,
            n_classes=trials.n_classes,
            seed=derive_seed(seed, "network", number),
            stage=f"{stage} {number}",
            watch=watch,
            checkpoints=None if checkpoints is None else checkpoints / str(number),
        )
        for number, network in enumerate(encoder.networks)
    ]
    signals = padded[:, :, shift : shift + trials.n_times].contiguous()
    if encoder.tangent_space is not None:
        _load(encoder.tangent_head, *fit_tangent_head(encoder.tangent_space, signals, labels))
    if encoder.discriminant_head is not None:
        lda = shrinkage_lda(signals.numpy(), labels, n_classes=trials.n_classes, step=encoder.step)
        _load(encoder.discriminant_head, *_one_row_per_class(lda.model))
    shares = [1 / len(encoder.members)] * len(encoder.members)
    if settings.equal_votes:
        shares = equal_shares(member_logits(encoder, heads, signals))
    return Members(scaler, encoder, heads, signals, shares)


def fit_tangent_head(
    space: TangentSpaceEncoder, signals: Tensor, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measure a tangent space; return weight and bias of logistic regression on its features.

    The penalty counts tangent vectors as they are, as is usual, not standardised ones.
    """
    space.fit(signals, torch.tensor(labels))
    model = LogisticRegression(max_iter=2000, class_weight="balanced")
    model.fit(space.tangent(signals).numpy(), labels)
    weight, bias = _one_row_per_class(model)
    return weight * space.scale.numpy(), bias + weight @ space.mean.numpy()


def _train_network(
    settings: EnsembleSettings,
    network: nn.Module,
    padded: Tensor,
    target: Tensor,
    *,
    margin: int,
    n_classes: int,
    seed: int,
    stage: str,
    watch: Watch,
    checkpoints: Path | None,
) -> tuple[Tensor, Tensor]:
    """Train a network with a softmax head; return the head's weight and bias."""
    n_rows = rows_per_class(settings.batch, n_classes=n_classes) * n_classes
    n_steps = max(settings.steps, settings.epochs * len(target) // n_rows)
    step = EncoderStep(
        network,
        n_classes=n_classes,
        rng=seeded_generator(seed, "network"),
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        schedule="cosine",
        n_steps=n_steps,
        n_warmup=n_steps // 4,
        augmentation=SignalAugmentation(
            max_shift=margin,
            mixup=settings.mixup,
            scale=settings.scale,
            channel_dropout=settings.channel_dropout,
        ),
        margin=margin,
        devices=watch.devices,
    )
    fit(
        step,
        tensor_batches(
            (padded, target), balanced_index_batches(target, batch_size=settings.batch, seed=seed)
        ),
        n_steps=n_steps,
        stage=stage,
        checkpoints=checkpoints,
        resume=True,
        log=watch.record,
        log_every=max(1, n_steps // 100),
        progress=watch.progress,
    )
    head = step.parts["head"]
    return head.weight.detach(), head.bias.detach()


def _one_row_per_class(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases of a linear model; two classes get one row each."""
    weight = np.asarray(model.coef_ if hasattr(model, "coef_") else model.coef)
    bias = np.asarray(model.intercept_ if hasattr(model, "intercept_") else model.intercept)
    if len(weight) == 1:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return weight, bias


def _load(head: nn.Linear, weight: np.ndarray, bias: np.ndarray) -> None:
    head.load_state_dict(
        {"weight": torch.tensor(weight).float(), "bias": torch.tensor(bias).float()}
    )
    head.requires_grad_(False)
