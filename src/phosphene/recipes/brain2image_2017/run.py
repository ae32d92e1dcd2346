"""Brain2Image: its encoder, its GAN and VAE, and the experiment with them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from phosphene.data.trials import Trials
from phosphene.experiment.encoding import EncoderSettings, train_encoder
from phosphene.experiment.painting import check_batches
from phosphene.experiment.plan import EncoderPlan, PainterStep, Plan
from phosphene.export.networks import build_network
from phosphene.recipes.brain2image_2017 import interpolation, scoring
from phosphene.recipes.brain2image_2017.config import Config
from phosphene.training.batches import rows_per_class
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE, Devices, check_divisible
from phosphene.training.gan_step import GANStep
from phosphene.training.seeding import derive_seed, seeded, seeded_generator
from phosphene.training.vae_step import VAEStep

CITATION = (
    "Kavasidis et al., Brain2Image, ACM Multimedia 2017, https://doi.org/10.1145/3123266.3127907"
)
TORCH_EPS = 1e-8
"""Adam's term under the fraction in torch, which the authors use."""
SAME = "the same network, epochs and optimiser as the class-trained one; triplets are not published"


def make_plan(config: Config) -> Plan:
    """Return the encoders and the painter that the settings describe."""
    painter = Brain2ImagePainter(config)
    return Plan(
        recipe="brain2image_2017",
        citation=CITATION,
        encoder=encoder_plan(config),
        compared=triplet_plan(config) if config.compare_triplets else None,
        painter=painter,
        check=partial(_check, config),
        after_painting=partial(interpolation.interpolate, config, painter),
        extra_scores=scoring.extra_scores,
    )


def encoder_plan(config: Config) -> EncoderPlan:
    """Return the encoder that is trained to tell classes apart."""
    spec = partial(encoder_spec, config)
    settings = EncoderSettings(
        spec=spec,
        objective="softmax",
        epochs=config.encoder_epochs,
        batch=config.encoder_batch,
        lr=config.encoder_lr,
        eps=TORCH_EPS,
        balanced=config.balanced_batches,
    )
    return EncoderPlan(
        name=config.encoder,
        objective="softmax",
        spec=spec,
        train=partial(train_encoder, settings),
    )


def triplet_plan(config: Config) -> EncoderPlan:
    """Return the same encoder trained with triplets, to compare with."""
    spec = partial(encoder_spec, config)
    settings = EncoderSettings(
        spec=spec,
        objective="triplet",
        epochs=config.encoder_epochs,
        batch=config.compare_batch,
        lr=config.encoder_lr,
        eps=TORCH_EPS,
        margin=config.margin,
    )
    return EncoderPlan(
        name=f"compared {config.encoder}",
        objective="triplet",
        spec=spec,
        train=partial(train_encoder, settings),
        note=SAME,
    )


def encoder_spec(config: Config, trials: Trials) -> dict[str, Any]:
    """Return what `build_network` needs to know about the encoder."""
    settings = {"n_chans": trials.n_chans, "n_features": config.n_features}
    if config.encoder == "lstm":
        return {"network": "HumanMindLSTM", "settings": settings}
    window = {"n_times": trials.n_times, "sfreq": float(trials.sfreq)}
    return {"network": "TransformerEncoder", "settings": {**settings, **window}}


@dataclass(frozen=True)
class Brain2ImagePainter:
    """Builds the conditional GAN or VAE and its train step."""

    config: Config
    noise = "normal"
    condition_on = "features"
    guided = False
    guide_policy = ()

    def spec(self, *, color: int, n_classes: int) -> dict[str, Any]:
        """Return what `build_network` needs to build the generator."""
        del n_classes  # the condition is the feature
        return self._network("Brain2ImageGenerator", color, width=self.config.generator_width)

    def make(
        self,
        *,
        color: int,
        n_classes: int,
        n_pictures: int | None = None,
        seed: int,
        guide: ClassifierStep | None = None,
        devices: Devices = ALONE,
    ) -> PainterStep:
        """Build the networks and their train step."""
        del n_pictures, guide  # no setting bears on either
        config, width = self.config, self.config.discriminator_width
        betas = (config.beta1, config.beta2)
        if config.generator == "vae":
            with seeded(derive_seed(seed, "VAE weights")):
                decoder = build_network(self.spec(color=color, n_classes=n_classes))
                encoder = build_network(self._network("PictureEncoder", color, width=width))
            return VAEStep(
                decoder,
                encoder,
                rng=seeded_generator(seed, "VAE"),
                lr=config.generator_lr,
                betas=betas,
                likelihood=config.likelihood,
                kl_weight=config.kl_weight,
                n_kl_warmup=config.kl_warmup,
                devices=devices,
            )
        judging = self._network("Brain2ImageDiscriminator", color, width=width)
        del judging["settings"]["n_noise"]
        with seeded(derive_seed(seed, "GAN weights")):
            generator = build_network(self.spec(color=color, n_classes=n_classes))
            discriminator = build_network(judging)
        return GANStep(
            generator,
            discriminator,
            rng=seeded_generator(seed, "GAN"),
            lr_generator=config.generator_lr,
            lr_discriminator=config.discriminator_lr,
            betas=betas,
            eps=TORCH_EPS,
            loss="bce",
            noise=self.noise,
            mode_seeking=0.0,
            policy=(),
            mismatch=config.mismatch,
            devices=devices,
        )

    def _network(self, name: str, color: int, *, width: int) -> dict[str, Any]:
        config = self.config
        settings = {
            "n_noise": config.n_noise,
            "n_features": config.n_features,
            "size": config.image_size,
            "color": color,
            "width": width,
        }
        return {"network": name, "settings": settings}


def _check(config: Config, *, n_classes: int, n_devices: int) -> None:
    """Refuse batches without pairs for triplets, or that the devices cannot share."""
    if config.compare_triplets and rows_per_class(config.compare_batch, n_classes=n_classes) < 2:
        raise ValueError(
            f"a batch must hold 2 trials of each class for triplets; got --compare-batch "
            f"{config.compare_batch} for {n_classes} classes. Give --compare-batch "
            f"{2 * n_classes} or more, or --no-compare-triplets to leave the comparison out."
        )
    sizes = {"`--generator-batch`": config.generator_batch}
    if config.compare_triplets:
        sizes["`--compare-batch`"] = config.compare_batch
    if config.balanced_batches:
        sizes["`--encoder-batch`"] = config.encoder_batch
    else:
        check_divisible("`--encoder-batch`", config.encoder_batch, n_devices)
    check_batches(sizes, n_classes=n_classes, n_devices=n_devices)
