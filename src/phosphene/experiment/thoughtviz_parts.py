"""Encoder and painter that ThoughtViz and its baselines AC-GAN and DeLiGAN share.

A recipe says in which places its system differs from the others: what the Gaussian layer works on,
how noise and condition meet, what the condition is, and which classifier judges classes.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from phosphene.data.trials import Trials
from phosphene.experiment.encoding import EncoderSettings, train_encoder
from phosphene.experiment.painting import check_batches
from phosphene.experiment.plan import EncoderPlan, Plan
from phosphene.experiment.thoughtviz_settings import ThoughtVizSettings
from phosphene.export.networks import build_network
from phosphene.models.encoders.thoughtviz_cnn import thoughtviz_head
from phosphene.training.auxiliary_gan_step import AuxiliaryGANStep
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE, Devices
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

ENCODER = "thoughtviz_cnn"
"""What scores call the EEG classifier."""


@dataclass(frozen=True, kw_only=True)
class ThoughtVizPainter:
    """Builds generator, discriminator and train step of ThoughtViz or of one of its baselines."""

    settings: ThoughtVizSettings
    mixture: str
    """What the Gaussian layer works on: "z", the "joined" vector [z | condition], or "none"."""
    fusion: str = "concatenate"
    """How noise and condition meet in the generator of objects: "concatenate" or "multiply"."""
    condition_on: str = "features"
    """What the generator is fed: EEG "features", or the decoded "label", one-hot."""
    auxiliary: float = 0.0
    """Weight of a class head of the discriminator's own; 0 builds none."""
    guidance: float = 0.0
    """Weight of a frozen picture classifier; 0 trains none."""
    noise: str = "uniform"
    guide_policy: tuple[str, ...] = ()

    @property
    def guided(self) -> bool:
        """Whether a frozen picture classifier shows the generator the class of its trial."""
        return self.guidance > 0

    def spec(self, *, color: int, n_classes: int) -> dict[str, Any]:
        """Return what `build_network` needs to build the generator."""
        settings = self.settings
        found = {
            "n_noise": settings.n_noise,
            "n_features": n_classes if self.condition_on == "label" else settings.n_features,
            "size": settings.image_size,
            "color": color,
            "width": settings.generator_width,
            "mixture": self.mixture,
        }
        if settings.networks == "glyph":
            return {"network": "ThoughtVizGlyphGenerator", "settings": found}
        found |= {"fusion": self.fusion, "rectified": settings.rectified}
        return {"network": "ThoughtVizImageGenerator", "settings": found}

    def make(
        self,
        *,
        color: int,
        n_classes: int,
        n_pictures: int | None = None,
        seed: int,
        guide: ClassifierStep | None = None,
        devices: Devices = ALONE,
    ) -> AuxiliaryGANStep:
        """Build generator, discriminator and their train step."""
        del n_pictures  # no setting bears on how many there are
        settings = self.settings
        with seeded(derive_seed(seed, "GAN weights")):
            generator = build_network(self.spec(color=color, n_classes=n_classes))
            discriminator = build_network(self._discriminator(color=color, n_classes=n_classes))
        return AuxiliaryGANStep(
            generator,
            discriminator,
            rng=seeded_generator(seed, "GAN"),
            lr_generator=settings.generator_lr,
            lr_discriminator=settings.discriminator_lr,
            betas=(settings.beta1, settings.beta2),
            noise=self.noise,
            auxiliary=self.auxiliary,
            guide=None if guide is None else guide.network,
            guidance=self.guidance,
            inference_mode=settings.inference_mode,
            separate_pass=settings.separate_pass,
            devices=devices,
        )

    def _discriminator(self, *, color: int, n_classes: int) -> dict[str, Any]:
        settings = self.settings
        found: dict[str, Any] = {
            "size": settings.image_size,
            "color": color,
            "width": settings.discriminator_width,
        }
        if self.auxiliary:
            found["n_classes"] = n_classes
        if settings.networks == "glyph":
            return {"network": "ThoughtVizGlyphDiscriminator", "settings": found}
        found["dropout"] = settings.dropout
        return {"network": "ThoughtVizImageDiscriminator", "settings": found}


def make_plan(
    settings: ThoughtVizSettings, *, recipe: str, citation: str, painter: ThoughtVizPainter
) -> Plan:
    """Return the plan of a recipe that decodes by the EEG classifier of ThoughtViz.

    Parameters
    ----------
    settings
        Of the recipe.
    recipe
        Its key.
    citation
        Authors, title, venue, year and link, for the model card.
    painter
        What draws its pictures.
    """
    return Plan(
        recipe=recipe,
        citation=citation,
        encoder=encoder_plan(settings),
        painter=painter,
        check=partial(_check, settings),
    )


def encoder_plan(settings: ThoughtVizSettings) -> EncoderPlan:
    """Return the EEG classifier, trained by cross-entropy and gradient descent."""
    spec = partial(encoder_spec, settings)
    training = EncoderSettings(
        spec=spec,
        objective="softmax",
        epochs=settings.encoder_epochs,
        batch=settings.encoder_batch,
        optimizer="sgd",
        lr=settings.encoder_lr,
        momentum=settings.encoder_momentum,
        nesterov=settings.encoder_momentum > 0,
        lr_decay=settings.encoder_lr_decay,
        head=partial(thoughtviz_head, norm_momentum=settings.norm_momentum),
    )
    return EncoderPlan(
        name=ENCODER, objective="softmax", spec=spec, train=partial(train_encoder, training)
    )


def encoder_spec(settings: ThoughtVizSettings, trials: Trials) -> dict[str, Any]:
    """Return what `build_network` needs to know about the EEG classifier up to its features."""
    return {
        "network": "ThoughtVizCNN",
        "settings": {
            "n_chans": trials.n_chans,
            "n_times": trials.n_times,
            "n_features": settings.n_features,
            "norm_momentum": settings.norm_momentum,
        },
    }


def _check(settings: ThoughtVizSettings, *, n_classes: int, n_devices: int) -> None:
    """Refuse batches that the devices cannot share."""
    check_batches(
        {
            "`--encoder-batch`": settings.encoder_batch,
            "`--generator-batch`": settings.generator_batch,
        },
        n_classes=n_classes,
        n_devices=n_devices,
    )
