"""Settings of ThoughtViz: the released ones for objects and glyphs, and smaller ones."""

from dataclasses import dataclass, replace

from phosphene import _checks
from phosphene.experiment.thoughtviz_settings import ThoughtVizSettings


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
    return replace(
        paper(),
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
