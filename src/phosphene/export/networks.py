"""Networks by the name that a bundle's spec gives them; nothing else can be built from a file."""

import inspect
import math
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from torch import nn

from phosphene import models
from phosphene._checks import check_option
from phosphene.models.autoencoders.lfp_picture import N_CODE_CHANS, LFPPictureEncoder
from phosphene.models.autoencoders.lfp_signal import N_LATENT_CHANS, SignalDecoder
from phosphene.models.generators.lfpgan import LFPGenerator, RandomInput

MAX_SETTING = 1e5
"""Largest number that a setting may be."""
MAX_PICTURE_SIZE = 1024
MAX_LISTED = 2048
"""Largest number in a list, such as the rows and columns of a picture."""
MAX_LIST = 16


def lfp_generator(
    n_chans: int = 22, n_times: int = 313, size: tuple[int, int] | None = None
) -> LFPGenerator:
    """Build the LFPGAN thesis' generator from plain values.

    Parameters
    ----------
    n_chans
        Channels of the probe.
    n_times
        Samples of a window; 313 with pictures.
    size
        Rows and columns of the pictures, a key of `lfp_picture.ENCODER_ROWS`; None builds it
        without pictures.
    """
    encoder = None if size is None else LFPPictureEncoder(size)
    n_out = N_LATENT_CHANS - (0 if encoder is None else N_CODE_CHANS)
    return LFPGenerator(SignalDecoder(n_chans, n_times), RandomInput(n_times, n_out=n_out), encoder)


MADE_BY: dict[str, Callable[..., nn.Module]] = {"LFPGenerator": lfp_generator}
"""Functions that build networks whose own arguments are no plain values."""


@cache
def networks(kind: str | None = None) -> dict[str, type[nn.Module]]:
    """Return the classes that the sub-packages of `phosphene.models` define, by their name.

    Parameters
    ----------
    kind
        Sub-package to look in, as in "encoders"; all of them if None.
    """
    found = {}
    for module in pkgutil.walk_packages(models.__path__, f"{models.__name__}."):
        parts = module.name.split(".")
        if len(parts) < 4 or kind not in (None, parts[2]):
            continue  # parts shared by networks are no networks
        for name, member in vars(import_module(module.name)).items():
            if (
                inspect.isclass(member)
                and issubclass(member, nn.Module)
                and member.__module__ == module.name
            ):
                found[name] = member
    return found


def build_network(spec: Any, *, kind: str | None = None) -> nn.Module:
    """Build a network from `{"network": name, "settings": {...}}`, weights not loaded.

    Parameters
    ----------
    spec
        Plain values, perhaps from a file that somebody else wrote.
    kind
        Sub-package of `phosphene.models` that the network must come from; any if None.

    Raises
    ------
    ValueError
        For an unknown network, or settings that it does not have or take.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("settings", {}), Mapping):
        raise ValueError(
            f"a network is described by its name and its settings; got {_short(spec)}. "
            "Correct spec.json of the bundle."
        )
    name, settings = str(spec.get("network")), spec.get("settings", {})
    check_option("network", name, networks(kind))
    network = MADE_BY.get(name, networks(kind)[name])
    known = inspect.signature(network).parameters
    for key, value in settings.items():
        check_option(f"setting of {name}", key, known)
        limit = MAX_PICTURE_SIZE if key == "size" else MAX_SETTING
        limit = MAX_LISTED if isinstance(value, list) and key == "size" else limit
        if not _is_plain(value, limit=limit):
            raise ValueError(
                f"a setting must be a plain value, numbers from 0 to {limit:g}; `{key}` of {name} "
                f"is {_short(value)}. Correct the option, or spec.json of the bundle."
            )
    plain_settings = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    try:
        return network(**plain_settings)
    except (
        TypeError,
        ValueError,
        RuntimeError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as error:
        raise ValueError(
            f"the settings of {name} must build it; they do not ({_short(error)}). "
            "Correct the options, or spec.json of the bundle."
        ) from None


def _is_plain(value: Any, *, limit: int | float) -> bool:
    if isinstance(value, list):
        return len(value) <= MAX_LIST and all(
            isinstance(item, int) and 0 < item <= limit for item in value
        )
    if isinstance(value, bool) or (isinstance(value, str) and len(value) <= 100):
        return True
    return isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= limit


def _short(value: object) -> str:
    """Return the first line of a value, cut to what fits into a message."""
    text = str(value) if isinstance(value, Exception) else repr(value)
    first = text.strip().splitlines()[0] if text.strip() else type(value).__name__
    return first if len(first) <= 100 else first[:97] + "..."
