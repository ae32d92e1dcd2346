"""Settings of the LFPGAN thesis, and shorter ones."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks
from phosphene.experiment.responses.settings import ResponseSettings

Penalty = Literal["gradient", "literal"]
System = Literal[
    "GAN without pictures", "pre-trained GAN without pictures", "GAN", "pre-trained GAN"
]
SYSTEMS: tuple[System, ...] = get_args(System)

_OPTIONS = {"penalty": Penalty}
_LEAST = {"n_critic": 1, "penalty_weight": 0}


@dataclass(frozen=True, kw_only=True)
class Config(ResponseSettings):
    """Settings of the experiment and of the thesis' networks; the README tells their sources."""

    systems: tuple[System, ...] = SYSTEMS
    """GANs to train, in the order of the tables; none trains the autoencoders alone."""
    lr: float = 1e-3
    """Adam step of all networks (section 4.1)."""
    beta1: float = 0.0
    """First moment of Adam (section 4.1)."""
    beta2: float = 0.999
    """Second moment of Adam (section 4.1)."""
    n_critic: int = 5
    """Steps to one update of the generator; each updates the critic. 5 as Gulrajani et al., the
    thesis names none."""
    penalty: Penalty = "gradient"
    """"gradient", on slopes above 1 and weighted by the distance (equations 2.8, 2.9); or
    "literal", the square of the sum of outputs that section 4.4 says the code has."""
    penalty_weight: float = 10.0
    """Lambda of equation 2.8; Gulrajani et al. and Hartmann et al., the thesis names none."""
    distance_weighted: bool = True
    """Weight the penalty by the distance, if positive (equation 2.9)."""
    dropout: float = 0.1
    """Of the combination network; ours, the thesis names no share."""
    steps_without_pictures: int = 293_750
    """Steps of systems without pictures: 4,000 epochs of 4,700 showings in batches of 64."""

    def __post_init__(self) -> None:
        ResponseSettings.__post_init__(self)
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        for system in self.systems:
            _checks.check_option("systems", system, SYSTEMS)
        if len(set(self.systems)) < len(self.systems):
            raise ValueError(
                f"`systems` must differ; got {', '.join(self.systems)}. Name each once."
            )
        _checks.check_positive("lr", self.lr)
        _checks.check_at_least("steps_without_pictures", self.steps_without_pictures, 1)
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        for name in ("beta1", "beta2", "dropout"):
            _checks.check_share(name, getattr(self, name), below_one=True)


def paper() -> Config:
    """Return the settings of the thesis, its autoencoders on everything included."""
    return Config(autoencoder_data="all")


def clean() -> Config:
    """Return the settings of the thesis with showings of test pictures kept from autoencoders."""
    return Config()


def quick() -> Config:
    """Return settings for pictures shrunk by 17: about an hour on two cores."""
    return replace(
        clean(),
        picture_size=(54, 69),
        autoencoder_steps=2500,
        autoencoder_batch=64,
        picture_steps=1500,
        generator_steps=1000,
        generator_batch=32,
        n_critic=1,
        steps_without_pictures=1000,
        classifier_steps=1500,
    )


def quick_all() -> Config:
    """Return `quick` with autoencoders that see showings of test pictures too, as published."""
    return replace(quick(), autoencoder_data="all", systems=("pre-trained GAN",))


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(
        quick(),
        autoencoder_steps=4,
        autoencoder_batch=4,
        picture_steps=2,
        picture_batch=4,
        generator_steps=2,
        generator_batch=8,
        steps_without_pictures=2,
        classifier_steps=5,
        n_scored=24,
        systems=("GAN without pictures", "pre-trained GAN"),
        n_single=1,
        inception="off",
    )
