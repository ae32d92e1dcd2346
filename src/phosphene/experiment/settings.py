"""Settings that every experiment from signals to pictures has."""

from dataclasses import dataclass
from typing import Literal, get_args

from phosphene import _checks

Unit = Literal["trial", "block", "recording", "session", "subject"]
Inception = Literal["auto", "on", "off"]

_OPTIONS = {"split_unit": Unit, "inception": Inception}
_LEAST = {
    "n_folds": 2,
    "decode_folds": 1,
    "picture_folds": 0,
    "null_folds": 0,
    "generator_steps": 1,
    "generator_batch": 2,
    "judge_steps": 1,
    "n_scored": 2,
    "n_draws": 1,
    "split_seed": 0,
    "seed": 0,
}


@dataclass(frozen=True, kw_only=True)
class ExperimentSettings:
    """What the settings of each recipe begin with; no paper says any of it but the picture size."""

    split_unit: Unit = "recording"
    """What is kept apart between training and test. Published splits of these data go by window or
    are unknown; this one cannot leak windows of one recording to both sides."""
    n_folds: int | None = None
    """Folds that the units are dealt into; None leaves every unit out in turn."""
    decode_folds: int | None = None
    """Folds that are decoded; None decodes all."""
    picture_folds: int = 1
    """Folds for which a generator is trained, counted from the first."""
    null_folds: int | None = 1
    """Folds whose encoder is trained again on permuted labels; None repeats all, 0 none."""
    allow_leak: str | None = None
    """Reason to accept a split that overlaps; it is stamped on every score."""

    riemann: bool = True
    """Decode in the tangent space of covariances beside shrinkage LDA, where pyriemann is
    installed; minutes with many classes and channels."""

    image_size: int = 128
    """Height and width of the pictures."""
    generator_steps: int = 106_000
    """Updates of the generator."""
    generator_batch: int = 128
    """Pictures per step of the generator."""
    balanced_batches: bool = True
    """Every class equally often in the generator's batches; else training trials are shuffled."""
    fixed_pictures: bool = False
    """Keep for each trial the one picture of its class that is drawn before training, where its own
    is not known, instead of drawing anew each step."""
    clear_trials: bool = False
    """Train the generator only on training trials whose class the decoder reads right, so that
    feature and class agree; published systems take all."""
    standardize_features: bool = False
    """Standardise the features with the training trials' mean and SD before the generator;
    published systems feed them as they are."""
    class_pull: float = 0.0
    """Share of the way that a trial's features are moved to the training mean of its decoded class
    before the generator; 0 is off, as published, 1 leaves the class alone."""

    judge_steps: int = 2000
    """Updates of the judge and of the [domain] feature network; ours, in no paper."""
    judge_share: float = 0.4
    """Share of every class's pictures kept for the judge where the data set has no picture that
    was not shown."""
    inception: Inception = "auto"
    """Score pictures with the published Inception-v3 too, as papers do: if its weights were
    fetched (auto), always (on: refused without them), or never. Minutes on a CPU; nothing is
    downloaded here, see `phosphene data fetch`."""
    n_scored: int = 1000
    """Held-out trials whose pictures are scored, at most."""
    n_draws: int = 4
    """Noise draws per trial that the report shows."""
    split_seed: int = 0
    """Seed of the folds, of the division of the pictures, and of judge and [domain] network: runs
    that differ in `seed` alone can be compared."""
    seed: int = 0
    """Seed of everything else that is random."""

    def __post_init__(self) -> None:
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        for name, least in _LEAST.items():
            if (value := getattr(self, name)) is not None:
                _checks.check_at_least(name, value, least)
        _checks.check_share("judge_share", self.judge_share, below_one=True)
        _checks.check_share("class_pull", self.class_pull)
        self.check_image_size()
        if self.allow_leak is not None and not self.allow_leak.strip():
            raise ValueError(
                "`allow_leak` must be a reason; got an empty one. Write why it is accepted."
            )

    def check_image_size(self) -> None:
        """Refuse pictures that the networks cannot draw; most double 4 pixels until they are there.

        Recipes whose networks draw other sizes have their own.
        """
        if self.image_size < 16 or self.image_size & (self.image_size - 1):
            raise ValueError(
                f"`image_size` must be a power of two of at least 16; got {self.image_size}. "
                "Take 16, 32, 64, 128 or 256 pixels."
            )
