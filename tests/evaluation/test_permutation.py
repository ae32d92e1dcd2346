import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from phosphene.evaluation.decoding import decoding_scores
from phosphene.evaluation.permutation import (
    ENOUGH,
    calibrate,
    count_arrangements,
    heldout_test,
    pair_reuse,
)


def decoder(n_trials, n_classes, *, effect, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_trials) % n_classes)
    scores = rng.standard_normal((n_trials, n_classes)) + effect * np.eye(n_classes)[labels]
    return scores, labels


@pytest.mark.parametrize("n_classes", [2, 3])
def test_values_are_those_of_the_scores(n_classes):
    logits, labels = decoder(180, n_classes, effect=1.0, seed=0)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    recordings = np.repeat(["a", "b", "c"], [30, 60, 90])
    scores = decoding_scores(probabilities, labels, recordings=recordings, method="x")
    for score in scores:
        test = heldout_test(
            probabilities, labels, recordings=recordings, statistic=score.name, n_permutations=20
        )
        assert test.value == pytest.approx(score.value)
    accuracy = heldout_test(
        probabilities, labels, recordings=recordings, statistic="balanced accuracy"
    )
    assert accuracy.value == pytest.approx(
        balanced_accuracy_score(labels, probabilities.argmax(axis=1))
    )


def test_auc_of_one_recording_is_the_test_of_mann_and_whitney():
    scores, labels = decoder(120, 2, effect=0.2, seed=1)
    test = heldout_test(scores, labels, recordings=[0] * 120, n_permutations=4000)
    expected = stats.mannwhitneyu(
        scores[labels == 1, 1], scores[labels == 0, 1], alternative="greater", method="exact"
    )
    assert test.p_value == pytest.approx(expected.pvalue, abs=0.03)
    assert test.mean == pytest.approx(0.5, abs=0.005)
    assert test.sd == pytest.approx(math.sqrt(121 / (12 * 60 * 60)), rel=0.05)


def test_blocks_are_permuted_whole():
    blocks = np.arange(120) // 10
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0])[blocks]
    scores = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).standard_normal((120, 2))
    trial = heldout_test(scores, labels, recordings=[0] * 120)
    block = heldout_test(scores, labels, recordings=[0] * 120, blocks=blocks, unit="block")
    assert (trial.n_units, block.n_units) == (120, 12)
    assert block.n_arrangements == math.comb(12, 6)
    assert block.sd > 2 * trial.sd
    assert trial.p_value < block.p_value


def test_p_values_of_one_decoder_are_as_often_small_as_they_say():
    p = [
        heldout_test(
            *decoder(60, 2, effect=0.0, seed=seed),
            recordings=np.arange(60) // 20,
            n_permutations=99,
            seed=seed,
        ).p_value
        for seed in range(200)
    ]
    assert np.mean(np.array(p) <= 0.05) < 0.1
    assert 0.4 < np.mean(p) < 0.6


def test_arrangements_are_counted_inside_recordings():
    labels = np.array([0, 0, 1, 1, 0, 1, 2, 2])
    n_units, n_ways = count_arrangements(labels, list("aaaabbbb"))
    assert n_units == 8
    assert n_ways == 6 * 12
    assert count_arrangements(np.array([0, 0, 1, 1]), list("aabb")) == (
        0,
        1.0,
    )  # nothing to permute
    assert count_arrangements(np.arange(4000) % 2, [0] * 4000)[1] == math.inf


@pytest.mark.parametrize(
    ("folds", "n_trials", "expected"),
    [
        ("aabbcc", None, 1.0),  # every trial held out once
        ("aaaa", 8, 0.0),  # one fold
        ("aabb", 8, 1 / 3),  # two folds of four: of six others, two are held out elsewhere
        ("aaaa", None, 0.0),
    ],
)
def test_share_of_pairs_that_count_twice(folds, n_trials, expected):
    assert pair_reuse(folds, n_trials=n_trials) == pytest.approx(expected)


def test_pair_reuse_refuses_more_trials_than_there_are():
    with pytest.raises(ValueError, match="got 4 of 3"):
        pair_reuse("aabb", n_trials=3)


def one_test(z):
    scores, labels = decoder(200, 2, effect=0.0, seed=0)
    test = heldout_test(scores, labels, recordings=[0] * 200, n_permutations=200)
    from dataclasses import replace

    return replace(test, value=test.mean + z * test.sd, p_value=float(stats.norm.sf(z)))


def test_without_retrained_decoders_theory_widens_the_spread():
    assert calibrate(one_test(2.0), reuse=0.0) == pytest.approx(stats.norm.sf(2.0))
    assert calibrate(one_test(2.0), reuse=1.0) == pytest.approx(stats.norm.sf(2.0 / 2**0.5))


def test_few_retrained_decoders_correct_the_theory():
    test = one_test(2.0)
    wide = calibrate(test, [4.0, -4.0] * 5)
    narrow = calibrate(test, [0.5, -0.5] * 5)
    assert narrow < calibrate(test) < wide


def test_many_retrained_decoders_are_counted():
    null = np.linspace(-3, 3, ENOUGH).tolist()
    reached = sum(z >= 2.0 for z in null)
    assert calibrate(one_test(2.0), null) == pytest.approx((1 + reached) / (1 + ENOUGH))


def test_p_value_is_never_below_that_of_fixed_decisions():
    test = one_test(2.0)
    assert calibrate(test, [0.0] * ENOUGH) == pytest.approx(test.p_value)


def test_decoder_that_says_the_same_of_all_trials_has_found_nothing():
    labels = np.arange(40) % 2
    test = heldout_test(np.tile([0.4, 0.6], (40, 1)), labels, recordings=[0] * 40)
    assert (test.value, test.sd, test.z, test.p_value) == (0.5, 0.0, 0.0, 1.0)
    assert calibrate(test) == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statistic": "F1"}, "`statistic` must be one of"),
        ({"recordings": np.arange(40)}, "two classes in at least one recording"),
        ({"probabilities": np.full((40, 2), np.nan)}, "finite"),
        ({"labels": np.zeros(40, dtype=int)}, "every class needs at least one row"),
    ],
)
def test_refuses(change, message):
    values = {
        "probabilities": np.eye(2)[np.arange(40) % 2],
        "labels": np.arange(40) % 2,
        "recordings": [0] * 40,
        **change,
    }
    with pytest.raises(ValueError, match=message):
        heldout_test(values.pop("probabilities"), values.pop("labels"), **values)
