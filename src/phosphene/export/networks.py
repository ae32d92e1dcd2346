"""Networks by the name that a bundle's spec gives them; nothing else can be built from a file."""

import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from torch import nn

from phosphene import models
from phosphene._checks import check_option


@cache
def networks() -> dict[str, type[nn.Module]]:
    """Return the classes that `phosphene.models` defines in its sub-packages, by their name."""
    found = {}
    for module in pkgutil.walk_packages(models.__path__, f"{models.__name__}."):
        for name, member in vars(import_module(module.name)).items():
            if (
                inspect.isclass(member)
                and issubclass(member, nn.Module)
                and member.__module__ == module.name
                and module.name.count(".") > 2  # parts shared by networks are no networks
            ):
                found[name] = member
    return found


def build_network(spec: Mapping[str, Any]) -> nn.Module:
    """Build a network from `{"network": name, "settings": {...}}`, weights not loaded.

    Raises
    ------
    ValueError
        For an unknown network, or settings that it does not have or take.
    """
    name, settings = str(spec.get("network")), dict(spec.get("settings", {}))
    check_option("network", name, networks())
    network = networks()[name]
    known = inspect.signature(network).parameters
    for key, value in settings.items():
        check_option(f"setting of {name}", key, known)
        plain = isinstance(value, bool | int | float | str) or (
            isinstance(value, list) and all(isinstance(item, int) for item in value)
        )
        if not plain or (isinstance(value, int | float) and abs(value) > 1e5):
            raise ValueError(
                f"a setting must be a plain value of a sensible size; `{key}` of {name} is "
                f"{value!r}. Take the bundle from its author again."
            )
    plain_settings = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    try:
        return network(**plain_settings)
    except TypeError as error:
        raise ValueError(
            f"the settings of {name} must build it; they do not ({error}). "
            "Take the bundle from its author again."
        ) from None
