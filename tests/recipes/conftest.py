"""Runs of the smoke presets, which the tests of the contract look at."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def data_for(request):
    """Return a small data set of the kind that a recipe wants."""

    from phosphene.recipes import find_recipes

    def choose(key):
        folders = {"picture to signal": "showings_folder", "picture to picture": "digits_folder"}
        task = find_recipes()[key].task
        return request.getfixturevalue(folders.get(task, "data_folder"))

    return choose


@pytest.fixture(scope="session")
def smoke_run(data_for, tmp_path_factory):
    """Train the smoke preset of a recipe with some settings changed, once under each name."""
    from phosphene.recipes import find_recipes
    from phosphene.run_dir import RunDir

    recipes, done = find_recipes(), {}

    def train(key, name="first", **changes):
        if (key, name) not in done:
            config = replace(recipes[key].config("smoke"), **changes)
            run = RunDir.create(tmp_path_factory.mktemp(key) / name)
            settings = json.loads(json.dumps(asdict(config)))
            run.write_json("config.json", {"recipe": key, "preset": "smoke", "config": settings})
            stages = []
            scores = recipes[key].train(
                config, data=data_for(key), run=run, resume=False, on_stage=stages.append,
                progress=None,
            )  # fmt: skip
            done[key, name] = SimpleNamespace(config=config, run=run, scores=scores, stages=stages)
        return done[key, name]

    return train


@pytest.fixture(scope="session")
def again(smoke_run):
    """Train a second time; whatever is imported late has been imported by then."""

    def train(key):
        smoke_run(key)
        return smoke_run(key, "again")

    return train


@pytest.fixture(scope="session")
def other(smoke_run):
    """Train with another seed; its controls and scores would say nothing more."""
    from phosphene.experiment import course
    from phosphene.recipes import find_recipes

    def train(key):
        decodes = find_recipes()[key].task.startswith("signal")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(course, "score_run", lambda *_: [])
            nulls = {"null_folds": 0} if decodes else {}
            return smoke_run(key, "other", seed=1, **nulls)

    return train
