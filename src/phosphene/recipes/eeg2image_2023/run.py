"""EEG2Image: its encoders, its generator, and the experiment with them."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from phosphene.data.trials import Trials
from phosphene.experiment.encoding import EncoderSettings, check_triplets, train_encoder
from phosphene.experiment.painting import check_batches
from phosphene.experiment.plan import EncoderPlan, Plan
from phosphene.export.networks import build_network
from phosphene.recipes.eeg2image_2023.config import Config, compared_name
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE, Devices
from phosphene.training.gan_step import GANStep
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

CITATION = "Singh et al., EEG2IMAGE, ICASSP 2023, https://arxiv.org/abs/2302.10121"


def make_plan(config: Config) -> Plan:
    """Return the encoders and the painter that the settings describe."""
    return Plan(
        recipe="eeg2image_2023",
        citation=CITATION,
        encoder=encoder_plan(config, name=config.encoder),
        compared=compared_plan(config) if config.compare_encoder else None,
        painter=EEG2ImagePainter(config),
        check=partial(_check, config),
    )


def encoder_plan(config: Config, *, name: str, note: str = "") -> EncoderPlan:
    """Return the encoder of the settings."""
    spec = partial(encoder_spec, config)
    settings = EncoderSettings(
        spec=spec,
        objective=config.objective,
        epochs=config.encoder_epochs,
        batch=config.encoder_batch,
        lr=config.encoder_lr,
        weight_decay=config.encoder_weight_decay,
        one_cycle=config.encoder_one_cycle,
        margin=config.margin,
        squared_distance=config.squared_distance,
        mixup=config.signal_mixup,
        shift=config.signal_shift,
        scaling=config.scaling,
        balanced=config.balanced_batches,
    )
    return EncoderPlan(
        name=name,
        objective=config.objective,
        spec=spec,
        train=partial(train_encoder, settings),
        note=note,
    )


def published_encoder(config: Config) -> Config:
    """Return the settings under which the published encoder is decoded beside another one.

    Network, loss and length of the feature are the published ones; optimiser, batch and number of
    epochs are this run's, because the published 3000 epochs do not fit in minutes.
    """
    return replace(
        config,
        encoder=config.compare_encoder or "lstm_two_layer",
        objective=config.compare_objective,
        n_features=128,
        encoder_epochs=config.compare_epochs,
        encoder_weight_decay=0.0,
        signal_mixup=0.0,
        signal_shift=0.0,
        squared_distance=False,
    )


def compared_plan(config: Config) -> EncoderPlan:
    """Return the encoder to compare with."""
    published = published_encoder(config)
    note = f"trained for {config.compare_epochs} epochs"
    if published.encoder.startswith("lstm") and published.objective == "triplet":
        note = f"published network and loss, {config.compare_epochs} epochs; published are 3000"
    return encoder_plan(published, name=compared_name(config), note=note)


def encoder_spec(config: Config, trials: Trials) -> dict[str, Any]:
    """Return what `build_network` needs to know about the encoder."""
    if config.encoder == "compact_cnn":
        return {
            "network": "CompactCNN",
            "settings": {
                "n_chans": trials.n_chans,
                "n_times": trials.n_times,
                "n_features": config.n_features,
                "sfreq": float(trials.sfreq),
                "depth": 4,
                "n_maps": 32,
                "dropout": config.dropout,
            },
        }
    hidden = [32] if config.encoder == "lstm_two_layer" else []
    return {
        "network": "LSTMEncoder",
        "settings": {
            "n_chans": trials.n_chans,
            "n_features": config.n_features,
            "hidden": hidden,
        },
    }


@dataclass(frozen=True)
class EEG2ImagePainter:
    """Builds the conditional DCGAN and its train step."""

    config: Config
    condition_on = "features"

    @property
    def noise(self) -> str:
        """Law of the noise."""
        return self.config.noise

    @property
    def guided(self) -> bool:
        """Whether a frozen picture classifier shows the generator the class of its trial."""
        return self.config.guidance > 0

    @property
    def guide_policy(self) -> tuple[str, ...]:
        """What the guide's pictures are augmented by: what the generator's are."""
        return self.config.augment

    def spec(self, *, color: int, n_classes: int) -> dict[str, Any]:
        """Return what `build_network` needs to build the generator."""
        del n_classes  # the condition is the feature
        config = self.config
        return {
            "network": "DCGANGenerator",
            "settings": {
                "n_noise": config.n_noise,
                "n_features": config.n_features,
                "size": config.image_size,
                "color": color,
                "width": config.generator_width,
                "he_init": config.he_init,
                "norm": config.generator_norm,
                "spectral_norm": config.spectral_norm,
            },
        }

    def make(
        self,
        *,
        color: int,
        n_classes: int,
        n_pictures: int | None = None,
        seed: int,
        guide: ClassifierStep | None = None,
        devices: Devices = ALONE,
    ) -> GANStep:
        """Build generator, discriminator and their train step."""
        del n_pictures  # no setting bears on how many there are
        config = self.config
        with seeded(derive_seed(seed, "GAN weights")):
            generator = build_network(self.spec(color=color, n_classes=n_classes))
            discriminator = build_network(
                {
                    "network": "DCGANDiscriminator",
                    "settings": {
                        "n_features": config.n_features,
                        "size": config.image_size,
                        "color": color,
                        "width": config.discriminator_width,
                        "batch_norm": config.discriminator_batch_norm,
                        "he_init": config.he_init,
                        "moving_statistics": config.moving_statistics,
                    },
                }
            )
        return GANStep(
            generator,
            discriminator,
            rng=seeded_generator(seed, "GAN"),
            lr_generator=config.generator_lr,
            lr_discriminator=config.discriminator_lr,
            betas=(config.beta1, config.beta2),
            noise=config.noise,
            n_adversarial_terms=config.n_adversarial_terms,
            halved=config.halved,
            mode_seeking=config.mode_seeking,
            mode_seeking_every=config.mode_seeking_every,
            mode_seeking_eps=config.mode_seeking_eps,
            mode_seeking_noise=config.mode_seeking_noise,
            guide=None if guide is None else guide.network,
            guidance=config.guidance,
            schedule="cosine" if config.generator_cosine else "constant",
            n_steps=config.generator_steps,
            policy=config.augment,
            feature_jitter=config.feature_jitter,
            ema_decay=config.ema or None,
            devices=devices,
        )


def _check(config: Config, *, n_classes: int, n_devices: int) -> None:
    """Refuse batches without pairs for triplets, or that the devices cannot share."""
    compared = config.compare_objective if config.compare_encoder else "softmax"
    if config.balanced_batches:
        check_triplets(
            {
                "`objective`": (config.objective, "--objective softmax"),
                "`compare_objective`": (
                    compared,
                    "--compare-encoder None to leave the comparison out",
                ),
            },
            batch=config.encoder_batch,
            n_classes=n_classes,
        )
    check_batches(
        {
            "`--encoder-batch`": config.encoder_batch,
            "`--generator-batch`": config.generator_batch,
        },
        n_classes=n_classes,
        n_devices=n_devices,
        balanced=config.balanced_batches,
    )
