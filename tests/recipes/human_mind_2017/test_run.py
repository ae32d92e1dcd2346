from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.dataset import load_dataset
from phosphene.recipes.human_mind_2017 import classify
from phosphene.recipes.human_mind_2017 import run as recipe_run
from phosphene.reporting.report import write_report
from phosphene.run_dir import RunDir
from phosphene.training.progress import SilentProgress


class StopError(Exception):
    """Stands for a Ctrl-C or a power cut."""


class StopAt(SilentProgress):
    """Raise at a step of a stage."""

    def __init__(self, stage, step):
        self.wanted = (stage, step)

    def start(self, stage, total):
        self.stage = stage

    def update(self, step, values):
        if (self.stage, step) == self.wanted:
            raise StopError


def published(dataset, *, n=1):
    """Splits of every second trial: train, validate, test."""
    ids = dataset.trials.table["trial"].to_numpy()
    parts = {"train": ids[0::2], "val": ids[1::4], "test": ids[3::4]}
    fold = {name: part.tolist() for name, part in parts.items()}
    return [{"key": str(number), **fold} for number in range(n)]


@pytest.fixture
def with_published_split(monkeypatch):
    """Let the data set say that it was published with a split."""

    def load(folder):
        dataset = load_dataset(folder)
        info = {**dataset.info, "published_splits": published(dataset), "doubt": "who knows"}
        return replace(dataset, info=info)

    monkeypatch.setattr(recipe_run, "load_dataset", load)


def test_resumed_run_ends_as_one_that_was_not_stopped(
    data_folder, smoke, train_in, tmp_path, monkeypatch, with_published_split
):
    fit = classify.fit

    def fit_often(*args, **settings):
        fit(*args, **{**settings, "checkpoint_every": 1})

    monkeypatch.setattr(classify, "fit", fit_often)
    config = replace(smoke, epochs=4, batch=32, null_folds=0)
    whole = train_in(data_folder, tmp_path / "whole", config)
    with pytest.raises(StopError):
        train_in(data_folder, tmp_path / "cut", config, progress=StopAt("encoder", 4))
    run = RunDir(tmp_path / "cut")
    assert not run.has("folds/0/decoding.npz")
    assert train_in(data_folder, run.path, config, run=run).scores == whole.scores
    first, again = (each.read_arrays("folds/0/decoding.npz") for each in (whole.run, run))
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_finished_run_is_not_trained_again(trained, train_in, data_folder, smoke, monkeypatch):
    def refuse(*args, **settings):
        raise AssertionError("nothing is left to train")

    monkeypatch.setattr(classify, "fit", refuse)
    run = RunDir(trained.run.path)
    assert train_in(data_folder, run.path, smoke, run=run).scores == trained.scores


def test_published_split_is_kept_and_its_validation_trials_choose(
    data_folder, smoke, train_in, tmp_path, with_published_split
):
    found = train_in(data_folder, tmp_path / "run", replace(smoke, epochs=2))
    dataset = load_dataset(data_folder)
    (fold,) = found.run.read_json("split.json")["folds"]
    assert fold == published(dataset)[0]
    arrays = found.run.read_arrays("folds/0/decoding.npz")
    assert arrays["trial"].tolist() == fold["test"]
    chosen = {s.selected_on for s in found.scores if "lstm" in s.method}
    assert chosen == {"validation trials of the split"}
    linear = [s for s in found.scores if "LDA" in s.method]
    assert {s.selected_on for s in linear} == {"nothing (last step)"}
    assert all(s.note.startswith("doubt: who knows") for s in found.scores)
    assert {s.split for s in found.scores if s.section == "decoding"} == {"published split"}
    last = train_in(
        data_folder, tmp_path / "last", replace(smoke, epochs=2, validate=False, null_folds=0)
    )
    assert {s.selected_on for s in last.scores} == {"nothing (last step)"}


@pytest.mark.slow
def test_blocked_design_that_is_split_inside_blocks_carries_its_doubt(
    blocked_folder, smoke, train_in, tmp_path
):
    config = replace(smoke, split_unit="trial", epochs=8, batch=32)
    found = train_in(blocked_folder, tmp_path / "run", config)
    main = next(s for s in found.scores if s.method == "shrinkage LDA")
    assert main.value > main.chance + 0.2, "drift tells the class: there is no other signal"
    assert all("this is a blocked design" in s.note for s in found.scores)
    assert found.run.read_json("dataset.json")["design"]["unit"] == "block"
    page = write_report(found.run).read_text()
    assert "A leak cannot be excluded: this is a blocked design" in page
    assert "slow drift alone can tell the class" in page


def test_blocked_design_whose_blocks_stay_whole_has_no_doubt(blocked_folder, smoke):
    dataset = load_dataset(blocked_folder)
    config = replace(smoke, split_unit="recording")
    assert recipe_run.make_split(config, dataset.trials, dataset.info).doubt is None


def test_report_needs_no_pictures(trained):
    page = write_report(trained.run).read_text()
    assert "held-out trials" in page
    assert "the baseline" in page or "of the best possible" in page
    assert "still running" not in page.lower()
    assert "it draws no pictures" in page
    assert "Pictures show the decoded class" not in page
    assert 'href="#pictures"' not in page
