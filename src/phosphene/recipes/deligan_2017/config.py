"""Settings of the DeLiGAN baseline: released ones for objects and glyphs, and smaller ones."""

from dataclasses import dataclass, replace

from phosphene.experiment.thoughtviz_settings import (
    BaselineSettings,
    quick_settings,
    smoke_settings,
)


@dataclass(frozen=True, kw_only=True)
class Config(BaselineSettings):
    """Settings of the experiment."""

    generator_lr: float = 1e-5
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
        generator_steps=50_000,
    )


def code() -> Config:
    """Return the baseline "with EEG" as its released script runs: in Keras' inference mode."""
    return replace(
        paper_glyphs(),
        condition="features",
        generator_lr=5e-5,
        discriminator_lr=5e-5,
        generator_steps=60_000,
        inference_mode=True,
    )


def quick() -> Config:
    """Return small pictures and narrow networks, fed EEG features: minutes on two cores."""
    return replace(quick_settings(paper()), condition="features")


def quick_labels() -> Config:
    """Return `quick` fed the decoded class alone, as in the script for objects."""
    return replace(quick(), condition="label")


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return smoke_settings(quick())
