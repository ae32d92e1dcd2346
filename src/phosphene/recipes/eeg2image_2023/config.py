"""Settings of EEG2Image: the paper's, and smaller ones that derive from them."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from phosphene import _checks
from phosphene.experiment.settings import ExperimentSettings

EncoderName = Literal["lstm_one_layer", "lstm_two_layer", "compact_cnn"]
ObjectiveName = Literal["softmax", "triplet", "both"]
Noise = Literal["normal", "uniform"]
Augmentation = Literal["color", "translation", "cutout"]
GeneratorNorm = Literal["batch", "affine"]
Scaling = Literal["channel", "window"]
SeekingNoise = Literal["z", "z_and_features"]

_OPTIONS = {
    "encoder": EncoderName,
    "objective": ObjectiveName,
    "compare_encoder": EncoderName,
    "compare_objective": ObjectiveName,
    "noise": Noise,
    "scaling": Scaling,
    "generator_norm": GeneratorNorm,
    "mode_seeking_noise": SeekingNoise,
}
_RATES = ("encoder_lr", "generator_lr", "discriminator_lr", "margin")
_LEAST = {
    "n_features": 1,
    "encoder_epochs": 1,
    "encoder_batch": 2,
    "encoder_weight_decay": 0,
    "signal_mixup": 0,
    "signal_shift": 0,
    "compare_epochs": 1,
    "n_noise": 1,
    "generator_width": 1,
    "discriminator_width": 1,
    "mode_seeking": 0,
    "mode_seeking_every": 1,
    "mode_seeking_eps": 0,
    "n_adversarial_terms": 1,
    "guidance": 0,
    "feature_jitter": 0,
}
_SHARES_BELOW_ONE = ("dropout", "beta1", "beta2", "ema")


@dataclass(frozen=True, kw_only=True)
class Config(ExperimentSettings):
    """Settings of the experiment."""

    scaling: Scaling = "channel"
    """What signals are divided by: mean and SD of each channel of the training trials, or, as in
    the released code, half the largest value of each window, 2x / max - 1; the paper does not say.
    """
    balanced_batches: bool = True
    """Every class equally often in a batch, of the encoder and of the generator; the released code
    shuffles windows."""
    fixed_pictures: bool = False
    """Keep for each trial the one picture of its class that is drawn before training (released
    code), where its own is not known, instead of drawing anew each step."""
    encoder: EncoderName = "lstm_one_layer"
    """Network from trial to feature: one LSTM layer of 128 units as in the paper (section 3), two
    (32 and 128) as in the released code, or our compact convolutional network."""
    objective: ObjectiveName = "triplet"
    """Loss of the encoder: semi-hard triplets (section 3), softmax, or their sum."""
    n_features: int = 128
    """Length of the EEG feature (section 3)."""
    encoder_epochs: int = 3000
    """Passes over the training trials (released code)."""
    encoder_batch: int = 256
    """Trials per step (released code)."""
    encoder_lr: float = 3e-4
    """Adam step of the encoder (released code)."""
    encoder_weight_decay: float = 0.0
    """Decoupled weight decay (AdamW); none published."""
    encoder_one_cycle: bool = False
    """Warm the encoder's step up and anneal it to zero; the published one is constant."""
    margin: float = 1.0
    """Margin of the triplet loss; the paper gives no value, the released code has 1."""
    squared_distance: bool = True
    """Squared distances in the triplet loss (eq. 1); the released code takes plain ones."""
    signal_mixup: float = 0.0
    """Beta parameter that mixes pairs of trials under the softmax objective; 0 is off."""
    signal_shift: float = 0.0
    """Largest random shift of training trials in time, in seconds; 0 is off."""
    dropout: float = 0.5
    """Dropout of the compact convolutional network; the LSTM has none."""

    compare_encoder: EncoderName | None = None
    """Another encoder to decode with in the same run, for comparison; None for none."""
    compare_objective: ObjectiveName = "triplet"
    """Loss of the encoder to compare with."""
    compare_epochs: int = 3000
    """Its passes over the training trials."""

    n_noise: int = 128
    """Length of the latent noise (section 3)."""
    noise: Noise = "normal"
    """Law of the noise: N(0, I) in the paper, U(-1, 1) in the released code."""
    generator_width: int = 32
    """Channels before the generator's last layer (released code)."""
    discriminator_width: int = 64
    """Channels after the discriminator's first layer (released code)."""
    generator_lr: float = 3e-4
    """Adam step of the generator (released code)."""
    discriminator_lr: float = 3e-4
    """Adam step of the discriminator (released code)."""
    beta1: float = 0.2
    """First moment of both Adams (released code)."""
    beta2: float = 0.5
    """Second moment of both Adams (released code)."""
    augment: tuple[Augmentation, ...] = ("color", "translation")
    """DiffAugment between generator and discriminator (section 3)."""
    mode_seeking: float = 1.0
    """Weight of the mode-seeking term (eq. 7); 0 is off."""
    mode_seeking_eps: float = 0.0
    """Added to the ratio of the mode-seeking term: nothing (eq. 6), 1e-5 in the released code."""
    mode_seeking_noise: SeekingNoise = "z"
    """What noise distance is taken over: z (eq. 6), or z and features, which are equal and so halve
    the distance and the term (released code)."""
    mode_seeking_every: int = 1
    """Steps between mode-seeking terms, whose weight is multiplied by it; published is every step.
    """
    halved: bool = False
    """Half the sum of the discriminator's hinges (released code); eq. 5 has the sum."""
    n_adversarial_terms: int = 1
    """Draws that the generator is judged on: one (eq. 7), or two, summed (released code)."""
    generator_norm: GeneratorNorm = "batch"
    """After each of the generator's stages: batch norm, or the line per plane that is left of it
    when the released code is run."""
    spectral_norm: bool = False
    """Overwrite the generator's kernels by kernels of gain 1 in training: written in the released
    code, never applied when it is run, not in the paper."""
    moving_statistics: bool = True
    """Moving averages in the discriminator's batch norm outside training; without them every batch
    counts for itself, as when the released code is run. Training is the same."""
    guidance: float = 0.0
    """Weight of a frozen picture classifier that shows the generator the class of its trial, as in
    ThoughtViz (2018); not in the paper. It shares no weights with judge and scores."""
    generator_cosine: bool = False
    """Anneal both learning rates to zero; the published ones are constant."""
    discriminator_batch_norm: bool = True
    """Batch norm in the discriminator (released code)."""
    he_init: bool = False
    """Start from He's law, with which small networks learn sooner; published is a normal law of
    SD 0.02."""
    ema: float = 0.0
    """Decay of the averaged generator that draws the pictures; 0 takes the last weights, as
    published."""
    feature_jitter: float = 0.0
    """SD of the noise added to standardised features while the generator trains; 0 is off."""

    def __post_init__(self) -> None:
        ExperimentSettings.__post_init__(self)
        for name, options in _OPTIONS.items():
            if (value := getattr(self, name)) is not None:
                _checks.check_option(name, value, get_args(options))
        for step in self.augment:
            _checks.check_option("augment", step, get_args(Augmentation))
        for name in _RATES:
            _checks.check_positive(name, getattr(self, name))
        for name, least in _LEAST.items():
            if (value := getattr(self, name)) is not None:
                _checks.check_at_least(name, value, least)
        for name in _SHARES_BELOW_ONE:
            _checks.check_share(name, getattr(self, name), below_one=True)
        if self.n_adversarial_terms > 2:
            raise ValueError(
                f"`n_adversarial_terms` must be 1 or 2; got {self.n_adversarial_terms}. "
                "The paper has 1, the released code 2."
            )


def compared_name(config: Config) -> str:
    """Return what stages and scores call the encoder to compare with: never what the main one is.

    Empty where there is none.
    """
    name = config.compare_encoder or ""
    return f"compared {name}" if name == config.encoder else name


def paper() -> Config:
    """Return the paper's settings, gaps filled from the released code.

    The encoder trained with softmax stands beside it, as in figures 2 and 3.
    """
    return Config(compare_encoder="lstm_one_layer", compare_objective="softmax")


def code() -> Config:
    """Return the released code's settings as they read."""
    return replace(
        paper(),
        encoder="lstm_two_layer",
        compare_encoder="lstm_two_layer",
        squared_distance=False,
        scaling="window",
        balanced_batches=False,
        fixed_pictures=True,
        noise="uniform",
        halved=True,
        n_adversarial_terms=2,
        mode_seeking_eps=1e-5,
        mode_seeking_noise="z_and_features",
        spectral_norm=True,
    )


def executed() -> Config:
    """Return the released code's settings as they run.

    An accident of tracing leaves its generator without statistics and without spectral norm.
    """
    return replace(code(), spectral_norm=False, generator_norm="affine", moving_statistics=False)


def quick_published() -> Config:
    """Return the published system for minutes on two cores: its networks, losses, augmentation."""
    return replace(
        paper(),
        encoder="lstm_two_layer",
        compare_encoder="lstm_two_layer",
        encoder_epochs=40,
        compare_epochs=40,
        encoder_batch=64,
        null_folds=2,
        image_size=32,
        generator_steps=5000,
        generator_batch=32,
        generator_width=24,
        discriminator_width=24,
        generator_lr=1e-3,
        discriminator_lr=1e-3,
        judge_steps=600,
    )


def quick() -> Config:
    """Return small pictures, our encoder, and the published one beside it: minutes on two cores."""
    return replace(
        paper(),
        encoder="compact_cnn",
        objective="softmax",
        n_features=32,
        encoder_epochs=45,
        encoder_batch=64,
        encoder_lr=2e-3,
        encoder_weight_decay=1e-2,
        encoder_one_cycle=True,
        signal_mixup=1.0,
        signal_shift=0.024,
        dropout=0.25,
        compare_encoder="lstm_two_layer",
        compare_objective="triplet",
        compare_epochs=15,
        null_folds=4,
        image_size=32,
        n_noise=32,
        generator_steps=5000,
        generator_batch=32,
        generator_width=24,
        discriminator_width=24,
        generator_lr=1e-3,
        discriminator_lr=1e-3,
        generator_cosine=True,
        beta1=0.5,
        beta2=0.9,
        discriminator_batch_norm=False,
        he_init=True,
        mode_seeking=0.02,
        mode_seeking_every=4,
        guidance=0.25,
        clear_trials=True,
        class_pull=0.5,
        ema=0.998,
        standardize_features=True,
        feature_jitter=0.05,
        judge_steps=600,
    )


def demo() -> Config:
    """Return the settings of `phosphene demo`: one fold of held-out recordings."""
    return replace(
        quick(),
        n_folds=5,
        decode_folds=1,
        null_folds=1,
        encoder_epochs=25,
        encoder_lr=5e-3,
        signal_mixup=0.2,
        signal_shift=0.0,
        dropout=0.1,
        compare_encoder=None,
        generator_width=16,
        discriminator_width=16,
        inception="off",
        riemann=False,
    )


def smoke() -> Config:
    """Return settings that walk the same code in seconds on one core."""
    return replace(
        quick(),
        n_folds=2,
        decode_folds=1,
        null_folds=1,
        encoder_epochs=1,
        compare_epochs=1,
        image_size=16,
        n_features=16,
        n_noise=8,
        generator_width=8,
        discriminator_width=8,
        generator_steps=4,
        generator_batch=16,
        judge_steps=10,
        inception="off",
        n_scored=40,
        n_draws=2,
    )
