"""Training of signal encoders: softmax, triplet, or both."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.distributions import Beta

from phosphene._checks import check_option, check_positive, check_share
from phosphene.augment.signal import SignalAugmentation, augment_signals, crop_margin
from phosphene.losses.triplet import semi_hard_triplet_loss
from phosphene.training.devices import ALONE, Devices
from phosphene.training.schedule import make_schedule
from phosphene.training.seeding import draw_seed, seeded

OBJECTIVES = ("softmax", "triplet", "both")
OPTIMIZERS = ("adam", "sgd")


class EncoderStep:
    """Update an encoder, and a classifier on its features, on a batch of trials.

    Batches are (signals, labels). The triplet loss sees features divided by their length, the
    classifier and everything after training see them as they are.

    Parameters
    ----------
    encoder
        Network from signals to features, with an attribute `n_features`.
    n_classes
        Classes of the softmax head.
    rng
        Source of all draws, dropout included.
    objective
        "softmax" (cross-entropy of the head), "triplet" (semi-hard, no head), or "both" (the sum).
    head
        Network from features to logits of the classes, trained along; None makes a linear map.
    optimizer
        "adam", or "sgd": gradient descent.
    lr
        Step of the optimiser (default: Adam's in the released EEG2Image code).
    weight_decay
        Decay of weight matrices, decoupled under Adam; biases and norms are spared.
    eps
        Adam's term under the fraction; Keras has 1e-7, torch 1e-8.
    momentum, nesterov
        Share of the last step of gradient descent that is kept, and whether it is taken ahead of
        the gradient. Unlike Keras' it holds gradients, not steps: a change of `lr` acts on all of
        it at once, at a constant `lr` both are the same.
    schedule, n_steps, n_warmup, lr_decay
        Course of the learning rate, see `make_schedule`; its `decay` is called `lr_decay` here.
    label_smoothing
        Share of the target spread over all classes.
    margin_loss
        Margin of the triplet loss.
    squared
        Squared distances in the triplet loss, as the paper writes.
    augmentation
        Variation of the signals; off by default.
    margin
        Samples on each side of the signals in the batch that are no part of the epoch; cropped.
    max_norm
        Longest gradient; longer ones are shortened. None leaves them.
    devices
        Processes that train together.
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        n_classes: int,
        rng: torch.Generator,
        objective: str = "softmax",
        head: nn.Module | None = None,
        optimizer: str = "adam",
        lr: float = 3e-4,
        weight_decay: float = 0.0,
        eps: float = 1e-7,
        momentum: float = 0.0,
        nesterov: bool = False,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        lr_decay: float = 0.0,
        label_smoothing: float = 0.0,
        margin_loss: float = 1.0,
        squared: bool = False,
        augmentation: SignalAugmentation | None = None,
        margin: int = 0,
        max_norm: float | None = None,
        devices: Devices = ALONE,
    ) -> None:
        check_option("objective", objective, OBJECTIVES)
        check_option("optimizer", optimizer, OPTIMIZERS)
        check_positive("lr", lr)
        check_share("momentum", momentum, below_one=True)
        if (momentum and optimizer == "adam") or (nesterov and not momentum):
            raise ValueError(
                f"momentum must go with gradient descent, and `nesterov` with a momentum; got the "
                f"optimizer {optimizer!r}, momentum={momentum:g}, nesterov={nesterov}. Set "
                "optimizer='sgd' and a momentum as 0.9, or neither."
            )
        if head is not None and objective == "triplet":
            raise ValueError(
                "a head must have a softmax objective to be trained by; got the objective "
                "'triplet'. Leave `head` out, or train with 'softmax' or 'both'."
            )
        self.augmentation = augmentation or SignalAugmentation()
        if self.augmentation.mixup and objective != "softmax":
            raise ValueError(
                f"mixup must go with the softmax objective, which takes mixed labels; got "
                f"{objective!r}. Set mixup to 0 or train with softmax."
            )
        self.device = next(encoder.parameters()).device
        self.encoder, self.objective, self.rng = encoder, objective, rng
        self.devices = devices
        self.head = None if head is None else head.to(self.device)
        if head is None and objective != "triplet":
            with seeded(draw_seed(rng)):
                self.head = nn.Linear(encoder.n_features, n_classes).to(self.device)  # pyright: ignore[reportArgumentType]
        self.n_classes, self.label_smoothing = n_classes, label_smoothing
        self.margin_loss, self.squared = margin_loss, squared
        self.margin, self.max_norm = margin, max_norm
        trained = [encoder] if self.head is None else [encoder, self.head]
        self.weights = [p for net in trained for p in net.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in self.weights if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in self.weights if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer: torch.optim.Optimizer
        if optimizer == "adam":
            self.optimizer = torch.optim.AdamW(groups, lr=lr, eps=eps, fused=True)
        else:
            self.optimizer = torch.optim.SGD(
                groups, lr=lr, momentum=momentum, nesterov=nesterov, fused=True
            )
        self.schedule = make_schedule(
            self.optimizer, kind=schedule, n_steps=n_steps, n_warmup=n_warmup, decay=lr_decay
        )
        self.parts: dict[str, Any] = {
            "encoder": encoder,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "rng": rng,
        }
        if self.head is not None:
            self.parts["head"] = self.head

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update on (signals, labels)."""
        signals, labels = (tensor.to(self.device) for tensor in batch)
        augmentation = self.augmentation
        signals = crop_margin(
            signals, margin=self.margin, max_shift=augmentation.max_shift, generator=self.rng
        )
        signals = augment_signals(signals, augmentation, generator=self.rng)
        targets = F.one_hot(labels, self.n_classes).to(signals.dtype)
        if augmentation.mixup:
            signals, targets = self._mix(signals, targets)
        signals, labels, targets = map(self.devices.rows, (signals, labels, targets))
        self.encoder.train()
        if self.head is not None:
            self.head.train()
        with seeded(draw_seed(self.rng), device=self.device):
            features = self.encoder(signals)
        values = self._losses(features, labels, targets)
        self.optimizer.zero_grad(set_to_none=True)
        values["loss"].backward()
        self.devices.average_gradients(self.weights)
        if self.max_norm is not None:
            nn.utils.clip_grad_norm_(self.weights, self.max_norm)
        self.optimizer.step()
        self.schedule.step()
        return {name: value.detach() for name, value in values.items()}

    @torch.no_grad()
    def features(
        self, signals: Float[Tensor, "trial chan time"], *, batch_size: int = 512
    ) -> Float[Tensor, "trial feature"]:
        """Encode epochs without margin, in evaluation mode."""
        self.encoder.eval()
        parts = [self.encoder(part.to(self.device)) for part in signals.split(batch_size)]
        return torch.cat(parts).cpu()

    @torch.no_grad()
    def probabilities(
        self, features: Float[Tensor, "trial feature"]
    ) -> Float[Tensor, "trial classes"]:
        """Return class probabilities of the softmax head for encoded trials."""
        if self.head is None:
            raise ValueError(
                "class probabilities must come from a softmax head; the objective 'triplet' trains "
                "none. Fit a linear probe on the features."
            )
        return self.head.eval()(features.to(self.device)).softmax(1).cpu()

    def _losses(
        self, features: Tensor, labels: Int[Tensor, " batch"], targets: Tensor
    ) -> dict[str, Tensor]:
        values: dict[str, Tensor] = {}
        if self.head is not None:
            logits = self.head(features)
            values["cross_entropy"] = F.cross_entropy(
                logits, targets, label_smoothing=self.label_smoothing
            )
            values["accuracy"] = (logits.argmax(1) == labels).float().mean()
        if self.objective != "softmax":
            values["triplet"] = semi_hard_triplet_loss(
                self.devices.gather(F.normalize(features)),
                self.devices.gather(labels),
                margin=self.margin_loss,
                squared=self.squared,
            )
        losses = [values[name] for name in ("cross_entropy", "triplet") if name in values]
        return {"loss": torch.stack(losses).sum(), **values}

    def _mix(self, signals: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Blend each trial with another one, labels likewise."""
        law = Beta(self.augmentation.mixup, self.augmentation.mixup)
        with seeded(draw_seed(self.rng)):  # torch.distributions take no generator
            share = law.sample((len(signals),)).to(signals)
        share = torch.maximum(share, 1 - share)  # the trial itself stays the larger part
        other = torch.randperm(len(signals), generator=self.rng).to(signals.device)
        return (
            share[:, None, None] * signals + (1 - share[:, None, None]) * signals[other],
            share[:, None] * targets + (1 - share[:, None]) * targets[other],
        )
