import sys

import pytest

from phosphene import recipes

FAKE = """
from pathlib import Path
from phosphene.recipe import Recipe
RECIPE = Recipe(
    key={key!r}, title="Fake", task="signal to picture", paper="", url="", wants="",
    presets={{}}, published={{}}, train=list, evaluate=list, module_folder=Path(__file__).parent,
)
"""


@pytest.fixture
def add_recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(tmp_path)])

    def add(folder, *, key=None):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text(FAKE.format(key=key or folder))

    yield add
    for folder in tmp_path.iterdir():
        sys.modules.pop(f"phosphene.recipes.{folder.name}", None)
        vars(recipes).pop(folder.name, None)


def test_a_new_folder_is_found_without_listing_it(add_recipe):
    add_recipe("zz_fake_2020")
    assert "zz_fake_2020" in recipes.find_recipes()
    assert recipes.get_recipe("zz_fake_2020").title == "Fake"


def test_recipes_come_sorted(add_recipe):
    add_recipe("zz_fake_2020")
    add_recipe("aa_fake_2020")
    assert list(recipes.find_recipes()) == sorted(recipes.find_recipes())


def test_unknown_recipe_is_refused_with_the_nearest(add_recipe):
    add_recipe("zz_fake_2020")
    with pytest.raises(ValueError, match="Did you mean 'zz_fake_2020'"):
        recipes.get_recipe("zz_fake2020")


def test_key_must_be_the_folder_name(add_recipe):
    add_recipe("zz_fake_2020", key="zz_fake_2021")
    with pytest.raises(ValueError, match="must be its folder's name"):
        recipes.find_recipes()
