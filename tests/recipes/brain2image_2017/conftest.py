import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def smoke():
    """The smoke preset."""
    from phosphene.recipes.brain2image_2017.config import smoke

    return smoke()


@pytest.fixture(scope="session")
def train_in(data_folder):
    """Train in a new folder; return its run and scores."""
    from phosphene.recipes.brain2image_2017 import RECIPE
    from phosphene.run_dir import RunDir

    def train(folder, config):
        run = RunDir.create(folder)
        settings = json.loads(json.dumps(asdict(config)))
        run.write_json("config.json", {"recipe": RECIPE.key, "config": settings})
        scores = RECIPE.train(config, data=data_folder, run=run, resume=False, progress=None)
        return SimpleNamespace(run=run, scores=scores)

    return train


@pytest.fixture(scope="session")
def trained(smoke, train_in, tmp_path_factory):
    """The smoke preset trained once."""
    return train_in(tmp_path_factory.mktemp("runs") / "smoke", smoke)
