"""One folder per published system, found by scanning."""

import pkgutil
from importlib import import_module

from phosphene._checks import check_option
from phosphene.recipe import Recipe


def find_recipes() -> dict[str, Recipe]:
    """Return every recipe by its key; torch is not imported."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            continue
        recipe = import_module(f"{__name__}.{module.name}").RECIPE
        if recipe.key != module.name:
            raise ValueError(
                f"a recipe's key must be its folder's name; {module.name} has {recipe.key!r}."
            )
        found[recipe.key] = recipe
    return dict(sorted(found.items()))


def get_recipe(key: str) -> Recipe:
    """Return one recipe, naming the nearest where there is none of this key."""
    recipes = find_recipes()
    check_option("recipe", key, recipes)
    return recipes[key]
