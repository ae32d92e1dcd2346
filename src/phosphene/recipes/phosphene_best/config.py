"""Settings of our own system: the best decoder and the best pictures that we know to make."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks
from phosphene.experiment.settings import ExperimentSettings

GeneratorName = Literal["upsampling", "transposed"]
DiscriminatorName = Literal["projection", "dcgan"]
Augmentation = Literal["color", "translation", "cutout"]

_OPTIONS = {"generator": GeneratorName, "discriminator": DiscriminatorName}

_RATES = ("encoder_lr", "generator_lr", "discriminator_lr")
_LEAST = {
    "n_networks": 0,
    "network_features": 1,
    "encoder_steps": 1,
    "encoder_epochs": 1,
    "encoder_batch": 2,
    "encoder_weight_decay": 0,
    "signal_mixup": 0,
    "signal_shift": 0,
    "signal_scale": 0,
    "n_noise": 1,
    "generator_width": 1,
    "discriminator_width": 1,
    "mode_seeking": 0,
    "mode_seeking_every": 1,
    "guidance": 0,
    "r1": 0,
    "feature_jitter": 0,
}
_SHARES_BELOW_ONE = ("dropout", "channel_dropout", "beta1", "beta2", "ema")


@dataclass(frozen=True, kw_only=True)
class Config(ExperimentSettings):
    """Settings of the experiment; the README says what each step is worth."""

    n_networks: int = 5
    """Convolutional networks of the ensemble; they differ in start values, order of trials and
    augmentation (Lakshminarayanan et al., 2017)."""
    network_features: int = 16
    """Features of each; ours."""
    tangent_space: bool = True
    """Have the tangent space of covariances vote (Barachant and Congedo, 2014)."""
    discriminant: bool = True
    """Have shrinkage LDA of the samples vote (Blankertz et al., 2011)."""
    thinned: bool = True
    """Let the networks see the samples that LDA sees, and no more; ours."""
    equal_votes: bool = True
    """Give networks together, tangent space and discriminant equal weight; ours."""
    encoder_steps: int = 700
    """Updates of each network; ours."""
    encoder_epochs: int = 15
    """Passes over the training trials, where that is more updates; ours."""
    encoder_batch: int = 64
    """Trials per step; ours."""
    encoder_lr: float = 2e-3
    """Largest AdamW step, warmed up over a quarter of the steps and annealed to zero; ours."""
    encoder_weight_decay: float = 1e-2
    """Decoupled weight decay; ours."""
    signal_mixup: float = 0.3
    """Beta parameter that mixes pairs of trials (arXiv:1710.09412); 0 is off."""
    signal_shift: float = 0.024
    """Largest random shift of training trials in time, in seconds; ours, 0 is off."""
    signal_scale: float = 0.1
    """SD of the logarithm of a factor on each training trial; ours, 0 is off."""
    channel_dropout: float = 0.1
    """Probability of silencing a channel of a training trial (Saeed et al., 2021)."""
    dropout: float = 0.25
    """Dropout of the networks (as EEGNet, arXiv:1611.08024)."""

    generator: GeneratorName = "upsampling"
    """Copies values to squares and convolves, the class told at every size (Odena et al., 2016;
    arXiv:1707.00683); or "transposed", the convolutions of EEG2Image (2023)."""
    discriminator: DiscriminatorName = "projection"
    """Sees full resolution, and the class by an inner product (arXiv:1802.05637); or "dcgan", that
    of EEG2Image (2023)."""
    n_noise: int = 128
    """Length of the latent noise, from N(0, I) (EEG2Image, 2023)."""
    generator_width: int = 32
    """Channels before the generator's last layer; ours."""
    discriminator_width: int = 32
    """Channels after the discriminator's first layer; ours."""
    generator_lr: float = 2e-4
    """Largest Adam step of the generator; ours. Both are annealed to zero along a cosine."""
    discriminator_lr: float = 2e-4
    """Largest Adam step of the discriminator; ours."""
    beta1: float = 0.5
    """First moment of both Adams (DCGAN, arXiv:1511.06434)."""
    beta2: float = 0.9
    """Second moment of both Adams (arXiv:1704.00028)."""
    augment: tuple[Augmentation, ...] = ("translation", "cutout")
    """DiffAugment between generator and discriminator (arXiv:2006.10738), without its changes of
    colour, which leak into the pictures."""
    mode_seeking: float = 0.02
    """Weight of the mode-seeking term (arXiv:1903.05628); 0 is off."""
    mode_seeking_every: int = 4
    """Steps between mode-seeking terms, whose weight is multiplied by it; ours."""
    guidance: float = 2.0
    """Weight of a frozen picture classifier that shows the generator the class of its trial
    (ThoughtViz, 2018), where training shows each picture 100 times or less, rising to twice that
    at 1000; 0 is off. It shares no weights with judge and scores."""
    r1: float = 1.0
    """Weight of the discriminator's squared slope on real pictures (arXiv:1801.04406) where
    training shows each picture 1000 times or more, falling to none at 100; 0 is off."""
    ema: float = 0.998
    """Decay of the averaged generator that draws the pictures (arXiv:1806.04498); 0 takes the last
    weights."""
    feature_jitter: float = 0.05
    """SD of the noise added to standardised features while the generator trains; ours, 0 is off."""

    def __post_init__(self) -> None:
        ExperimentSettings.__post_init__(self)
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        for step in self.augment:
            _checks.check_option("augment", step, get_args(Augmentation))
        for name in _RATES:
            _checks.check_positive(name, getattr(self, name))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        for name in _SHARES_BELOW_ONE:
            _checks.check_share(name, getattr(self, name), below_one=True)


def full() -> Config:
    """Return the settings for pictures of 128 pixels: days, or a GPU."""
    return Config(clear_trials=True, standardize_features=True, class_pull=0.5)


def quick() -> Config:
    """Return the settings for small pictures: minutes on two cores."""
    return replace(
        full(),
        null_folds=2,
        image_size=32,
        n_noise=32,
        generator_steps=5000,
        generator_batch=32,
        generator_width=16,
        discriminator_width=16,
        generator_lr=1e-3,
        discriminator_lr=1e-3,
        judge_steps=600,
    )


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(
        quick(),
        n_folds=2,
        decode_folds=1,
        null_folds=1,
        n_networks=2,
        network_features=4,
        encoder_steps=3,
        encoder_epochs=1,
        encoder_batch=16,
        image_size=16,
        n_noise=8,
        generator_width=8,
        discriminator_width=8,
        generator_steps=3,
        generator_batch=16,
        judge_steps=10,
        inception="off",
        n_scored=40,
        n_draws=2,
    )
