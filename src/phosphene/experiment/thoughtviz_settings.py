"""Settings that ThoughtViz and its baselines AC-GAN and DeLiGAN share.

All three are in one body of released code: they have one EEG classifier, and generators and
discriminators that differ in a few places. Values are those of its scripts; papers give few.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from phosphene import _checks
from phosphene.experiment.settings import ExperimentSettings

PictureNetworks = Literal["image", "glyph"]
Condition = Literal["label", "features"]

_RATES = ("encoder_lr", "generator_lr", "discriminator_lr")
_LEAST = {
    "n_features": 1,
    "encoder_epochs": 1,
    "encoder_batch": 2,
    "encoder_lr_decay": 0,
    "n_noise": 1,
    "generator_width": 1,
    "discriminator_width": 1,
}
_SHARES_BELOW_ONE = ("encoder_momentum", "norm_momentum", "dropout", "beta1", "beta2")


@dataclass(frozen=True, kw_only=True)
class ThoughtVizSettings(ExperimentSettings):
    """What the settings of the three recipes begin with."""

    n_features: int = 100
    """Length of the EEG feature, the classifier's last hidden layer (released code)."""
    encoder_epochs: int = 100
    """Passes over the training trials (released code)."""
    encoder_batch: int = 128
    """Trials per step (released code)."""
    encoder_lr: float = 1e-4
    """Step of gradient descent (released code)."""
    encoder_momentum: float = 0.9
    """Share of the last step that is kept, taken ahead of the gradient as by Nesterov (released
    code)."""
    encoder_lr_decay: float = 1e-6
    """Divides the encoder's step by 1 + this * updates; 0 is off (released code)."""
    norm_momentum: float = 0.01
    """Weight of a batch in the running statistics of the encoder's batch norms (Keras)."""

    networks: PictureNetworks = "image"
    """Generator and discriminator for pictures of objects, or for glyphs: digits and characters."""
    image_size: int = 64
    """Height and width of the pictures (released code: 64 for objects, 28 for glyphs)."""
    n_noise: int = 100
    """Length of the latent noise, uniform in (-1, 1) (released code)."""
    generator_width: int = 64
    """Channels before the generator's last layer (released code)."""
    discriminator_width: int = 16
    """Channels after the discriminator's first layer (released code: 16 for objects, 64 for
    glyphs)."""
    rectified: bool = True
    """ReLU before the last tanh of the generator of objects (released code): no gradient passes
    where a value is black."""
    dropout: float = 0.5
    """Dropout in the discriminator of objects (released code)."""
    generator_steps: int = 1_000_000
    """Updates of the generator. The released code counts 10,000 epochs of pictures that are not
    named; 100 batches each are assumed."""
    generator_batch: int = 100
    """Pictures per step of the generator (released code)."""
    generator_lr: float = 3e-5
    """Adam step of the generator (released code, ThoughtViz for objects)."""
    discriminator_lr: float = 5e-5
    """Adam step of the discriminator (released code, ThoughtViz for objects)."""
    beta1: float = 0.5
    """First moment of both Adams (released code)."""
    beta2: float = 0.999
    """Second moment of both Adams (Keras)."""
    inference_mode: bool = False
    """Batch norms keep to running statistics that never move and nothing is dropped, in training
    too, as in those released scripts that switch Keras' learning phase off."""
    separate_pass: bool = True
    """Show the discriminator pictures of a pass of their own, in evaluation mode (released code),
    and not those of the generator's pass in training."""

    def __post_init__(self) -> None:
        _checks.check_option("networks", self.networks, get_args(PictureNetworks))
        ExperimentSettings.__post_init__(self)
        for name in _RATES:
            _checks.check_positive(name, getattr(self, name))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        for name in _SHARES_BELOW_ONE:
            _checks.check_share(name, getattr(self, name), below_one=True)

    def check_image_size(self) -> None:
        """Refuse pictures that the chosen networks cannot draw."""
        if self.networks == "image":
            super().check_image_size()
        elif self.image_size < 16 or self.image_size % 4:
            raise ValueError(
                f"`image_size` must be a multiple of 4 of at least 16 for glyphs; got "
                f"{self.image_size}. Take 28 pixels as published, or 16, 32 or 64."
            )


@dataclass(frozen=True, kw_only=True)
class BaselineSettings(ThoughtVizSettings):
    """What the settings of the baselines AC-GAN and DeLiGAN have beyond ThoughtViz'."""

    condition: Condition = "label"
    """What the generator is fed beside noise: the decoded class, or the EEG feature (the baseline
    "with EEG", released for glyphs alone)."""
    auxiliary: float = 1.0
    """Weight of the discriminator's class head in all three losses (released code)."""

    def __post_init__(self) -> None:
        ThoughtVizSettings.__post_init__(self)
        _checks.check_option("condition", self.condition, get_args(Condition))
        _checks.check_at_least("auxiliary", self.auxiliary, 0)


Settings = TypeVar("Settings", bound=ThoughtVizSettings)


def quick_settings(published: Settings) -> Settings:
    """Return published settings with small pictures and narrow networks: minutes on two cores."""
    return replace(
        published,
        encoder_batch=64,
        encoder_epochs=40,
        encoder_lr=1e-2,
        norm_momentum=0.1,
        null_folds=2,
        image_size=32,
        generator_steps=5000,
        generator_batch=32,
        generator_width=24,
        discriminator_width=12,
        generator_lr=1e-3,
        discriminator_lr=1e-3,
        separate_pass=False,
        judge_steps=600,
    )


def smoke_settings(quick: Settings) -> Settings:
    """Return quick settings so small that they walk the same code in seconds on one core."""
    return replace(
        quick,
        n_folds=2,
        decode_folds=1,
        null_folds=1,
        encoder_epochs=1,
        image_size=16,
        n_features=16,
        n_noise=8,
        generator_width=8,
        discriminator_width=8,
        generator_steps=4,
        generator_batch=16,
        judge_steps=10,
        riemann=False,
        inception="off",
        n_scored=40,
        n_draws=2,
    )
