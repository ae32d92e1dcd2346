import shutil
from dataclasses import replace
from functools import wraps

import numpy as np
import pytest

from phosphene.data.splits import PUBLISHED
from phosphene.evaluation.fold_scores import NULL_RANGE
from phosphene.experiment import scoring
from phosphene.experiment.memory import Memory
from phosphene.experiment.scoring import PERMUTED
from phosphene.recipes.eeg2image_2023.run import make_plan
from phosphene.run_dir import RunDir


def score_run(run, config):
    return scoring.score_run(run, make_plan(config), config)


@pytest.fixture
def copied(trained, tmp_path):
    """Copy the trained run, so that a test may change it."""
    shutil.copytree(trained.run.path, tmp_path / "copy")
    return RunDir(tmp_path / "copy")


def test_unfinished_run_gets_the_scores_it_has_arrays_for(copied, smoke):
    (copied.path / "folds/0/generated.npz").unlink()
    (copied.path / "folds/0/null.npz").unlink()
    scores = score_run(copied, smoke)
    assert {score.section for score in scores} == {"ceiling", "decoding"}
    assert not [score for score in scores if score.method.startswith("permuted")]


def test_what_did_not_change_is_not_scored_again(copied, smoke, monkeypatch):
    calls = []

    def counted(name):
        function = getattr(scoring, name)

        @wraps(function)
        def call(*arrays, **words):
            calls.append((name, words["method"]))
            return function(*arrays, **words)

        return call

    for name in ("decoding_scores", "kmeans_score", "recording_scores"):
        monkeypatch.setattr(scoring, name, counted(name))
    plan, memory = make_plan(smoke), Memory()
    null = copied.read_arrays("folds/0/null.npz")
    (copied.path / "folds/0/null.npz").unlink()
    scoring.score_run(copied, plan, smoke, memory)
    first = len(calls)
    copied.write_arrays("folds/0/null.npz", null)
    again = scoring.score_run(copied, plan, smoke, memory)
    assert {method.split(":")[0] for _, method in calls[first:]} == {"permuted labels"}
    assert again == scoring.score_run(copied, plan, smoke)


def test_run_without_arrays_has_the_ceiling_only(copied, smoke):
    shutil.rmtree(copied.path / "folds")
    assert {score.section for score in score_run(copied, smoke)} == {"ceiling"}


def test_blocked_design_without_named_blocks_takes_runs_of_labels(copied, smoke):
    (copied.path / "folds/0/generated.npz").unlink()
    for name in ("decoding", "null"):
        arrays = copied.read_arrays(f"folds/0/{name}.npz")
        order = np.lexsort((arrays["labels"], arrays["recording"]))
        blocked = {key: values[order] for key, values in arrays.items()}
        blocked["block"] = np.full_like(blocked["block"], "")
        copied.write_arrays(f"folds/0/{name}.npz", blocked)
    dataset = copied.read_json("dataset.json")
    copied.write_json("dataset.json", {**dataset, "design": {"unit": "block", "reason": "runs"}})
    scores = score_run(copied, smoke)
    assert any(score.method.startswith("permuted") for score in scores)


def test_a_leak_is_stamped_on_every_score(copied, smoke):
    (copied.path / "folds/0/generated.npz").unlink()  # the rest is stamped alike, and takes long
    split = copied.read_json("split.json")
    copied.write_json("split.json", {**split, "leak_reason": "one recording only"})
    scores = score_run(copied, smoke)
    assert scores
    assert all(score.note.startswith("leak allowed: one recording only") for score in scores)


def test_a_published_split_is_named_and_its_doubt_stamped(copied, smoke):
    (copied.path / "folds/0/generated.npz").unlink()
    split = {**copied.read_json("split.json"), "unit": PUBLISHED, "doubt": "unknown samples"}
    copied.write_json("split.json", split)
    scores = score_run(copied, smoke)
    assert all(score.note.startswith("doubt: unknown samples") for score in scores)
    found = {score.split for score in scores if score.section == "decoding"}
    assert all(words.startswith("published split") for words in found)
    copied.write_json("split.json", {**split, "leak_reason": "as published"})
    notes = {score.note for score in score_run(copied, smoke)}
    assert all(n.startswith("leak allowed: as published; doubt: unknown samples") for n in notes)


@pytest.mark.parametrize(
    ("changes", "published"),
    [
        ({}, True),
        ({"compare_objective": "softmax"}, False),
        ({"compare_encoder": "compact_cnn"}, False),
    ],
)
def test_only_lstm_and_triplets_are_called_published(copied, smoke, changes, published):
    (copied.path / "folds/0/generated.npz").unlink()
    scores = score_run(copied, replace(smoke, **changes))
    other = changes.get("compare_encoder", "lstm_two_layer")
    rows = [s for s in scores if "linear probe" in s.method and s.role == "baseline"]
    assert len(rows) == 2
    assert all("published network and loss" in s.note for s in rows) is published
    if other == smoke.encoder:  # then stages and rows are told apart
        assert all(s.method.startswith("compared compact_cnn,") for s in rows)
    methods = [(s.method, s.name, s.fold) for s in scores]
    assert len(set(methods)) == len(methods)


def test_a_clean_run_has_no_stamp(trained):
    assert not [score for score in trained.scores if "leak" in score.note]


def test_controls_say_what_they_retrain(trained):
    for score in trained.scores:
        if score.method.startswith("permuted"):
            assert PERMUTED in score.note
            assert "1 of 2 folds" in score.note
        elif score.role == "control":
            assert "nothing retrained" in score.note


def test_permuted_labels_have_the_range_of_retrained_linear_decoders(trained):
    nulls = trained.run.read_arrays("folds/0/linear_null.npz")["scores"]
    found = [score for score in trained.scores if score.method.startswith("permuted")]
    assert found
    for score in found:
        column = ("balanced accuracy", "AUC").index(score.name)
        ordered = np.sort(nulls[:, column])
        assert (score.chance_low, score.chance_high) == (ordered[4], ordered[195])
        assert NULL_RANGE in score.note


def test_ceiling_comes_from_the_data_set(trained, dataset):
    ceiling = [score for score in trained.scores if score.section == "ceiling"]
    assert [score.value for score in ceiling] == [dataset.info["ceiling"]["accuracy"]]


def test_scores_name_fold_split_and_extractor(trained):
    pictures = [score for score in trained.scores if score.section == "pictures"]
    assert {score.fold for score in pictures} == {"0"}
    assert {s.extractor for s in pictures if "[domain]" in s.name} == {"domain"}
    decoding = [score for score in trained.scores if score.section == "decoding"]
    assert {score.split for score in decoding} == {"2 folds of recordings, 1 of 2 decoded"}
