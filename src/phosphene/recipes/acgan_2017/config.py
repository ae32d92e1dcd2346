"""Settings of the AC-GAN baseline: released ones for objects and glyphs, and smaller ones."""

from dataclasses import dataclass, replace

from phosphene.experiment.thoughtviz_settings import BaselineSettings


@dataclass(frozen=True, kw_only=True)
class Config(BaselineSettings):
    """Settings of the experiment."""

    generator_steps: int = 312_000
    """Updates of the generator. The released code counts 1000 epochs of pictures that are not
    named; 10,000 of them are assumed."""
    generator_batch: int = 32
    """Pictures per step of the generator (released code, for objects)."""
    generator_lr: float = 1e-3
    """Adam step of the generator (released code, for objects)."""
    discriminator_lr: float = 1e-3
    """Adam step of the discriminator (released code, for objects)."""


def paper() -> Config:
    """Return the baseline for pictures of objects, 64x64, which is fed labels."""
    return Config()


def paper_glyphs() -> Config:
    """Return the baseline for digits and characters, 28x28, which is fed labels."""
    return replace(
        paper(),
        networks="glyph",
        image_size=28,
        discriminator_width=64,
        generator_lr=2e-4,
        discriminator_lr=2e-4,
        generator_batch=100,
        generator_steps=50_000,
    )


def code() -> Config:
    """Return the baseline "with EEG" as its released script runs: in Keras' inference mode."""
    return replace(
        paper_glyphs(),
        condition="features",
        generator_lr=5e-5,
        discriminator_lr=5e-5,
        inference_mode=True,
    )


def quick() -> Config:
    """Return small pictures and narrow networks, fed EEG features: minutes on two cores."""
    return replace(
        paper(),
        condition="features",
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
        separate_pass=False,
        judge_steps=600,
    )


def quick_labels() -> Config:
    """Return `quick` fed the decoded class alone, as AC-GAN is published."""
    return replace(quick(), condition="label")


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(
        quick(),
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
