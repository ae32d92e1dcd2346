"""Light augmentation of epochs, for training on few trials."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SignalAugmentation:
    """How strongly to vary epochs. All off by default; each trial gets its own draws."""

    max_shift: int = 0
    """Largest shift in time, in samples; the epochs need as much margin on both sides."""
    scale: float = 0.0
    """Standard deviation of the logarithm of a factor on the whole trial."""
    channel_dropout: float = 0.0
    """Probability of setting a channel to zero."""
    noise: float = 0.0
    """Standard deviation of white noise, in units of the (scaled) signal."""
    mixup: float = 0.0
    """Parameter of the Beta law of mixing weights (arXiv:1710.09412); applied by the train step."""


def crop_margin(
    signals: Float[Tensor, "batch chan padded"],
    *,
    margin: int,
    max_shift: int = 0,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch chan time"]:
    """Cut the margin off, each trial shifted in time by up to `max_shift` samples."""
    if max_shift > margin:
        raise ValueError(
            f"`max_shift` must be at most the margin of {margin} samples; got {max_shift}. "
            "Pass epochs with more margin, or shift less."
        )
    n_times = signals.shape[2] - 2 * margin
    if max_shift == 0:
        return signals[:, :, margin : margin + n_times]
    starts = torch.randint(2 * max_shift + 1, (len(signals), 1), generator=generator)
    starts = (starts + margin - max_shift).to(signals.device)
    rows = starts + torch.arange(n_times, device=signals.device)  # (batch, time)
    return signals.gather(2, rows[:, None, :].expand(-1, signals.shape[1], -1))


def augment_signals(
    signals: Float[Tensor, "batch chan time"],
    augmentation: SignalAugmentation,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch chan time"]:
    """Scale trials, drop channels and add noise."""
    n_trials, n_chans, _ = signals.shape
    if augmentation.scale:
        factor = torch.randn(n_trials, 1, 1, generator=generator).mul(augmentation.scale).exp()
        signals = signals * factor.to(signals)
    if augmentation.channel_dropout:
        keep = torch.rand(n_trials, n_chans, 1, generator=generator) >= augmentation.channel_dropout
        signals = signals * keep.to(signals)
    if augmentation.noise:
        white = torch.randn(signals.shape, generator=generator).to(signals)
        signals = signals + augmentation.noise * white
    return signals
