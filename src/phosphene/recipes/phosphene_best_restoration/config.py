"""Settings of our own system that restores pictures."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks
from phosphene.experiment.restoration.settings import RestorationSettings

Loss = Literal["mse", "rmse", "cross_entropy"]
Schedule = Literal["cosine", "constant"]

_OPTIONS = {"loss": Loss, "schedule": Schedule}
_LEAST = {
    "hidden": 0,
    "n_blocks": 0,
    "n_context": 1,
    "width": 1,
    "n_convolutions": 0,
    "clip": 0,
}


@dataclass(frozen=True, kw_only=True)
class Config(RestorationSettings):
    """Settings of the experiment and of the network; the README says what each part is worth."""

    hidden: int = 1024
    """Values between the dense layers, which see the whole picture; 0 leaves them out; ours."""
    n_blocks: int = 1
    """Residual dense layers; ours."""
    n_context: int = 8
    """Planes that the dense layers draw at half the height and width; ours."""
    width: int = 16
    """Planes of the convolutions at half resolution; twice as many at a quarter; ours."""
    n_convolutions: int = 1
    """Residual blocks of two convolutions (He et al., arXiv:1512.03385); ours."""
    skips: bool = True
    """Add the maps of the first convolution to what the dense layers draw (Ronneberger et al.,
    arXiv:1505.04597)."""
    dropout: float = 0.2
    """Share of the values dropped in each residual dense layer; ours."""
    loss: Loss = "mse"
    """Mean squared error, its root over a batch, or the cross-entropy of brightness. The first and
    the last are least at the mean of all pictures that may lie behind a corrupted one."""
    schedule: Schedule = "cosine"
    """Fall of the learning rate to zero along a cosine, or a constant rate."""
    clip: float = 1.0
    """Largest norm of a gradient, longer ones are shortened; 0 leaves them; ours."""

    def __post_init__(self) -> None:
        RestorationSettings.__post_init__(self)
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        _checks.check_share("dropout", self.dropout, below_one=True)
        if not self.hidden and not self.skips:
            raise ValueError(
                "the network must read the picture; got no dense layers and no skips. Raise "
                "--hidden or set --skips."
            )


def full() -> Config:
    """Return settings for an hour on two cores; a quarter of all pictures tests, as published."""
    return Config(iterations=60_000, warmup=500)


def quick() -> Config:
    """Return settings with the pictures and measures of `cnn_lstm_2018 quick`, in less time."""
    return replace(
        full(),
        division="official",
        iterations=8000,
        warmup=100,
        ema=0.998,
        tuning_rates=(1e-3, 3e-3, 1e-2),
        tuning_steps=300,
        timing_steps=20,
    )


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(
        quick(),
        division="share",
        batch=4,
        iterations=2,
        equal_time=(3,),
        hidden=12,
        n_context=2,
        width=4,
        tuning_rates=(1e-3, 3e-3),
        tuning_steps=1,
        n_validation=4,
        timing_steps=1,
        classifier_steps=3,
        n_scored=8,
        n_denoised=3,
    )
