import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest


def simulate(root: Path, **changes) -> Path:
    """Simulate a data set without pictures of digits in it: 160 trials of ten classes."""
    from phosphene.cli.data_simulate import simulate_dataset
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation

    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            patch.setenv(name, str(root / "cache"))
        images = digits_images(16, seed=0)
        images = images.select(images.labels < 4).with_classes(images.classes[:4])
        settings = {"n_trials": 160, "n_subjects": 2, "n_recordings": 2, "effect": 3.0, **changes}
        simulate_dataset(
            EEGSimulation(montage="muse", **settings), out=root / "data", images=images
        )
    return root / "data"


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    """Classes in random order."""
    return simulate(tmp_path_factory.mktemp("human_mind"))


@pytest.fixture(scope="session")
def blocked_folder(tmp_path_factory) -> Path:
    """Classes in blocks, whose state betrays them."""
    return simulate(tmp_path_factory.mktemp("blocked"), order="blocked", effect=0.0, block_sd=1.0)


@pytest.fixture(scope="session")
def train_in():
    """Train in a new folder, or with `run` go on in an old one."""
    from phosphene.recipes.human_mind_2017 import RECIPE
    from phosphene.run_dir import RunDir

    def train(data, out, config, *, run=None, progress=None):
        resume = run is not None
        if run is None:
            run = RunDir.create(out)
            settings = json.loads(json.dumps(asdict(config)))
            run.write_json("config.json", {"recipe": RECIPE.key, "config": settings})
        stages = []
        scores = RECIPE.train(
            config, data=data, run=run, resume=resume, on_stage=stages.append, progress=progress
        )
        return SimpleNamespace(run=run, scores=scores, stages=stages)

    return train


@pytest.fixture(scope="session")
def smoke():
    """The smoke preset."""
    from phosphene.recipes.human_mind_2017.config import smoke

    return smoke()


@pytest.fixture(scope="session")
def trained(data_folder, smoke, train_in, tmp_path_factory):
    """The smoke preset trained once."""
    import time

    began = time.process_time()
    found = train_in(data_folder, tmp_path_factory.mktemp("runs") / "smoke", smoke)
    found.seconds = time.process_time() - began
    return found
