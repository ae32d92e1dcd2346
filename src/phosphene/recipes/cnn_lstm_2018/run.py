"""The CNN-LSTM paper: one encoder-decoder whose decoder is an LSTM, two whose decoder is a CNN."""

from functools import partial
from typing import Any

from phosphene.experiment.restoration.pictures import Pictures
from phosphene.experiment.restoration.plan import RestorationPlan, SystemPlan
from phosphene.export.networks import build_network
from phosphene.recipes.cnn_lstm_2018.config import Config
from phosphene.training.restoration_step import RestorationStep
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

CITATION = "Haque, Yousuf and Rana, arXiv:1801.05141, 2018"


def make_plan(config: Config) -> RestorationPlan:
    """Return the networks as the settings describe them."""
    return RestorationPlan(
        recipe="cnn_lstm_2018",
        citation=CITATION,
        systems=tuple(
            SystemPlan(
                name=name,
                spec=partial(network_spec, config, name),
                make=partial(make_step, config, name),
            )
            for name in config.systems
        ),
    )


def network_spec(config: Config, name: str, pictures: Pictures) -> dict[str, Any]:
    """Return what `build_network` needs to build one of the networks."""
    settings: dict[str, Any] = {
        "size": list(pictures.size),
        "color": pictures.color,
        "dropout": config.dropout,
    }
    if name != "CNN-CNN without bottleneck":
        settings["n_code"] = config.n_code
    if name != "CNN-LSTM":
        return {"network": "CNNCNN", "settings": settings}
    settings |= {"hidden": config.hidden, "n_layers": config.n_layers}
    return {"network": "CNNLSTM", "settings": settings}


def make_step(
    config: Config, name: str, pictures: Pictures, *, lr: float, seed: int, n_steps: int
) -> RestorationStep:
    """Build a network and its train step, with the same care for each.

    The output begins at the mean training picture, gradients are clipped, the learning rate rises
    over the first iterations and stays, and the average of the weights restores.
    """
    with seeded(derive_seed(seed, "weights")):
        network: Any = build_network(network_spec(config, name, pictures))
    network.start_bias(pictures.mean)
    return RestorationStep(
        network,
        rng=seeded_generator(seed, "restoration"),
        corruption=pictures.corruption,
        loss=config.loss,
        optimizer=config.optimizer,
        lr=lr,
        l2=config.l2,
        clip=config.clip or None,
        ema_decay=config.ema or None,
        schedule="constant",
        n_steps=n_steps,
        n_warmup=config.warmup,
    )
