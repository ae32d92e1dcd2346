"""Our own system: an ensemble that decodes, a guided GAN that draws, and the experiment."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from phosphene.experiment.painting import check_batches
from phosphene.experiment.plan import EncoderPlan, Plan
from phosphene.export.networks import build_network
from phosphene.recipes.phosphene_best.config import Config
from phosphene.recipes.phosphene_best.ensemble import (
    EnsembleSettings,
    ensemble_spec,
    n_ensemble_features,
    train_encoder,
)
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE, Devices
from phosphene.training.gan_step import GANStep
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

CITATION = "the Phosphene project's own system, from published parts that its page names"
NEW, BY_HEART = 100, 1000
"""How often a discriminator may see a picture and learn only what it shares with others, and how
often before it knows it by heart; ours."""


def make_plan(config: Config) -> Plan:
    """Return the encoder and the painter that the settings describe."""
    return Plan(
        recipe="phosphene_best",
        citation=CITATION,
        encoder=encoder_plan(config),
        painter=BestPainter(config),
        check=partial(_check, config),
    )


def ensemble_settings(config: Config) -> EnsembleSettings:
    """Return the members of the ensemble and how they are trained."""
    return EnsembleSettings(
        n_networks=config.n_networks,
        network_features=config.network_features,
        tangent_space=config.tangent_space,
        discriminant=config.discriminant,
        thinned=config.thinned,
        steps=config.encoder_steps,
        epochs=config.encoder_epochs,
        batch=config.encoder_batch,
        lr=config.encoder_lr,
        weight_decay=config.encoder_weight_decay,
        mixup=config.signal_mixup,
        shift=config.signal_shift,
        scale=config.signal_scale,
        channel_dropout=config.channel_dropout,
        dropout=config.dropout,
        equal_votes=config.equal_votes,
    )


def encoder_plan(config: Config) -> EncoderPlan:
    """Return the ensemble as an encoder of the experiment."""
    settings = ensemble_settings(config)
    return EncoderPlan(
        name="ensemble",
        objective="softmax",
        spec=partial(ensemble_spec, settings),
        train=partial(train_encoder, settings),
    )


@dataclass(frozen=True)
class BestPainter:
    """Builds the generator, its discriminator and their train step."""

    config: Config
    noise = "normal"
    condition_on = "features"

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
        config = self.config
        transposed = config.generator == "transposed"
        return {
            "network": "DCGANGenerator" if transposed else "UpsamplingGenerator",
            "settings": {
                "n_noise": config.n_noise,
                "n_features": self._n_features(n_classes),
                "size": config.image_size,
                "color": color,
                "width": config.generator_width,
                **({"he_init": True} if transposed else {}),
            },
        }

    def discriminator_spec(self, *, color: int, n_classes: int) -> dict[str, Any]:
        """Return what `build_network` needs to build the discriminator."""
        config = self.config
        dcgan = config.discriminator == "dcgan"
        return {
            "network": "DCGANDiscriminator" if dcgan else "ProjectionDiscriminator",
            "settings": {
                "n_features": self._n_features(n_classes),
                "size": config.image_size,
                "color": color,
                "width": config.discriminator_width,
                **({"batch_norm": False, "he_init": True} if dcgan else {}),
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
        """Build generator, discriminator and their train step; for few pictures if not told."""
        config = self.config
        with seeded(derive_seed(seed, "GAN weights")):
            generator = build_network(self.spec(color=color, n_classes=n_classes))
            discriminator = build_network(self.discriminator_spec(color=color, n_classes=n_classes))
        return GANStep(
            generator,
            discriminator,
            rng=seeded_generator(seed, "GAN"),
            lr_generator=config.generator_lr,
            lr_discriminator=config.discriminator_lr,
            betas=(config.beta1, config.beta2),
            mode_seeking=config.mode_seeking,
            mode_seeking_every=config.mode_seeking_every,
            guide=None if guide is None else guide.network,
            guidance=config.guidance * (1 + self.by_heart(n_pictures)),
            schedule="cosine",
            n_steps=config.generator_steps,
            policy=config.augment,
            feature_jitter=config.feature_jitter,
            r1=config.r1 * self.by_heart(n_pictures),
            ema_decay=config.ema or None,
            devices=devices,
        )

    def by_heart(self, n_pictures: int | None) -> float:
        """Return how far the discriminator comes to know so many pictures by heart, 0 to 1."""
        config = self.config
        times = config.generator_steps * config.generator_batch / (n_pictures or 1)
        return min(1.0, max(0.0, (times - NEW) / (BY_HEART - NEW)))

    def _n_features(self, n_classes: int) -> int:
        return n_ensemble_features(ensemble_settings(self.config), n_classes=n_classes)


def _check(config: Config, *, n_classes: int, n_devices: int) -> None:
    """Refuse an ensemble without members, and batches that the devices cannot share."""
    if not (config.n_networks or config.tangent_space or config.discriminant):
        raise ValueError(
            "an ensemble must have a member; got 0 networks, no tangent space and no "
            "discriminant. Set --n-networks to 1 or more."
        )
    check_batches(
        {
            "`--encoder-batch`": config.encoder_batch,
            "`--generator-batch`": config.generator_batch,
        },
        n_classes=n_classes,
        n_devices=n_devices,
    )
