import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from phosphene.recipe import Recipe
from phosphene.recipes import find_recipes
from phosphene.reporting import recipe_page

PAGES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
README = """# Fake (2020)

See [the controls](../docs/controls.md#why), [a paper](https://example.org/a.pdf), [below](#end).

```
[a list](../docs/controls.md) in code
```

See [another](../other_2021/README.md#presets) and [its code](../other_2021/run.py).
![a picture](images/net.png) and [two](../docs/a.md) [links](../docs/b.md)
"""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Settings of all."""

    seed: int = 0
    """Seed of everything. Not of the split."""
    lr: float = 1e-3
    """Step of Adam."""


@dataclass(frozen=True, kw_only=True)
class Config(Shared):
    """Settings of the fake."""

    lr: float = 2e-4
    """Step of RMSprop (paper, sec. 4)."""
    steps: int = 50_000
    augment: tuple[str, ...] = ("color", "cutout")
    """What happens to pictures: one | more.
    Published."""
    limit: int | None = None
    """Most trials; None takes all."""
    mirror: bool = False
    """Whether to mirror."""


@pytest.fixture
def write_recipe(tmp_path):
    """Write the folder of a recipe, with these results, and return the recipe."""
    folder = tmp_path / "fake_2020"
    folder.mkdir()
    (folder / "README.md").write_text(README)

    def write(published=None, ours=(), **fields):
        results = {"published": published or {}, "ours": list(ours)}
        (folder / "results.json").write_text(json.dumps(results))
        recipe = Recipe(
            key="fake_2020",
            title="A fake",
            task="signal to picture",
            paper="Nobody, 2020",
            url="https://example.org",
            wants="anything | all",
            presets={"paper": Config, "quick": lambda: replace(Config(), steps=9, mirror=True)},
            published={},
            train=list,
            evaluate=list,
            module_folder=folder,
        )
        return replace(recipe, **fields)

    return write


def rows_of(table):
    return [line.strip("| ").split(" | ") for line in table.splitlines()]


def test_the_committed_pages_are_what_the_command_makes_now():
    pages = recipe_page.recipe_pages(find_recipes(), PAGES)
    there = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    stale = {name for name in pages.keys() | there.keys() if pages.get(name) != there.get(name)}
    assert not stale, "make them again: phosphene recipes --pages docs/recipes"


def test_a_page_holds_readme_settings_and_numbers(write_recipe, tmp_path):
    recipe = write_recipe({"accuracy": 0.5})
    page = recipe_page.recipe_page(recipe, tmp_path / "docs" / "recipes")
    parts = ("# Fake (2020)", recipe_page.settings_table(recipe), "| accuracy | 0.5 |", "of ours")
    assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)
    assert "[results.json](../../fake_2020/results.json)" in page
    assert page.startswith(recipe_page.MARK)
    assert "numbers.md" not in page
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "numbers.md").touch()
    page = recipe_page.recipe_page(recipe, tmp_path / "docs" / "recipes")
    assert "[numbers](../numbers.md)" in page


def test_links_lead_to_the_same_places_from_the_new_one(tmp_path):
    text = recipe_page.relink(README, tmp_path / "fake_2020", tmp_path / "docs" / "recipes")
    changed = README.replace("](../docs/controls.md#why)", "](../controls.md#why)")
    changed = changed.replace("](../other_2021/README.md#presets)", "](other_2021.md#presets)")
    changed = changed.replace("](../other_2021/run.py)", "](../../other_2021/run.py)")
    changed = changed.replace("](images/net.png)", "](../../fake_2020/images/net.png)")
    changed = changed.replace("](../docs/a.md)", "](../a.md)").replace("/docs/b", "/b")
    assert text == changed.rstrip("\n")


def test_settings_are_said_to_be_what_their_class_says():
    docs = recipe_page.setting_docs(Config)
    assert docs == {
        "seed": "Seed of everything. Not of the split.",
        "lr": "Step of RMSprop (paper, sec. 4).",
        "augment": "What happens to pictures: one | more.\nPublished.",
        "limit": "Most trials; None takes all.",
        "mirror": "Whether to mirror.",
    }


def test_settings_stand_side_by_side_and_differences_are_bold(write_recipe):
    rows = rows_of(recipe_page.settings_table(write_recipe()))
    assert rows == [
        ["setting", "`paper`", "`quick`", "what it is"],
        ["---"] * 4,
        ["`seed`", "0", "0", "Seed of everything."],
        ["`lr`", "0.0002", "0.0002", "Step of RMSprop (paper, sec. 4)."],
        ["`steps`", "50,000", "**9**"],
        ["`augment`", "color, cutout", "color, cutout", r"What happens to pictures: one \| more."],
        ["`limit`", "none", "none", "Most trials; None takes all."],
        ["`mirror`", "no", "**yes**", "Whether to mirror."],
    ]


def test_published_numbers_stay_as_they_were_printed():
    text = recipe_page.published_text(
        {
            "source": "Nobody, table 1",
            "data": "EEG.",
            "n_parameters": {"generator": 8_647_456, "discriminator": 12},
            "inception_score": 6.78,
            "kmeans_accuracy": {"objects": 0.5, "of_letters": [0.15, 0.2]},
            "note": "no target",
        }
    )
    lead, data, note, table = text.split("\n\n")
    assert (lead, data, note) == ("Source: Nobody, table 1.", "Data: EEG.", "Note: no target.")
    assert rows_of(table)[2:] == [
        ["n parameters, generator", "8,647,456"],
        ["n parameters, discriminator", "12"],
        ["inception score", "6.78"],
        ["kmeans accuracy, objects", "0.5"],
        ["kmeans accuracy, of letters", "0.15 to 0.2"],
    ]


def test_nothing_published_and_nothing_measured_is_said():
    assert (
        recipe_page.published_text({"note": "Ours."}) == "Note: Ours.\n\nNo number was published."
    )
    assert recipe_page.ours_text([]) == "No number of ours yet."


def test_measurements_have_interval_chance_and_n_and_name_their_data_once():
    entry = {
        "data": "N170",
        "command": "phosphene train x quick",
        "balanced_accuracy": {
            "net": {"value": 0.5, "interval": [0.4, 0.61], "n": 1250, "unit": "trials",
                    "chance_range": [0.45, 0.55]},
            "shrinkage_lda": {"value": 1.0, "n": 6, "unit": "recordings", "chance": 0.5},
        },
        "minutes": 20,
        "remark": "beside other work",
    }  # fmt: skip
    text = recipe_page.ours_text([entry, {"data": "P300", "command": "the same", "auc": 0.75}])
    table, remark = text.split("\n\n")
    assert remark == "N170: remark: beside other work."
    assert table.splitlines()[0] == "| data | command | score | value | interval | chance | n |"
    assert table.splitlines()[2:] == [
        "| N170 | `phosphene train x quick` | balanced accuracy, net | 0.500 | 0.400 to 0.610 "
        "| 0.450 to 0.550 | 1,250 trials |",
        "|  |  | balanced accuracy, shrinkage lda | 1.000 |  | 0.500 | 6 recordings |",
        "|  |  | minutes | 20 |  |  |  |",
        "| P300 | `the same` | auc | 0.750 |  |  |  |",
    ]


def test_the_index_names_the_size_of_published_networks_where_it_is_known(write_recipe):
    page = recipe_page.index_page([write_recipe()])
    heads, _, line = page.strip().splitlines()[-3:]
    assert "parameters" not in heads
    expected = r"| [`fake_2020`](fake_2020.md) | [A fake](https://example.org), Nobody, 2020 | "
    expected += r"signal to picture | anything \| all | `paper`, `quick` |"
    assert line == expected
    unpublished = recipe_page.index_page([write_recipe(paper="none: made here", url="")])
    assert "| [`fake_2020`](fake_2020.md) | A fake, none: made here | " in unpublished
    sized = write_recipe({"n_parameters": {"encoder": 1234, "generator": 5}})
    assert recipe_page.index_page([sized]).endswith("| encoder 1,234; generator 5 |\n")
    assert recipe_page.index_page([write_recipe({"n_parameters": 99})]).endswith("| 99 |\n")


def test_pages_are_written_and_replaced(write_recipe, tmp_path):
    folder = tmp_path / "new" / "recipes"
    pages = recipe_page.write_recipe_pages({"fake_2020": write_recipe()}, folder)
    assert pages == [folder / "fake_2020.md", folder / "README.md"]
    before = pages[0].read_text(encoding="utf-8")
    recipe_page.write_recipe_pages({"fake_2020": write_recipe({"accuracy": 0.123})}, folder)
    assert "0.123" not in before
    assert "0.123" in pages[0].read_text(encoding="utf-8")


def test_files_of_others_are_not_replaced(write_recipe, tmp_path):
    (tmp_path / "README.md").write_text("# A project")
    with pytest.raises(ValueError, match=r"README\.md is another file\. Choose another folder"):
        recipe_page.write_recipe_pages({"fake_2020": write_recipe()}, tmp_path)
    assert not (tmp_path / "fake_2020.md").exists()


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ({"published": {}}, "must hold `ours`"),
        ({"ours": []}, "must hold `published`"),
        ({"published": {}, "ours": [{"data": "N170"}]}, r"must hold `ours\.0\.command`"),
        ({"published": {}, "ours": {}}, "`ours` of .* must be a list"),
        ({"published": {}, "ours": [], "hours": []}, "Did you mean 'ours'"),
    ],
)
def test_refuses_results_that_lack_something(write_recipe, results, words):
    recipe = write_recipe()
    (recipe.module_folder / "results.json").write_text(json.dumps(results))
    with pytest.raises(ValueError, match=words):
        recipe_page.read_results(recipe)


@pytest.mark.parametrize("name", ["README.md", "results.json"])
def test_refuses_a_folder_that_lacks_a_file(write_recipe, tmp_path, name):
    recipe = write_recipe()
    (recipe.module_folder / name).unlink()
    with pytest.raises(ValueError, match=f"must hold {name}; .*Add it"):
        recipe_page.recipe_page(recipe, tmp_path)
