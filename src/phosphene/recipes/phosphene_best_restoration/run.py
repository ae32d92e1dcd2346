"""Our own system that restores pictures: one network, trained to the mean of what may be there."""

from functools import partial
from typing import Any

from phosphene.experiment.restoration.pictures import Pictures
from phosphene.experiment.restoration.plan import RestorationPlan, SystemPlan
from phosphene.export.networks import build_network
from phosphene.recipes.phosphene_best_restoration.config import Config
from phosphene.training.restoration_step import RestorationStep
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

CITATION = "put together and measured here; parts as its README names them"
SYSTEM = "view of the whole"
LOCAL = "convolutions alone"
GLOBAL = "dense layers alone"


def make_plan(config: Config) -> RestorationPlan:
    """Return the one system."""
    name = SYSTEM if config.skips else GLOBAL
    system = SystemPlan(
        name=name if config.hidden else LOCAL,
        spec=partial(network_spec, config),
        make=partial(make_step, config),
    )
    return RestorationPlan(
        recipe="phosphene_best_restoration", citation=CITATION, systems=(system,)
    )


def network_spec(config: Config, pictures: Pictures) -> dict[str, Any]:
    """Return what `build_network` needs to build the network."""
    return {
        "network": "RestorationNetwork",
        "settings": {
            "size": list(pictures.size),
            "color": pictures.color,
            "hidden": config.hidden,
            "n_blocks": config.n_blocks,
            "n_context": config.n_context,
            "width": config.width,
            "n_convolutions": config.n_convolutions,
            "skips": config.skips,
            "dropout": config.dropout,
        },
    }


def make_step(
    config: Config, pictures: Pictures, *, lr: float, seed: int, n_steps: int
) -> RestorationStep:
    """Build the network and its train step."""
    with seeded(derive_seed(seed, "weights")):
        network: Any = build_network(network_spec(config, pictures))
    network.start_bias(pictures.mean)
    return RestorationStep(
        network,
        rng=seeded_generator(seed, "restoration"),
        corruption=pictures.corruption,
        loss=config.loss,
        lr=lr,
        clip=config.clip or None,
        ema_decay=config.ema or None,
        schedule=config.schedule,
        n_steps=n_steps,
        n_warmup=config.warmup,
    )
