"""Pages of the documentation about recipes, made from what lies in their folders.

A recipe's page is its README, followed by the settings of every preset side by side and by the
published numbers and ours, so that none of them has to be written twice.
"""

import ast
import inspect
import json
import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from phosphene._checks import check_option
from phosphene._checks.structure import check_structure
from phosphene.recipe import Recipe
from phosphene.reporting.number_text import range_text, value_text

INDEX = "README.md"
MARK = "<!-- Made by `phosphene recipes --pages`"
_HEADER = (
    f"{MARK} from the recipe's folder ({{}}): edit its README.md, config.py and results.json. -->"
)
_RESULTS = {"published": {str: object}, "ours": [{"data": str, "command": str}]}
_ABOUT = ("source", "data", "note")
_LINK = re.compile(r"(\]\()([^)#\s]+)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\[])")


def write_recipe_pages(recipes: Mapping[str, Recipe], folder: Path) -> list[Path]:
    """Write the page of each recipe, and the index, into a folder; return their paths.

    Parameters
    ----------
    recipes
        Recipes by key.
    folder
        Made if it is missing. Pages that this function wrote before are replaced.

    Raises
    ------
    ValueError
        If a file of such a name is there that it did not write, or a recipe's folder lacks
        something.
    """
    pages = {folder / name: text for name, text in recipe_pages(recipes, folder).items()}
    for path in pages:
        if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
            raise ValueError(
                f"pages of recipes replace pages of recipes alone; {path} is another file. "
                "Choose another folder."
            )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(pages)


def recipe_pages(recipes: Mapping[str, Recipe], folder: Path) -> dict[str, str]:
    """Return the text of each page by its file's name, with links as they are from `folder`."""
    pages = {f"{key}.md": recipe_page(recipe, folder) for key, recipe in recipes.items()}
    return {**pages, INDEX: index_page(recipes.values())}


def recipe_page(recipe: Recipe, folder: Path) -> str:
    """Return the page of a recipe, with links as they are from `folder`."""
    readme = recipe.module_folder / "README.md"
    if not readme.is_file():
        raise ValueError(
            f"a recipe's folder must hold README.md; {readme.parent} lacks it. Add it."
        )
    results = read_results(recipe)
    text = relink(readme.read_text(encoding="utf-8"), readme.parent, folder)
    numbers = folder.parent / "numbers.md"
    origin = f"From [results.json]({_path(readme.with_name('results.json'), folder)})."
    if numbers.is_file():
        origin += " What each score is: [numbers](../numbers.md)."
    parts = [
        _HEADER.format(_path(recipe.module_folder, folder)),
        text.rstrip(),
        "## Settings of every preset",
        f"Bold: other than in `{next(iter(recipe.presets))}`. "
        f"`phosphene train {recipe.key} PRESET --help` says all about each setting.",
        settings_table(recipe),
        "## Published and measured here",
        origin,
        "### Published",
        published_text(results["published"]),
        "### Ours",
        ours_text(results["ours"]),
    ]
    return "\n\n".join(parts) + "\n"


def index_page(recipes: Iterable[Recipe]) -> str:
    """Return a page with a line for each recipe."""
    recipes = list(recipes)
    rows = []
    for recipe in recipes:
        size = read_results(recipe)["published"].get("n_parameters")
        rows.append(
            (
                f"[`{recipe.key}`]({recipe.key}.md)",
                f"{_title(recipe)}, {recipe.paper}",
                recipe.task,
                recipe.wants,
                ", ".join(f"`{name}`" for name in recipe.presets),
                _published_value(size) if size is not None else "",
            )
        )
    heads = ("recipe", "title and paper", "task", "wants", "presets")
    heads += ("parameters of the published networks",)
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    parts = [
        f"{MARK}: edit the recipes' folders. -->",
        "# Recipes",
        f"{len(recipes)} systems can be trained here; each is a folder of its own. "
        "`phosphene train RECIPE PRESET --data DATA --out RUN` trains one.",
        _table(heads, rows),
    ]
    return "\n\n".join(parts) + "\n"


def _title(recipe: Recipe) -> str:
    return f"[{recipe.title}]({recipe.url})" if recipe.url else recipe.title


def relink(text: str, source: Path, target: Path) -> str:
    """Return Markdown that was written for one folder with links as they are from another.

    Links to READMEs of sibling folders lead to the pages made from them. Links to other sites,
    links inside the page and blocks of code stay as they are.
    """
    lines, fenced = [], False
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        if not fence and not fenced:
            line = _LINK.sub(lambda found: found[1] + _moved(found[2], source, target), line)
        fenced ^= fence
        lines.append(line)
    return "\n".join(lines)


def _moved(link: str, source: Path, target: Path) -> str:
    if "://" in link or link.startswith("mailto:"):
        return link
    path = (source / link).resolve()
    if path.name == "README.md" and path.parent.parent == source.resolve().parent:
        return f"{path.parent.name}.md"
    return _path(path, target)


def _path(path: Path, folder: Path) -> str:
    """Return a path as seen from a folder, with forward slashes."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def setting_docs(settings: type) -> dict[str, str]:
    """Return what the class of some settings says about each: the text below the field.

    Fields of base classes come first; a field that a subclass writes again is said to be what the
    subclass says. Fields without a text are missing.
    """
    found: dict[str, str] = {}
    for each in reversed(settings.__mro__):
        if not is_dataclass(each):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(tree, ast.ClassDef)
        for field, text in pairwise(tree.body):
            if isinstance(field, ast.AnnAssign) and (doc := _text_of(text)):
                found[ast.unparse(field.target)] = inspect.cleandoc(doc)
    return found


def _text_of(node: ast.stmt) -> str:
    """Return the text that a statement is, or nothing where it is another one."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return node.value.value if isinstance(node.value.value, str) else ""
    return ""


def settings_table(recipe: Recipe) -> str:
    """Return the settings of every preset side by side, with what each is."""
    presets = {name: recipe.config(name) for name in recipe.presets}
    first = next(iter(presets.values()))
    docs = setting_docs(type(first))
    rows = []
    for field in fields(first):
        shown = [_setting(getattr(config, field.name)) for config in presets.values()]
        cells = [text if text == shown[0] else f"**{text}**" for text in shown]
        rows.append((f"`{field.name}`", *cells, _first_sentence(docs.get(field.name, ""))))
    return _table(("setting", *(f"`{name}`" for name in presets), "what it is"), rows)


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value)) or "none"
    if isinstance(value, int):
        return f"{value:,}"
    return "none" if value is None else str(value)


def _first_sentence(text: str) -> str:
    return _SENTENCE_END.split(" ".join(text.split()), maxsplit=1)[0]


def read_results(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe's results.json: the published numbers, and ours.

    "published" holds numbers by name, in groups if need be, and texts: "source", "data", "note".
    "ours" is a list of measurements: each has "data", "command" and scores by name, in groups if
    need be. A score has "value" and may have "interval", "chance" or "chance_range" and "n" with
    "unit".
    """
    path = recipe.module_folder / "results.json"
    remedy = "complete the file."
    if not path.is_file():
        raise ValueError(f"a recipe's folder must hold results.json; {path} is missing. Add it.")
    results = json.loads(path.read_text(encoding="utf-8"))
    check_structure(results, _RESULTS, where=str(path), remedy=remedy)
    for key in results:
        check_option(f"part of {path.name}", key, _RESULTS)
    return results


def published_text(published: Mapping[str, Any]) -> str:
    """Return where published numbers are from, and a table of them as they were printed."""
    about = [f"{name.capitalize()}: {published[name]}" for name in _ABOUT if name in published]
    numbers = {name: value for name, value in published.items() if name not in _ABOUT}
    rows = [(_words(names), _published_value(value)) for names, value in _leaves(numbers)]
    lines = [f"{text.rstrip('.')}." for text in about]
    if not rows:
        return "\n\n".join([*lines, "No number was published."])
    return "\n\n".join([*lines, _table(("score", "value"), rows)])


def ours_text(ours: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of what was measured here; a measurement's data and command stand once."""
    rows, remarks = [], []
    for entry in ours:
        origin = entry["data"], f"`{entry['command']}`"
        scores = {name: value for name, value in entry.items() if name not in ("data", "command")}
        for names, value in _leaves(scores):
            if isinstance(value, str):
                remarks.append(f"{entry['data']}: {_words(names)}: {value.rstrip('.')}.")
                continue
            rows.append((*origin, _words(names), *_score_cells(value)))
            origin = "", ""
    if not rows:
        return "\n\n".join(["No number of ours yet.", *remarks])
    heads = ("data", "command", "score", "value", "interval", "chance", "n")
    return "\n\n".join([_table(heads, rows), *remarks])


def _leaves(
    tree: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Go through groups of numbers: the names that lead to each, and it."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and "value" not in value:
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _words(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _published_value(value: Any) -> str:
    if isinstance(value, Mapping):
        if "value" in value:
            return _published_value(value["value"])
        return "; ".join(
            f"{_words(names)} {_published_value(each)}" for names, each in _leaves(value)
        )
    if isinstance(value, list) and len(value) == 2:
        return " to ".join(map(_published_value, value))
    return _setting(value)


def _score_cells(score: Any) -> tuple[str, str, str, str]:
    """Return value, interval, chance and n of a score, or of a bare number."""
    if not isinstance(score, Mapping):
        return _measured(score), "", "", ""
    chance = score.get("chance_range", score.get("chance"))
    n = f"{score['n']:,} {score.get('unit', '')}".strip() if "n" in score else ""
    return _measured(score["value"]), _measured(score.get("interval")), _measured(chance), n


def _measured(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return range_text(*value)
    return value_text(value) if isinstance(value, float) else _setting(value)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
