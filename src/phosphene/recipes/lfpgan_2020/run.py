"""The LFPGAN thesis: autoencoders of windows and pictures, then GANs with and without them."""

from copy import deepcopy
from functools import partial
from typing import Any

from phosphene.experiment.responses.plan import Pretrained, ResponsePlan, SystemPlan
from phosphene.experiment.responses.session import Session
from phosphene.export.networks import build_network
from phosphene.models.autoencoders.lfp_picture import LFPPictureAutoencoder, LFPPictureEncoder
from phosphene.models.autoencoders.lfp_signal import SignalAutoencoder, SignalEncoder
from phosphene.models.discriminators.lfpgan import Combination, LFPCritic
from phosphene.recipes.lfpgan_2020.config import Config
from phosphene.training.seeding import derive_seed, seeded, seeded_generator
from phosphene.training.wgan_step import WGANStep

CITATION = "Asprusten, master's thesis, University of Oslo, 2020"


def make_plan(config: Config) -> ResponsePlan:
    """Return autoencoders and GANs as the settings describe them."""
    return ResponsePlan(
        recipe="lfpgan_2020",
        citation=CITATION,
        signal_autoencoder=lambda session: SignalAutoencoder(session.n_chans, session.n_times),
        picture_autoencoder=lambda session: LFPPictureAutoencoder(config.picture_size),
        autoencoder_lr=config.lr,
        autoencoder_betas=(config.beta1, config.beta2),
        systems=tuple(system_plan(config, name) for name in config.systems),
    )


def system_plan(config: Config, name: str) -> SystemPlan:
    """Return one of the four GANs by its name."""
    uses_pictures = "without pictures" not in name
    return SystemPlan(
        name=name,
        pretrained=name.startswith("pre-trained"),
        uses_pictures=uses_pictures,
        n_steps=config.generator_steps if uses_pictures else config.steps_without_pictures,
        spec=partial(generator_spec, config, uses_pictures=uses_pictures),
        make=partial(make_step, config, uses_pictures=uses_pictures),
    )


def generator_spec(config: Config, session: Session, *, uses_pictures: bool) -> dict[str, Any]:
    """Return what `build_network` needs to build the generator."""
    settings: dict[str, Any] = {"n_chans": session.n_chans, "n_times": session.n_times}
    if uses_pictures:
        settings["size"] = list(config.picture_size)
    return {"network": "LFPGenerator", "settings": settings}


def make_step(
    config: Config, session: Session, pretrained: Pretrained, seed: int, *, uses_pictures: bool
) -> WGANStep:
    """Build generator, critic and their train step; pre-trained parts are copied into both.

    The decoder of the signal autoencoder goes into the generator, its encoder into the critic, and
    the encoder of pictures into both (figure 4.1).
    """
    with seeded(derive_seed(seed, "weights")):
        spec = generator_spec(config, session, uses_pictures=uses_pictures)
        generator: Any = build_network(spec)
        encoder = SignalEncoder(session.n_chans, session.n_times)
        combination = Combination(
            12 if uses_pictures else 10, n_latent=encoder.n_latent, dropout=config.dropout
        )
        pictures = LFPPictureEncoder(config.picture_size) if uses_pictures else None
        critic: Any = LFPCritic(encoder, combination, pictures)
    if pretrained.signals is not None:
        generator.decoder.load_state_dict(_weights(pretrained.signals.decoder))
        critic.encoder.load_state_dict(_weights(pretrained.signals.encoder))
    if pretrained.pictures is not None and uses_pictures:
        for network in (generator, critic):
            network.picture_encoder.load_state_dict(_weights(pretrained.pictures.encoder))
    return WGANStep(
        generator,
        critic,
        rng=seeded_generator(seed, "GAN"),
        generator_lr=config.lr,
        critic_lr=config.lr,
        betas=(config.beta1, config.beta2),
        n_critic=config.n_critic,
        penalty=config.penalty,
        penalty_weight=config.penalty_weight,
        distance_weighted=config.distance_weighted,
    )


def _weights(network: Any) -> dict[str, Any]:
    return deepcopy(network.state_dict())
