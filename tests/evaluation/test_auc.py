import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from phosphene.evaluation.auc import auc_interval, macro_auc, mean_present, weighted_auc


def ranks(probabilities):
    return stats.rankdata(probabilities, axis=0)


def test_hand_computed_binary_auc():
    # pairs (positive, negative): .9 beats both, .4 beats .1 and ties with .4: 3.5 of 4
    positive = np.array([0.9, 0.4, 0.4, 0.1])
    probabilities = np.stack([1 - positive, positive], axis=1)
    assert macro_auc(ranks(probabilities), np.array([1, 1, 0, 0])) == 3.5 / 4


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_agrees_with_scikit_learn(n_classes):
    rng = np.random.default_rng(n_classes)
    probabilities = rng.dirichlet(np.ones(n_classes), 150).round(2)  # with ties
    probabilities[:, 0] += 1 - probabilities.sum(axis=1)
    labels = rng.integers(0, n_classes, 150)
    given = probabilities[:, 1] if n_classes == 2 else probabilities
    expected = roc_auc_score(labels, given, multi_class="ovr", average="macro")
    assert macro_auc(ranks(probabilities), labels) == pytest.approx(expected)


def test_missing_class_is_left_out_and_one_class_is_nan():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    labels = np.arange(20) % 2
    expected = np.mean([roc_auc_score(labels == c, probabilities[:, c]) for c in (0, 1)])
    assert macro_auc(ranks(probabilities), labels) == pytest.approx(expected)
    assert np.isnan(macro_auc(ranks(probabilities), np.zeros(20, dtype=np.int64)))


@pytest.mark.parametrize("n_classes", [2, 9])
def test_many_permutations_at_once_give_what_each_gives_alone(n_classes):
    rng = np.random.default_rng(n_classes)
    ranked = ranks(rng.dirichlet(np.ones(n_classes), 25).round(1))
    labels = rng.integers(0, n_classes, (40, 25))
    labels[0], labels[1] = 1, 0  # one class alone is nothing to tell from
    found = macro_auc(ranked, labels)
    np.testing.assert_array_equal(found, [macro_auc(ranked, row) for row in labels])
    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2:]).all()


def test_mean_present_of_many_rows_is_that_of_each():
    values = np.array([[0.5, np.nan, 0.8], [np.nan, np.nan, np.nan], [0.1, 0.2, 0.3]])
    weights = np.array([[1, 5, 2], [1, 1, 1], [3, 0, 1]])
    alone = [mean_present(v, w) for v, w in zip(values, weights, strict=True)]
    np.testing.assert_array_equal(mean_present(values, weights), alone)
    np.testing.assert_array_equal(mean_present(values[0], weights)[0], alone[0])


def test_mean_present_skips_nan():
    assert mean_present(np.array([0.5, np.nan, 0.8]), np.array([1, 5, 2])) == pytest.approx(0.7)
    assert np.isnan(mean_present(np.array([np.nan, 0.3]), np.array([1, 0])))


@pytest.mark.parametrize("n_classes", [2, 5])
def test_weights_count_as_repeated_trials_do(n_classes):
    rng = np.random.default_rng(n_classes)
    probabilities = rng.dirichlet(np.ones(n_classes), 40).round(1)  # with many ties
    labels = rng.integers(0, n_classes, 40)
    auc = weighted_auc(probabilities, labels)
    for share in (1.0, 0.2, 0.05):  # the last draws leave classes out
        for drawn in rng.multinomial(round(40 * share), np.full(40, 1 / 40), size=30):
            rows = np.repeat(np.arange(40), drawn)
            expected = macro_auc(ranks(probabilities[rows]), labels[rows])
            np.testing.assert_array_equal(auc(drawn), expected)
    assert np.isnan(auc(np.zeros(40, dtype=np.int64)))


def test_interval_covers_the_known_auc():
    rng = np.random.default_rng(0)
    truth, inside = stats.norm.cdf(1 / np.sqrt(2)), 0
    labels = np.arange(60) % 2
    for seed in range(30):
        positive = stats.norm.cdf(rng.standard_normal(60) + labels)
        probabilities = np.stack([1 - positive, positive], axis=1)
        low, high = auc_interval(probabilities, labels, parts=[np.arange(60)], seed=seed)
        inside += low <= truth <= high
    assert inside >= 25  # 28.5 expected


def test_interval_of_a_perfect_decoder_keeps_a_width():
    labels = np.array([0, 0, 0, 1, 1])
    probabilities = np.eye(2)[labels]
    low, high = auc_interval(probabilities, labels, parts=[np.arange(5)], seed=0)
    assert (low, high) == pytest.approx((0.025**0.5, 1.0))  # two trials of the rarest class
