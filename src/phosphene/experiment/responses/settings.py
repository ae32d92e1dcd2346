"""Settings that every experiment from pictures to signals has."""

from dataclasses import dataclass
from typing import Literal, get_args

from phosphene import _checks

AutoencoderData = Literal["training", "all"]
Inception = Literal["auto", "on", "off"]

_OPTIONS = {"autoencoder_data": AutoencoderData, "inception": Inception}
_LEAST = {
    "autoencoder_steps": 1,
    "autoencoder_batch": 2,
    "picture_steps": 1,
    "picture_batch": 2,
    "generator_steps": 1,
    "generator_batch": 2,
    "classifier_steps": 1,
    "classifier_batch": 2,
    "n_scored": 4,
    "n_single": 0,
    "split_seed": 0,
    "seed": 0,
}


@dataclass(frozen=True, kw_only=True)
class ResponseSettings:
    """What the settings of each recipe from pictures to signals begin with."""

    test_share: float = 0.2
    """Share of the pictures, not of showings, that test (LFPGAN thesis, section 3.2)."""
    picture_size: tuple[int, int] = (918, 1174)
    """Rows and columns of the pictures that networks see: as published, or 54 69, shrunk by 17."""
    autoencoder_data: AutoencoderData = "training"
    """Windows that the signal autoencoder sees: of the whole recording but for the showings of test
    pictures, or all, as the thesis has it (section 5.1)."""
    autoencoder_steps: int = 656_250
    """Updates of the signal autoencoder: 7 epochs of 12 million windows at the batch below."""
    autoencoder_batch: int = 128
    """Windows per update; ours, the thesis names none."""
    picture_steps: int = 73_750
    """Updates of the picture autoencoder: 10,000 epochs of 118 pictures at the batch below."""
    picture_batch: int = 16
    """Pictures per update; ours."""
    generator_steps: int = 14_688
    """Steps of a system, one batch each: 200 epochs of 4,700 showings at the batch below."""
    generator_batch: int = 64
    """Showings per update; ours."""
    classifier_steps: int = 2000
    """Updates of the classifier of windows on which distances are measured; ours."""
    classifier_batch: int = 64
    """Windows per update of it; ours."""
    classifier_share: float = 0.2
    """Share of the training pictures' showings that the classifier is tested on; ours."""
    n_scored: int = 1200
    """Showings of each set that are scored, at most, and windows generated for it."""
    n_single: int = 3
    """Test pictures whose responses the report shows by themselves."""
    inception: Inception = "auto"
    """Score signals drawn as pictures with the published Inception-v3 too, as the thesis does: if
    its weights were fetched (auto), always (on: refused without them), or never."""
    split_seed: int = 0
    """Seed of the division of pictures and of the classifier: runs that differ in `seed` alone can
    be compared."""
    seed: int = 0
    """Seed of everything else that is random."""

    def __post_init__(self) -> None:
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        for name, least in _LEAST.items():
            _checks.check_at_least(name, getattr(self, name), least)
        for name in ("test_share", "classifier_share"):
            _checks.check_share(name, getattr(self, name), below_one=True)
            _checks.check_positive(name, getattr(self, name))
        if min(self.picture_size) < 1:
            raise ValueError(
                f"`picture_size` must be rows and columns; got {self.picture_size}. "
                "Write for instance 54 69."
            )
