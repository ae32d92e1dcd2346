import hashlib
import io
import shutil
from dataclasses import replace

import numpy as np
import pytest

from phosphene.data import downloads
from phosphene.experiment import course, inception
from phosphene.experiment.inception import check_weights, describe_run
from phosphene.experiment.painting import SOURCES
from phosphene.models.feature_networks.inception_2015 import describe_pictures, load_inception
from phosphene.run_dir import RunDir
from phosphene.training.progress import SilentProgress


@pytest.fixture(scope="module")
def weights():
    """Random weights in the form of the published file, with which features keep their size."""
    import torch

    from phosphene.models.feature_networks.inception_v3 import InceptionV3

    rng = torch.Generator().manual_seed(0)
    network = InceptionV3()
    for weight in network.parameters():
        if weight.ndim > 1:
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=rng)
    file = io.BytesIO()
    torch.save(network.state_dict(), file, _use_new_zipfile_serialization=False)
    return file.getvalue()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


@pytest.fixture
def fetched(monkeypatch, weights):
    """The random weights in the cache, their hash taken for the published one."""
    known = downloads.DOWNLOADS["inception-2015"]
    known = replace(known, sha256=hashlib.sha256(weights).hexdigest())
    monkeypatch.setattr(downloads, "DOWNLOADS", {"inception-2015": known})
    path = downloads.cached_file("inception-2015")
    path.parent.mkdir(parents=True)
    path.write_bytes(weights)
    return path


@pytest.fixture
def finished(trained, tmp_path):
    """A copy of the trained run without its decoding, whose scores take long."""
    without = shutil.ignore_patterns("decoding.npz", "null.npz")
    shutil.copytree(trained.run.path, tmp_path / "run", ignore=without)
    return RunDir(tmp_path / "run")


class Counter(SilentProgress):
    def __init__(self):
        self.stages, self.steps = [], []

    def start(self, stage, total):
        self.stages.append((stage, total))

    def update(self, step, values):
        self.steps.append(step)


def test_presets_for_minutes_do_without():
    from phosphene.recipes.eeg2image_2023 import config

    assert (config.smoke().inception, config.demo().inception) == ("off", "off")
    assert (config.quick().inception, config.paper().inception) == ("auto", "auto")


@pytest.mark.parametrize("choice", ["auto", "off"])
def test_without_weights_nothing_is_described(finished, smoke, choice):
    config = replace(smoke, inception=choice)
    assert not check_weights(config)
    describe_run(finished, config, progress=SilentProgress())
    assert not finished.has("folds/0/inception.npz")


def test_wanted_weights_are_missed_before_anything_is_trained(train_again, smoke):
    with pytest.raises(ValueError, match="Call `phosphene data fetch inception-2015`"):
        train_again(replace(smoke, inception="on"))


@pytest.mark.parametrize("choice", ["auto", "on"])
def test_other_weights_in_the_cache_are_refused(fetched, smoke, choice):
    fetched.write_bytes(b"other weights")
    with pytest.raises(ValueError, match="must have the SHA-256"):
        check_weights(replace(smoke, inception=choice))
    assert not check_weights(replace(smoke, inception="off"))


def test_pictures_of_an_unfinished_fold_wait(fetched, finished, smoke):
    (finished.path / "folds/0/done.json").unlink()
    describe_run(finished, replace(smoke, inception="on"), progress=SilentProgress())
    assert not finished.has("folds/0/inception.npz")


def test_training_describes_at_its_end(train_again, trained, smoke, monkeypatch, tmp_path):
    shutil.copytree(trained.run.path, tmp_path / "copy")  # its scores are replaced by none
    run = RunDir(tmp_path / "copy")
    seen = []

    def describe(folder, config, *, progress):
        seen.append((folder.path, config.inception, folder.has("folds/0/done.json")))

    monkeypatch.setattr(inception, "describe_run", describe)
    monkeypatch.setattr(course, "score_run", lambda *_: [])
    train_again(smoke, run=run)
    assert seen == [(run.path, "off", True)]


def test_evaluate_adds_scores_to_a_finished_run(fetched, finished, smoke):
    from phosphene.evaluation.pictures import frechet_distance, inception_score
    from phosphene.recipes.eeg2image_2023 import RECIPE

    settings = finished.read_json("config.json")
    settings["config"] |= {"inception": "auto", "n_scored": 2}
    finished.write_json("config.json", settings)
    counter = Counter()
    scores = RECIPE.evaluate(finished, counter)
    n = 2 * (len(SOURCES) + 2)
    assert counter.stages == [("pictures through Inception-v3, fold 0", n)]
    assert counter.steps == list(range(2, n + 1, 2))

    arrays = finished.read_arrays("folds/0/inception.npz")
    assert arrays["heldout_features"].shape == (2, 2048)
    assert arrays["own_probabilities"].shape == (2, 1008)
    assert arrays["training_labels"].shape == (2,)
    names = {score.name for score in scores if score.extractor == "inception-2015"}
    assert names == {"IS[inception-2015]", "FID[inception-2015]"}
    assert {s.name for s in scores if s.extractor == "domain"}.isdisjoint(names)
    for source, method, role in (
        ("own", "generated", "result"),
        ("label_only", "class label only", "control"),
        ("shuffled", "shuffled features", "control"),
        ("noise", "noise input", "control"),
        ("training", "real pictures", "reference"),
    ):
        found = {
            s.name: s for s in scores if s.extractor == "inception-2015" and s.method == method
        }
        score, distance = (found[f"{name}[inception-2015]"] for name in ("IS", "FID"))
        assert score.role == distance.role == role
        expected = inception_score(arrays[f"{source}_probabilities"])[0]
        assert score.value == pytest.approx(expected)
        expected = frechet_distance(arrays["heldout_features"], arrays[f"{source}_features"])
        assert distance.value == pytest.approx(expected)
        assert distance.value > 0.01
        assert "2048 features of 2 real pictures" in distance.note
        assert score.n == 2

    network = load_inception(downloads.read_verified("inception-2015"))
    second = finished.read_arrays("folds/0/generated.npz")["own"][1:2]
    expected = describe_pictures(network, second)[0]
    np.testing.assert_allclose(arrays["own_features"][1:], expected, rtol=1e-3, atol=1e-5)
    fetched.unlink()  # what was described stays, with no weights at hand
    describe_run(finished, replace(smoke, inception="on"), progress=counter)
    assert len(counter.stages) == 1
