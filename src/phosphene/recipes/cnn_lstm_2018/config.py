"""Settings of the CNN-LSTM paper, and shorter ones."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks
from phosphene.experiment.restoration.settings import RestorationSettings

Loss = Literal["rmse", "mse"]
Optimizer = Literal["adam", "adadelta"]
System = Literal["CNN-CNN without bottleneck", "CNN-CNN with bottleneck", "CNN-LSTM"]
SYSTEMS: tuple[System, ...] = get_args(System)

_OPTIONS = {"loss": Loss, "optimizer": Optimizer}
_LEAST = {"n_code": 1, "hidden": 1, "n_layers": 1, "l2": 0, "clip": 0}


@dataclass(frozen=True, kw_only=True)
class Config(RestorationSettings):
    """Settings of the experiment and of the paper's networks; the README tells their sources."""

    systems: tuple[System, ...] = SYSTEMS
    """Networks to train, in the order of the tables; the last one is given away as a bundle. The
    paper has one CNN-CNN and does not say whether it has the bottleneck."""
    loss: Loss = "rmse"
    """Root of the mean squared error over a batch, as equation 15 is meant, or without the root
    (section 4.2.3 calls it the mean squared loss)."""
    optimizer: Optimizer = "adam"
    """Adam, which the paper found better, or Adadelta (section 4.2.6); no rate is given."""
    n_code: int = 100
    """Length of the thought vector (table 1)."""
    hidden: int = 128
    """Values in each state of the LSTM; not in the paper. 128 is the smallest power of 2 that holds
    a thought vector of 100; 64 takes about half the time."""
    n_layers: int = 5
    """Layers of the LSTM (section 5.2)."""
    dropout: float = 0.25
    """Share of values dropped before the thought vector (section 5.3 names the share, no place)."""
    l2: float = 1e-6
    """Weight of the sum of squared weights in the loss (equation 17, lambda not given); ours."""
    clip: float = 1.0
    """Largest norm of a gradient, longer ones are shortened; 0 leaves them; ours."""

    def __post_init__(self) -> None:
        RestorationSettings.__post_init__(self)
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        _checks.check_share("dropout", self.dropout, below_one=True)
        for system in self.systems:
            _checks.check_option("systems", system, SYSTEMS)
        if len(set(self.systems)) < len(self.systems) or not self.systems:
            raise ValueError(
                f"`systems` must differ, one at least; got {', '.join(self.systems) or 'none'}. "
                "Name each once."
            )


def paper() -> Config:
    """Return the settings of the paper."""
    return Config()


def quick() -> Config:
    """Return settings for the official division of MNIST: half an hour on two cores."""
    return replace(
        paper(),
        division="official",
        iterations=4000,
        warmup=100,
        hidden=64,
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
        equal_time=(4, 3, 2),
        hidden=6,
        n_code=5,
        n_layers=2,
        warmup=1,
        tuning_rates=(1e-3, 3e-3),
        tuning_steps=1,
        n_validation=4,
        timing_steps=1,
        classifier_steps=3,
        n_scored=8,
        n_denoised=3,
    )
