import pickle
import re
import sys
from dataclasses import asdict, fields
from importlib import import_module
from pathlib import Path

import pytest

from phosphene import recipes
from phosphene.recipes import find_recipes
from phosphene.reporting.recipe_page import read_results, setting_docs

PROJECT = Path(__file__).resolve().parents[2]
RECIPES = find_recipes()
PAINTING = [key for key, recipe in RECIPES.items() if recipe.task == "signal to picture"]

every_recipe = pytest.mark.parametrize("key", RECIPES)
painting_recipes = pytest.mark.parametrize("key", PAINTING)

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


# What every recipe's folder says; what it does when it is trained is in test_contract.py.


@every_recipe
def test_metadata_are_complete(key):
    recipe = RECIPES[key]
    texts = (recipe.title, recipe.paper, recipe.wants)
    assert all(text.strip() for text in texts)
    assert re.fullmatch(r"https://\S+", recipe.url) or recipe.paper.startswith("none")
    assert recipe.url or not recipe.published, "published numbers need a source"
    assert recipe.module_folder.resolve().name == key


@every_recipe
def test_recipe_can_be_handed_to_another_process(key):
    again = pickle.loads(pickle.dumps(RECIPES[key]))
    assert again.key == key
    assert again.config("smoke") == RECIPES[key].config("smoke")
    assert again.module_folder == RECIPES[key].module_folder


@every_recipe
def test_presets_give_settings_of_one_kind(key):
    recipe = RECIPES[key]
    assert {"quick", "smoke"} <= recipe.presets.keys()
    configs = {name: recipe.config(name) for name in recipe.presets}
    assert len({type(config) for config in configs.values()}) == 1
    for name, config in configs.items():
        assert recipe.config(name) == config
        plain = (str, int, float, bool, type(None), tuple)
        assert all(isinstance(value, plain) for value in asdict(config).values())
        recipe.variants(config)


@every_recipe
def test_presets_are_functions_of_its_settings_file_under_their_names(key):
    config = import_module(f"phosphene.recipes.{key}.config")
    presets = RECIPES[key].presets
    assert presets == {name: getattr(config, name) for name in presets}


@every_recipe
def test_every_setting_says_what_it_is(key):
    settings = type(RECIPES[key].config("smoke"))
    documented = {name for name, text in setting_docs(settings).items() if len(text) > 10}
    assert documented == {field.name for field in fields(settings)}


@every_recipe
def test_readme_cites_the_paper_and_names_every_preset(key):
    recipe = RECIPES[key]
    readme = (recipe.module_folder / "README.md").read_text(encoding="utf-8")
    assert re.search(r"```bibtex\n@\w+\{\w+,\n", readme)
    rows = re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)
    assert [name for name in recipe.presets if name not in rows] == []


@every_recipe
def test_the_front_page_lists_it_with_its_presets(key):
    page = (PROJECT / "README.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{key}` \|.*$", page, re.MULTILINE)
    assert row, "add it to the table of systems"
    assert [name for name in RECIPES[key].presets if f"`{name}`" not in row[0]] == []


@every_recipe
def test_published_numbers_are_those_of_its_results(key):
    def numbers(tree):
        if isinstance(tree, dict | list):
            for each in tree.values() if isinstance(tree, dict) else tree:
                yield from numbers(each)
        else:
            yield tree

    recipe = RECIPES[key]
    results = read_results(recipe)
    assert results.keys() == {"published", "ours"}
    printed = list(numbers(results["published"]))
    stated = {name: value for name, value in recipe.published.items() if "chance" not in name}
    assert {name: value for name, value in stated.items() if value not in printed} == {}


@painting_recipes
def test_published_sizes_are_those_of_the_networks_of_its_first_preset(key):
    recipe = RECIPES[key]
    sizes = read_results(recipe)["published"].get("n_parameters")
    if sizes is None:
        pytest.skip("no layer table is published")
    run = import_module(f"phosphene.recipes.{key}.run")
    plan = run.make_plan(recipe.config(next(iter(recipe.presets))))
    step = plan.painter.make(color=3, n_classes=10, seed=0)
    for name in ("generator", "discriminator"):
        counted = sum(weight.numel() for weight in step.parts[name].parameters())
        assert sizes[name] == counted, name
