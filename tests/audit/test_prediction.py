import numpy as np
import pytest

from phosphene.audit.prediction import (
    ALL_PERMUTATIONS,
    FIRST_PERMUTATIONS,
    above_chance,
    predict_class,
)


def ask(features, labels, *, parts=None, seed=0, permute=True, **rest):
    rng = np.random.default_rng(seed)
    n = len(labels)

    def draw(rng):
        return labels[rng.permutation(n)]

    return predict_class(
        features,
        labels,
        rows=rest.pop("rows", np.arange(n)),
        parts=np.arange(n) % 5 if parts is None else parts,
        permute=draw if permute else None,
        rng=rng,
        **rest,
    )


def test_finds_a_class_that_is_there():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(150) % 3)
    features = rng.normal(size=(150, 4))
    features[np.arange(150), labels] += 4
    found = ask(features, labels)
    assert found.accuracy > 0.9
    assert found.p_value == 1 / (ALL_PERMUTATIONS + 1)
    assert found.chance == pytest.approx(1 / 3, abs=0.02)
    assert found.excess == pytest.approx((found.accuracy - 1 / 3) * 1.5)
    assert len(found.right) == pytest.approx(found.accuracy * 150, abs=1)
    margin = np.sort(features[found.right], axis=1)
    margin = margin[:, -1] - margin[:, -2]
    assert margin[:30].mean() > margin[-30:].mean()  # the surest come first


def test_decides_as_shrinkage_lda_of_all_rows_does():
    from sklearn.covariance import ledoit_wolf

    rng = np.random.default_rng(1)
    labels = rng.permutation(np.arange(80) % 2)
    features = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 3)) + 0.8 * labels[:, None]
    parts = np.arange(80) % 4
    found = ask(features, labels, parts=parts, permute=False)
    table = (features - features.mean(0)) / features.std(0)
    right = []
    for part in range(4):
        train, test = parts != part, parts == part
        centre = table[train].mean(0)
        covariance, _ = ledoit_wolf(table[train] - centre, assume_centered=True)
        means = np.stack([(table[train] - centre)[labels[train] == c].mean(0) for c in (0, 1)])
        weights = np.linalg.solve(covariance, means.T)
        logits = (table[test] - centre) @ weights - (means.T * weights).sum(0) / 2
        right += list(np.flatnonzero(test)[logits.argmax(1) == labels[test]])
    assert sorted(found.right) == sorted(right)


def test_p_values_are_uniform_without_a_class():
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(40) % 2)
        p_values.append(ask(rng.normal(size=(40, 5)), labels, seed=seed).p_value)
    p_values = np.array(p_values)
    assert (p_values <= 0.05).mean() <= 0.09
    assert (p_values <= 0.5).mean() == pytest.approx(0.5, abs=0.1)


def test_stops_early_where_nothing_is():
    rng = np.random.default_rng(3)
    labels = np.arange(60) % 2
    assert ask(rng.normal(size=(60, 2)), labels).n_permutations == FIRST_PERMUTATIONS


def test_what_recordings_differ_in_says_nothing():
    rng = np.random.default_rng(4)
    recordings = np.repeat(np.arange(4), 20)
    labels = rng.permutation(np.arange(80) % 2)
    features = rng.normal(size=(80, 2)) * [1, 1e-6] + 10 * recordings[:, None]
    features[:, 1] += 2e-6 * labels
    found = ask(features, labels, parts=recordings, recordings=recordings)
    assert found.accuracy > 0.75
    constant = ask(np.ones((80, 2)), labels, parts=recordings, recordings=recordings)
    assert constant.accuracy == pytest.approx(0.5)


def test_can_be_tested_on_other_features_than_it_learns_from():
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.arange(100) % 2)
    features = rng.normal(size=(100, 2)) + 3 * labels[:, None]
    other = rng.normal(size=(100, 2))
    assert ask(features, labels, asked=features + other / 10).accuracy > 0.9
    assert ask(features, labels, asked=other).p_value > 0.01


def test_uses_the_rows_that_it_is_given_and_few_components_of_many_features():
    rng = np.random.default_rng(6)
    labels = np.arange(200) % 2
    rows = np.flatnonzero(rng.random(200) < 0.7)
    features = rng.normal(size=(len(rows), 300)) + labels[rows, None]
    found = ask(features, labels, rows=rows)
    assert found.n_rows == len(rows)
    assert found.accuracy > 0.9
    assert set(found.right) <= set(rows)


def test_a_single_part_has_nothing_to_learn_from():
    labels = np.arange(20) % 2
    found = ask(np.ones((20, 1)), labels, parts=np.zeros(20, dtype=np.int64), permute=False)
    assert found.accuracy == pytest.approx(0.5)
    assert found.p_value == 1


def test_above_chance_runs_from_chance_to_one():
    assert above_chance(0.5, 2) == 0
    assert above_chance(1.0, 7) == pytest.approx(1)
    assert above_chance(0.1, 10) == pytest.approx(0)
