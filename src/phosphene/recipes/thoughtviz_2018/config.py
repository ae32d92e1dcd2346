"""Settings of ThoughtViz: the released ones for objects and glyphs, and smaller ones."""

from dataclasses import dataclass, replace

from phosphene import _checks
from phosphene.experiment.thoughtviz_settings import (
    ThoughtVizSettings,
    quick_settings,
    smoke_settings,
)


@dataclass(frozen=True, kw_only=True)
class Config(ThoughtVizSettings):
    """Settings of the experiment."""

    guidance: float = 1.0
    """Weight of the frozen picture classifier in the generator's loss (released code)."""

    def __post_init__(self) -> None:
        ThoughtVizSettings.__post_init__(self)
        _checks.check_at_least("guidance", self.guidance, 0)


def paper() -> Config:
    """Return the system for pictures of objects, 64x64."""
    return Config()


def paper_glyphs() -> Config:
    """Return the system for digits and characters, 28x28: 500 epochs, 100 batches each assumed."""
    return replace(
        paper(),
        networks="glyph",
        image_size=28,
        discriminator_width=64,
        generator_lr=5e-5,
        generator_steps=50_000,
    )


def code() -> Config:
    """Return the system for objects as its released script runs: in Keras' inference mode."""
    return replace(paper(), inference_mode=True)


def quick() -> Config:
    """Return small pictures and narrow networks: minutes on two cores."""
    return quick_settings(paper())


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return smoke_settings(quick())
