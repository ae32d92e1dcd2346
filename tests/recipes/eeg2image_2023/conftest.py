import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    """A simulated data set: 240 trials of four digits, two subjects, two recordings each."""
    from phosphene.cli.data_simulate import simulate_dataset
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation

    root = tmp_path_factory.mktemp("eeg2image")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            patch.setenv(name, str(root / "cache"))
        images = digits_images(16, seed=0)
        images = images.select(np.flatnonzero(images.labels < 4)).with_classes(images.classes[:4])
        simulation = EEGSimulation(
            montage="muse", n_trials=240, n_subjects=2, n_recordings=2, effect=3.0
        )
        simulate_dataset(simulation, out=root / "data", images=images)
    return root / "data"


@pytest.fixture(scope="session")
def dataset(data_folder):
    """The data set, read."""
    from phosphene.data.dataset import load_dataset

    return load_dataset(data_folder)


@pytest.fixture(scope="session")
def smoke():
    """The smoke preset."""
    from phosphene.recipes.eeg2image_2023.config import smoke

    return smoke()


@pytest.fixture(scope="session")
def start_run():
    """Make a run folder and write what the command line writes into it."""
    from phosphene.run_dir import RunDir

    def start(path: Path, config) -> RunDir:
        run = RunDir.create(path)
        settings = json.loads(json.dumps(asdict(config)))  # tuples become lists, as when read
        run.write_json("config.json", {"recipe": "eeg2image_2023", "config": settings})
        return run

    return start


@pytest.fixture(scope="session")
def trained(data_folder, smoke, start_run, tmp_path_factory):
    """The smoke preset trained once: its run, scores, stages, processor time and what each saw."""
    import time

    from phosphene.recipes.eeg2image_2023 import RECIPE, paint

    seen = {}
    train_classifier, picture_batches = paint.train_classifier, paint.picture_batches

    def watch_classifier(config, images, *, stage, **rest):
        seen[stage] = set(images.table["image_id"])
        return train_classifier(config, images, stage=stage, **rest)

    def watch_generator(config, system, trials, images, **rest):
        seen["generator"] = set(images.table["image_id"])
        return picture_batches(config, system, trials, images, **rest)

    run = start_run(tmp_path_factory.mktemp("runs") / "smoke", smoke)
    stages = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paint, "train_classifier", watch_classifier)
        patch.setattr(paint, "picture_batches", watch_generator)
        began = time.process_time()
        scores = RECIPE.train(
            smoke, data=data_folder, run=run, resume=False, on_stage=stages.append, progress=None
        )
        seconds = time.process_time() - began
    return SimpleNamespace(run=run, scores=scores, stages=stages, seconds=seconds, seen=seen)


@pytest.fixture
def train_again(data_folder, start_run, tmp_path):
    """Train in a new folder, or with `run` go on in an old one."""
    from phosphene.recipes.eeg2image_2023 import RECIPE

    def train(config, *, run=None, progress=None, on_stage=lambda stage: None):
        resume = run is not None
        run = run or start_run(tmp_path / "again", config)
        scores = RECIPE.train(
            config, data=data_folder, run=run, resume=resume, on_stage=on_stage, progress=progress
        )
        return run, scores

    return train


@pytest.fixture(scope="session")
def easy_trials(dataset):
    """Trials of three classes that differ in an obvious way: which channel carries a bump."""
    rng = np.random.default_rng(0)
    trials = dataset.trials.select(np.flatnonzero(dataset.trials.labels < 3)[:120])
    epochs = rng.normal(size=trials.epochs_with_margin.shape) * 1e-5
    for row, label in enumerate(trials.labels):
        epochs[row, label] += 3e-5 * np.sin(np.linspace(0, 9, epochs.shape[2]))
    table = trials.table.reset_index(drop=True)
    return replace(
        trials,
        epochs_with_margin=epochs.astype(np.float32),
        classes=trials.classes[:3],
        table=table,
    )


@pytest.fixture
def quiet_watch():
    """A watch that keeps its records."""
    from phosphene.recipes.eeg2image_2023.encode import Watch
    from phosphene.training.progress import SilentProgress

    records = []
    watch = Watch(log=records.append, progress=SilentProgress(), fold="a")
    return SimpleNamespace(watch=watch, records=records)
