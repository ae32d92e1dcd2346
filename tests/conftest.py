import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest_plugins = ["digits", "restorations", "showings"]

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports numpy or torch
os.environ.setdefault("MPLBACKEND", "Agg")

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _torch_on_one_thread():
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings that data/DATA.md describes."""
    folder = Path(os.environ.get("PHOSPHENE_DATA") or PROJECT.parent / "shared" / "data")
    if not (folder / "muse-visual").is_dir():
        pytest.skip(f"no real recordings in {folder}; set PHOSPHENE_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A folder of two classes: raw/ (two Muse recordings), pictures/, data (imported), bundle.

    The networks of the bundle are not trained, but their pictures depend on signal and noise.
    Tests that spoil something copy it first.
    """
    import numpy as np
    from PIL import Image

    from phosphene.cli.data_import import ImportOptions, import_dataset

    folder = tmp_path_factory.mktemp("lab")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        path = folder / "raw" / "subject01" / "session1" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_muse_csv(rng))
    for name in ("houses", "faces"):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "pictures" / name / f"{number}.png")
    options = ImportOptions(
        sources=(folder / "raw",),
        out=folder / "data",
        events=("1=houses", "2=faces"),
        images=folder / "pictures",
    )
    _save_untrained_bundle(folder / "bundle", import_dataset(options))
    return folder


def _muse_csv(rng) -> str:
    """Return 20 s of noise with an event of one of two codes about every second."""
    import numpy as np
    import pandas as pd

    table = pd.DataFrame({"timestamps": np.arange(5120) / 256})
    for channel in ("TP9", "AF7", "AF8", "TP10", "Right AUX"):
        table[channel] = rng.normal(30, 10, 5120).round(3)
    codes = np.zeros(5120, dtype=int)
    codes[200::301] = 1 + np.arange(len(codes[200::301])) % 2
    table["Marker0"] = codes
    return table.to_csv(index=False, float_format="%.4f")


def _save_untrained_bundle(folder, trials) -> None:
    import numpy as np
    import torch

    from phosphene.data.scaling import ChannelScaler
    from phosphene.export.bundle import save_bundle
    from phosphene.export.networks import build_network
    from phosphene.export.signal_to_picture import FeatureScaler, LinearDecoder, SignalToPicture
    from phosphene.training.seeding import seeded

    size = {"n_chans": trials.n_chans, "n_times": trials.n_times, "sfreq": trials.sfreq}
    encoder = {"network": "CompactCNN", "settings": {**size, "n_features": 16}}
    drawing = {"n_noise": 8, "n_features": 16, "size": 16, "color": 3, "width": 8}
    generator = {"network": "DCGANGenerator", "settings": drawing}
    with seeded(0), torch.no_grad():
        networks = build_network(encoder), build_network(generator)
        for weight in networks[1].parameters():
            weight.mul_(8 if weight.ndim > 1 else 1)  # else all is nearly grey
    scaler = ChannelScaler.fit(np.asarray(trials.epochs))
    with torch.no_grad():
        features = networks[0].eval()(torch.from_numpy(scaler.apply(trials.epochs))).numpy()
    weight = np.random.default_rng(0).normal(size=(trials.n_classes, 16))
    system = SignalToPicture(
        scaler,
        networks[0],
        LinearDecoder(weight, -weight @ np.median(features, axis=0)),  # decodes each class
        FeatureScaler(np.zeros(16, np.float32), np.full(16, 0.1, np.float32)),
        networks[1].eval(),
        "normal",
    )
    spec = {
        "task": "signal to picture",
        "recipe": "none",
        "encoder": encoder,
        "generator": generator,
        "classes": list(trials.classes),
        "ch_names": list(trials.ch_names),
        "sfreq": trials.sfreq,
        "tmin": trials.tmin,
        "n_times": trials.n_times,
        "unit": trials.unit,
        "preprocessing": trials.preprocessing,
    }
    save_bundle(folder, system, spec=spec, card="Not trained.\n")


@pytest.fixture(scope="session")
def make_windows():
    """Make the arrays of a ThoughtViz pickle: each class is a wave on a channel of its own."""
    import numpy as np

    def make(n_train=60, n_test=20, *, n_times=32):
        rng = np.random.default_rng(0)
        arrays = {}
        for half, n in (("train", n_train), ("test", n_test)):
            labels = rng.permutation(np.arange(n) % 10)
            windows = rng.normal(4000, 10, (n, 14, n_times, 1))
            windows[np.arange(n), labels, :, 0] += 20 * np.sin(np.arange(n_times))
            arrays[f"x_{half}"], arrays[f"y_{half}"] = windows, np.eye(10)[labels]
        return arrays

    return make


@pytest.fixture
def make_segments():
    """Make the content of an EEG-ImageNet40 file: two subjects, three classes, in blocks."""
    import torch

    def make(*, n_each=8, n_times=500, n_chans=128):
        rng = torch.Generator().manual_seed(0)
        classes = ["n02106662", "n02124075", "n03445777"]
        items = []
        for subject in (1, 4):
            for label in range(3):
                drift = torch.randn(n_chans, 1, generator=rng)
                for number in range(n_each):
                    eeg = drift + torch.randn(n_chans, n_times, generator=rng)
                    image = label * n_each + number
                    items.append({"eeg": eeg, "image": image, "label": label, "subject": subject})
        images = [f"{name}_{number}" for name in classes for number in range(n_each)]
        return {"dataset": items, "labels": classes, "images": images, "means": torch.zeros(1)}

    return make


@pytest.fixture
def make_splits():
    """Make the content of a split file: the last two pictures of a class test."""

    def make(n_items=48, *, n_each=8, n_splits=2):
        parts = {"train": [], "val": [], "test": []}
        for place in range(n_items):
            number = place % n_each
            part = "train" if number < n_each - 3 else "val" if number == n_each - 3 else "test"
            parts[part].append(place)
        return {"splits": [parts] * n_splits}

    return make


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    """A simulated data set: 240 trials of four digits, two subjects, two recordings each."""
    import numpy as np

    from phosphene.cli.data_simulate import simulate_dataset
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation

    root = tmp_path_factory.mktemp("simulated")
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

    from phosphene.experiment import painting, pictures
    from phosphene.recipes.eeg2image_2023 import RECIPE

    seen = {}
    train_classifier, picture_batches = pictures.train_classifier, painting.picture_batches

    def watch_classifier(images, *, stage, **rest):
        seen[stage] = set(images.table["image_id"])
        return train_classifier(images, stage=stage, **rest)

    def watch_generator(config, system, trials, images, **rest):
        seen["generator"] = set(images.table["image_id"])
        return picture_batches(config, system, trials, images, **rest)

    run = start_run(tmp_path_factory.mktemp("runs") / "smoke", smoke)
    stages = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "train_classifier", watch_classifier)
        patch.setattr(painting, "picture_batches", watch_generator)
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
    import numpy as np

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
    from phosphene.experiment.watch import Watch
    from phosphene.training.progress import SilentProgress

    records = []
    watch = Watch(log=records.append, progress=SilentProgress(), fold="a")
    return SimpleNamespace(watch=watch, records=records)


@pytest.fixture
def write_result():
    """Write a finished run as small as a comparison of runs takes it; return its RunDir.

    Decoding and pictures score `value`; `fields` replace those of the files they name.
    """
    import numpy as np

    from phosphene.run_dir import RunDir
    from phosphene.score import Score, scores_to_json

    def scores_of(value, *, draws, noise):
        luck = {"chance": 0.5, "chance_low": 0.4, "chance_high": 0.6}
        ends = {"low": value - 0.1, "high": value + 0.1, "n": 40, "unit": "trials"}
        other = {"low": 0.5, "high": 0.7, "n": 40, "unit": "trials", "role": "baseline"}
        control = {"n": 40, "unit": "trials", "role": "control"}
        found = [
            Score(
                name="balanced accuracy", value=value, method="net", split="2 folds", **ends, **luck
            ),
            Score(name="AUC", value=value + 0.05, method="net", **ends, **luck),
            Score(name="balanced accuracy", value=0.6, method="shrinkage LDA", **other, **luck),
            Score(
                name="balanced accuracy", value=noise, method="noise input: net", **control, **luck
            ),
            Score(name="k-means accuracy", value=value - 0.1, method="net", **ends),
        ]
        drawn = {"section": "pictures", "fold": "a"}
        judge, domain = {"extractor": "judge of pictures"}, {"extractor": "domain"}
        sure = {"name": "IS[domain]", "n": 40, "unit": "pictures", **domain, **drawn}
        seen = {"name": "class consistency (shown)", **judge, **drawn, **luck}
        return found + [
            Score(value=value, method="generated", **ends, **seen),
            Score(value=0.52, method="shuffled features", **control, **seen),
            Score(value=1.5 + value, method="generated", **sure),
            Score(value=1.9, method="real pictures", role="reference", **sure),
        ] * draws  # fmt: skip

    def write(path, *, recipe="fake_2020", seed=0, value=0.7, draws=True, noise=0.55, **fields):
        run = RunDir(path)
        keys = fields.pop("folds", ("a", "b"))
        folds = [{"key": key, "train": ["t1"], "test": [f"t{key}"]} for key in keys]
        digest = {"digest": "ab" * 32}
        pictures = {"generator": ["p1"], "judge": ["p2"]} if draws else {}
        settings = {"seed": seed, "image_size": 16, **fields.pop("settings", {})}
        files = {
            "config.json": {"recipe": recipe, "preset": "quick", "config": settings},
            "environment.json": {"data_hash": "d1" * 8},
            "dataset.json": {"name": "data", "classes": ["cat", "dog"]},
            "state.json": {"stage": "done", "finished": True},
            "split.json": {
                "unit": "recording",
                "folds": folds,
                "pictures": {**pictures, "shown_in_both": 0},
            },
            "networks.json": {
                "encoder": {"network": "CompactCNN", "n_parameters": 1200},
                **({"judge": digest, "domain": digest} if draws else {}),
            },
            "timings.json": {"train_s": {"encoder": 30.0, "judge": 10.5}, "n_threads": 2},
        }
        for name, content in files.items():
            changes = fields.pop(name.removesuffix(".json"), {})
            if changes is not None:
                run.write_json(name, {**content, **changes})
        assert not fields
        run.write_json("scores.json", scores_to_json(scores_of(value, draws=draws, noise=noise)))
        for key in keys:
            run.write_arrays(f"folds/{key}/decoding.npz", {"labels": np.array([0, 1])})
        if draws:
            images = np.full((6, 2, 16, 16, 1), 99, np.uint8)
            real = np.full((2, 3, 16, 16, 1), 200, np.uint8)
            arrays = {"images": images, "decoded": np.array([0, 0, 0, 1, 1, 1]), "real": real}
            run.write_arrays("folds/a/pictures.npz", arrays)
        return run

    return write
