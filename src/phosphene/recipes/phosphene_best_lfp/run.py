"""Our own system from pictures to LFP: a predicted response, and a flow for what varies."""

from functools import partial
from typing import Any

from phosphene.experiment.responses.plan import Pretrained, ResponsePlan, SystemPlan
from phosphene.experiment.responses.session import Session
from phosphene.export.networks import build_network
from phosphene.recipes.phosphene_best_lfp.config import Config
from phosphene.recipes.phosphene_best_lfp.fitting import fit_generator
from phosphene.training.flow_step import FlowStep
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

CITATION = "Lipman et al., ICLR 2023; Kay et al., Nature 2008; put together and measured here"
SYSTEM = "flow"
WITHOUT_FLOW = "normal law"
WARMUP_SHARE = 0.05
"""Of the updates, in which the step rises."""


def make_plan(config: Config) -> ResponsePlan:
    """Return the one system, without autoencoders."""
    system = SystemPlan(
        name=SYSTEM if config.flow else WITHOUT_FLOW,
        pretrained=False,
        uses_pictures=config.features != "none",
        n_steps=config.generator_steps if config.flow else 1,  # nobody asks it, one is the least
        spec=partial(generator_spec, config),
        make=partial(make_step, config),
    )
    return ResponsePlan(
        recipe="phosphene_best_lfp",
        citation=CITATION,
        signal_autoencoder=None,
        picture_autoencoder=None,
        autoencoder_lr=1e-3,
        autoencoder_betas=(0.0, 0.999),
        systems=(system,),
    )


def generator_spec(config: Config, session: Session) -> dict[str, Any]:
    """Return what `build_network` needs to build the generator."""
    return {
        "network": "LFPFlow",
        "settings": {
            "n_chans": session.n_chans,
            "n_times": session.n_times,
            "size": list(config.picture_size),
            "features": config.features,
            "n_patterns": config.n_patterns,
            "n_components": config.n_components,
            "n_flow": config.n_flow,
            "width": config.width,
            "n_blocks": config.n_blocks,
            "dropout": config.dropout,
            "n_ode_steps": config.n_ode_steps,
            "predicted_mean": config.predicted_mean,
            "uses_flow": config.flow,
        },
    }


def make_step(config: Config, session: Session, pretrained: Pretrained, seed: int) -> FlowStep:
    """Build the generator, fit what has a closed form, and return what trains its flow.

    Showings of test pictures are not looked at.
    """
    del pretrained
    with seeded(derive_seed(seed, "weights")):
        generator: Any = build_network(generator_spec(config, session))
    rows = session.rows["train"]
    fit_generator(
        generator,
        session.signals[rows],
        session.picture[rows],
        session.pictures,
        n_folds=config.ridge_folds,
        remainder=config.remainder,
        equal_noise=config.equal_noise,
        seed=seed,
    )
    return FlowStep(
        generator,
        rng=seeded_generator(seed, "flow"),
        lr=config.lr,
        weight_decay=config.weight_decay,
        condition_jitter=config.condition_jitter,
        ema_decay=config.ema or None,
        schedule="cosine",
        n_steps=config.generator_steps,
        n_warmup=round(WARMUP_SHARE * config.generator_steps),
    )
