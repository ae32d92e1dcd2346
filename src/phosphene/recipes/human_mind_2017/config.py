"""Settings of the EEG-ImageNet40 classifiers: the released code's, and smaller ones."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks

EncoderName = Literal["lstm", "eeg_channel_net"]
Unit = Literal["trial", "block", "recording", "session", "subject"]

_OPTIONS = {"split_unit": Unit, "encoder": EncoderName}
_LEAST = {
    "n_folds": 2,
    "decode_folds": 1,
    "null_folds": 0,
    "n_features": 1,
    "epochs": 1,
    "batch": 2,
    "weight_decay": 0,
    "split_seed": 0,
    "seed": 0,
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the experiment."""

    split_unit: Unit = "recording"
    """What is kept apart between training and test. Data that were imported with a published split
    keep that one; the released code's goes by picture."""
    n_folds: int | None = None
    """Folds that the units are dealt into; None leaves every unit out in turn."""
    decode_folds: int | None = None
    """Folds that are decoded; None decodes all. The released code takes the first split."""
    null_folds: int | None = 1
    """Folds that are trained again on permuted labels; None repeats all, 0 none. Ours."""
    allow_leak: str | None = None
    """Reason to accept a split that overlaps; it is stamped on every score."""

    encoder: EncoderName = "lstm"
    """Network from trial to feature: one LSTM layer and a linear map (CVPR 2017), or EEGChannelNet
    (TPAMI 2020); both are in the released code."""
    n_features: int | None = None
    """Length of the feature; None takes the released code's, 128 or 1000."""
    dropout: float = 0.2
    """Dropout of maps in EEGChannelNet (released code); the LSTM has none."""
    epochs: int = 200
    """Passes over the training trials (released code)."""
    batch: int = 16
    """Trials per step (released code)."""
    balanced: bool = False
    """Every class equally often in a batch; published are shuffled trials."""
    lr: float = 1e-3
    """Adam step (released code)."""
    weight_decay: float = 0.0
    """Decoupled weight decay (AdamW); none published."""
    one_cycle: bool = False
    """Warm the step up and anneal it to zero; the published one is constant under Adam."""
    validate: bool = True
    """Keep the weights of the epoch with the best accuracy on the split's validation trials, as in
    the released code; without validation trials the last step's are kept. Test trials choose
    nothing."""
    split_seed: int = 0
    """Seed of the folds: runs that differ in `seed` alone can be compared."""
    seed: int = 0
    """Seed of everything else that is random."""

    def __post_init__(self) -> None:
        for name, options in _OPTIONS.items():
            _checks.check_option(name, getattr(self, name), get_args(options))
        _checks.check_positive("lr", self.lr)
        for name, least in _LEAST.items():
            if (value := getattr(self, name)) is not None:
                _checks.check_at_least(name, value, least)
        _checks.check_share("dropout", self.dropout, below_one=True)
        if self.allow_leak is not None and not self.allow_leak.strip():
            raise ValueError(
                "`allow_leak` must be a reason; got an empty one. Write why it is accepted."
            )


def paper() -> Config:
    """Return the released code's settings."""
    return Config()


def quick() -> Config:
    """Return settings for recordings of minutes on two cores."""
    return replace(
        paper(),
        epochs=30,
        batch=64,
        balanced=True,
        lr=2e-3,
        weight_decay=1e-2,
        one_cycle=True,
        null_folds=2,
    )


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(quick(), n_folds=2, decode_folds=1, null_folds=1, epochs=1, n_features=16)
