import numpy as np
import pytest

from phosphene.evaluation.fold_scores import (
    ceiling_scores,
    null_ranges,
    pool_arrays,
    put_null_ranges,
    reuse_of,
    split_words,
    stamp_scores,
)
from phosphene.run_dir import RunDir
from phosphene.score import Score


def split(unit, *, n=2, **stamps):
    return {"unit": unit, "folds": [{}] * n, "leak_reason": None, **stamps}


@pytest.mark.parametrize(
    ("unit", "n_folds", "n_decoded", "words"),
    [
        ("recording", None, 2, "leave one recording out"),
        ("recording", 2, 2, "2 folds of recordings"),
        ("trial", None, 1, "2 folds of trials, 1 of 2 decoded"),
        ("published half", 5, 2, "published split"),
        ("published split", None, 1, "published split, 1 of 2 decoded"),
    ],
)
def test_a_split_in_words(unit, n_folds, n_decoded, words):
    assert split_words(split(unit), n_folds=n_folds, n_decoded=n_decoded) == words


def test_leak_and_doubt_stand_on_every_score():
    scores = [
        Score(name="a", value=1.0, n=1, unit="trials"),
        Score(name="b", value=1.0, n=1, unit="trials", note="old"),
    ]
    stamped = stamp_scores(scores, split("trial", leak_reason="why", doubt="perhaps"))
    assert [s.note for s in stamped] == [
        "leak allowed: why; doubt: perhaps",
        "leak allowed: why; doubt: perhaps; old",
    ]
    assert stamp_scores(scores, split("trial")) == scores


def test_folds_are_pooled_in_the_order_asked_for(tmp_path):
    run = RunDir(tmp_path)
    run.write_arrays("folds/a/x.npz", {"labels": np.arange(2), "more": np.zeros(2)})
    run.write_arrays("folds/b/x.npz", {"labels": np.arange(3)})
    found = pool_arrays(run, ["b", "c", "a"], "x.npz")
    assert found["labels"].tolist() == [0, 1, 2, 0, 1]
    assert found["fold"].tolist() == ["b"] * 3 + ["a"] * 2
    assert set(found) == {"labels", "fold"}
    assert pool_arrays(run, ["c"], "x.npz") == {}


def test_null_ranges_weigh_folds_by_their_trials(tmp_path):
    run = RunDir(tmp_path)
    for key, level in (("a", 0.2), ("b", 0.6)):
        run.write_arrays(f"folds/{key}/linear_null.npz", {"scores": np.full((10, 2), level)})
    fold_of_trial = np.array(["a", "a", "a", "b"])
    assert null_ranges(run, fold_of_trial, ["a", "b"])["AUC"] == pytest.approx((0.3, 0.3))


def test_ceiling_is_a_reference_where_it_is_known():
    assert ceiling_scores({}) == []
    assert ceiling_scores({"ceiling": {"accuracy": None}}) == []
    (score,) = ceiling_scores({"ceiling": {"accuracy": 0.8, "low": 0.7, "high": 0.9, "n": 5}})
    assert (score.section, score.role, score.value, score.n) == ("ceiling", "reference", 0.8, 5)


def test_range_of_permuted_labels_is_the_widest_known():
    labels = np.arange(160) % 8
    lucky = np.array([0, 0, 1, 1, 2, 2, 3, 3])[labels]  # all trials of a class get one answer
    arrays = {
        "labels": labels,
        "fold": np.repeat(["a", "b"], 80),
        "recording": np.repeat(["a", "b"], 80),
        "probabilities": np.eye(8)[lucky],
    }
    own = {"value": 0.25, "n": 160, "unit": "trials", "chance_low": 0.1, "chance_high": 0.15}
    scores = [Score(name="balanced accuracy", **own), Score(name="AUC", **own)]
    found, _ = put_null_ranges(
        scores, {"balanced accuracy": (0.05, 0.16)}, arrays=arrays, key="probabilities"
    )
    assert found.chance_low <= 0.05
    assert found.chance_high > 0.2  # lumps of whole classes: few observations
    assert found.value == 0.25
    assert put_null_ranges([], {}, arrays=arrays, key="riemann_probabilities") == []


def test_reuse_counts_the_trials_of_the_whole_data_set():
    arrays = {"labels": np.zeros(40), "fold": np.repeat(["a", "b"], 20)}
    assert reuse_of(arrays, {"n_trials": 40}) == 1
    assert reuse_of(arrays, {"n_trials": 80}) == pytest.approx(1 / 3)
    assert reuse_of(arrays, {}) == 1
