"""Settings of Brain2Image: what is known of the published system, and smaller ones."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks
from phosphene.experiment.settings import ExperimentSettings

EncoderName = Literal["lstm", "transformer"]
GeneratorName = Literal["gan", "vae"]
Likelihood = Literal["gaussian", "bernoulli"]

_OPTIONS = {"encoder": EncoderName, "generator": GeneratorName, "likelihood": Likelihood}
_RATES = ("encoder_lr", "generator_lr", "discriminator_lr", "margin")
_LEAST = {
    "n_features": 1,
    "encoder_epochs": 1,
    "encoder_batch": 2,
    "compare_batch": 2,
    "n_noise": 1,
    "generator_width": 1,
    "discriminator_width": 1,
    "mismatch": 0,
    "kl_weight": 0,
    "kl_warmup": 0,
    "path_points": 11,
}
_SHARES_BELOW_ONE = ("beta1", "beta2")


@dataclass(frozen=True, kw_only=True)
class Config(ExperimentSettings):
    """Settings of the experiment; the README says for each why, where no source gives a value."""

    image_size: int = 64
    """Height and width of the pictures; not known, those of the DCGAN that the layers follow."""

    encoder: EncoderName = "lstm"
    """Network from trial to feature: the authors' LSTM with a linear map and ReLU, or a small
    transformer, in which nothing is published."""
    n_features: int = 128
    """Length of the EEG feature (published)."""
    encoder_epochs: int = 200
    """Passes over the training trials; not known, those of the authors' released classifiers."""
    encoder_batch: int = 16
    """Trials per step; not known, those of the authors' released classifiers."""
    encoder_lr: float = 1e-3
    """Adam step of the encoder; not known, that of the authors' released classifiers."""
    balanced_batches: bool = False
    """Every class equally often in a batch of the encoder; the released classifiers shuffle."""

    compare_triplets: bool = True
    """Train the same encoder with triplets in the same folds, for comparison; ours."""
    compare_batch: int = 80
    """Trials per step of the triplets, every class equally often: two of each of 40 classes."""
    margin: float = 0.2
    """Margin of the triplets: FaceNet's (arXiv:1503.03832). With EEG2Image's 1, trainings of
    minutes do not get away from features that are all alike."""

    generator: GeneratorName = "gan"
    """What draws the pictures: both are published, the GAN is said to be better."""
    n_noise: int = 100
    """Length of the latent noise (published)."""
    generator_width: int = 64
    """Planes before the last layer of the generator, or of the VAE's decoder, which is the same
    network (DCGAN)."""
    discriminator_width: int = 64
    """Planes after the first layer of the discriminator, or of the VAE's picture encoder (DCGAN).
    """
    generator_lr: float = 2e-4
    """Adam step of the generator (DCGAN), or of the VAE."""
    discriminator_lr: float = 2e-4
    """Adam step of the discriminator (DCGAN); the VAE has none."""
    beta1: float = 0.5
    """First moment of the Adams (DCGAN)."""
    beta2: float = 0.999
    """Second moment of the Adams (DCGAN)."""
    mismatch: float = 0.5
    """Weight of real pictures with another trial's features among what the discriminator is to call
    generated (GAN-CLS, half of what generated ones weigh); 0 is off."""
    likelihood: Likelihood = "gaussian"
    """Law of the VAE's pixels: Gaussian with the most likely deviation, or Bernoulli."""
    kl_weight: float = 1.0
    """Weight of the VAE's divergence; 1 is the bound itself."""
    kl_warmup: int = 0
    """Steps over which that weight rises from 0."""

    second_generator: bool = False
    """Train a second generator on the triplet features, as long, so that paths between classes can
    be compared; it doubles the time of the generator. Ours."""
    path_points: int = 21
    """Pictures on each line between two classes. Ours."""

    def __post_init__(self) -> None:
        ExperimentSettings.__post_init__(self)
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        for name in _RATES:
            _checks.check_positive(name, getattr(self, name))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        for name in _SHARES_BELOW_ONE:
            _checks.check_share(name, getattr(self, name), below_one=True)
        if self.second_generator and not self.compare_triplets:
            raise ValueError(
                "`second_generator` draws from triplet features, which `compare_triplets` trains; "
                "got --second-generator and --no-compare-triplets. Leave one of them out."
            )


def paper() -> Config:
    """Return the published settings, gaps filled as the README says."""
    return Config()


def paper_vae() -> Config:
    """Return the published alternative: a VAE in place of the GAN."""
    return replace(paper(), generator="vae", generator_lr=1e-3, beta1=0.9)


def quick() -> Config:
    """Return small pictures and narrow networks: minutes on two cores."""
    return replace(
        paper(),
        null_folds=2,
        encoder_epochs=30,
        encoder_batch=64,
        balanced_batches=True,
        compare_batch=64,
        image_size=32,
        generator_steps=5000,
        generator_batch=32,
        generator_width=24,
        discriminator_width=24,
        judge_steps=600,
    )


def quick_vae() -> Config:
    """Return `quick` with the VAE in place of the GAN."""
    published = paper_vae()
    return replace(
        quick(), generator="vae", generator_lr=published.generator_lr, beta1=published.beta1
    )


def quick_transformer() -> Config:
    """Return `quick` with a transformer in place of the LSTM."""
    return replace(quick(), encoder="transformer")


def interpolation() -> Config:
    """Return `quick_transformer` with a second generator, on triplet features.

    In minutes the LSTM learns next to nothing from triplets, and then there is nothing to compare.
    """
    return replace(quick_transformer(), second_generator=True)


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(
        quick(),
        second_generator=True,
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
        judge_steps=20,
        inception="off",
        n_scored=40,
        n_draws=2,
        path_points=11,
    )
