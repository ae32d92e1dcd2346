"""Settings of our own system from pictures to LFP."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks
from phosphene.experiment.responses.settings import ResponseSettings

Features = Literal["gabor", "pixels", "none"]

_LEAST = {
    "ridge_folds": 2,
    "n_patterns": 1,
    "n_components": 1,
    "n_flow": 1,
    "width": 1,
    "n_blocks": 1,
    "n_ode_steps": 1,
    "weight_decay": 0,
    "condition_jitter": 0,
}


@dataclass(frozen=True, kw_only=True)
class Config(ResponseSettings):
    """Settings of the experiment and of the generator; the README says what each part is worth."""

    picture_size: tuple[int, int] = (54, 69)
    """Rows and columns of the pictures that the generator sees; pictures are shrunk by a whole
    factor (LFPGAN thesis, section 7.1)."""
    features: Features = "gabor"
    """What it sees of a picture: energies of oriented filters in the receptive field (Adelson and
    Bergen, 1985; St-Yves and Naselaris, 2018), the brightness of a grid of places, or nothing."""
    ridge_folds: int = 8
    """Parts of the training pictures that are left out in turn to choose receptive field and
    penalty; ours."""
    predicted_mean: bool = True
    """Add the response that ridge regression predicts; else the flow alone must bring it."""
    n_patterns: int = 16
    """Patterns of the predicted response, whose strengths are all that the flow knows; ours."""
    n_components: int = 192
    """Principal components of what showings deviate by; ours."""
    remainder: bool = True
    """Add Gaussian noise with the cross-spectra of what the components leave over."""
    equal_noise: bool = True
    """Model windows in the size at which their high frequencies are equally strong, not z-scored:
    windows are z-scored at the end, which makes of Gaussian laws what the data have; ours."""
    flow: bool = True
    """Train the flow; else components are drawn from the normal law that it begins with."""
    n_flow: int = 48
    """Components, from the largest on, that the flow draws; the others are normal; ours."""
    width: int = 128
    """Values between layers of the flow; ours."""
    n_blocks: int = 2
    """Residual blocks of the flow; ours."""
    dropout: float = 0.1
    """Of the blocks; ours."""
    n_ode_steps: int = 16
    """Steps of Heun's method per draw; ours."""
    lr: float = 1e-3
    """Largest AdamW step of the flow, warmed up and annealed along a cosine; ours."""
    weight_decay: float = 0.0
    """Decoupled weight decay; ours."""
    condition_jitter: float = 0.3
    """Deviation of the noise added to the patterns' strengths in training, which have deviation 1;
    ours."""
    ema: float = 0.998
    """Decay of the averaged flow that draws (arXiv:1806.04498); 0 takes the last weights."""

    def __post_init__(self) -> None:
        ResponseSettings.__post_init__(self)
        _checks.check_option("features", self.features, get_args(Features))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        _checks.check_positive("lr", self.lr)
        for name in ("dropout", "ema"):
            _checks.check_share(name, getattr(self, name), below_one=True)
        if self.n_flow > self.n_components:
            raise ValueError(
                f"the flow draws components; got {self.n_flow} of {self.n_components}. Lower "
                "--n-flow or raise --n-components."
            )


def full() -> Config:
    """Return settings with as many updates as the thesis: minutes on one core."""
    return Config(generator_steps=14_688, generator_batch=64)


def quick() -> Config:
    """Return settings with the updates and the classifier of `lfpgan_2020 quick`."""
    return replace(full(), generator_steps=1000, classifier_steps=1500)


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(
        quick(),
        ridge_folds=2,
        n_patterns=3,
        n_components=8,
        n_flow=4,
        width=8,
        n_ode_steps=2,
        generator_steps=3,
        generator_batch=8,
        classifier_steps=5,
        n_scored=24,
        n_single=1,
        inception="off",
    )
