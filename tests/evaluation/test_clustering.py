from itertools import permutations

import numpy as np
import pytest

from phosphene.evaluation.clustering import kmeans_accuracy, kmeans_score


def blobs(n, n_classes, *, gap, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % n_classes)
    return rng.standard_normal((n, 5)) + gap * np.eye(n_classes, 5)[labels], labels


def test_separate_classes_are_found_whatever_the_order_of_clusters():
    features, labels = blobs(90, 3, gap=20)
    assert kmeans_accuracy(features, labels, n_classes=3, seed=0) == 1


def test_matching_is_the_best_of_all_assignments():
    from sklearn.cluster import KMeans

    features, labels = blobs(80, 4, gap=1.5, seed=1)
    clusters = KMeans(4, n_init=10, random_state=3).fit_predict(features)
    best = max(np.mean(np.array(order)[clusters] == labels) for order in permutations(range(4)))
    assert kmeans_accuracy(features, labels, n_classes=4, seed=3) == pytest.approx(best)


def test_chance_lies_above_one_over_classes():
    features, labels = blobs(40, 4, gap=0, seed=2)
    score = kmeans_score(features, labels, n_classes=4, seed=0, method="x", n_permutations=200)
    assert score.chance > 0.3
    assert score.inside_chance()
    assert (score.n, score.unit) == (40, "trials")


def test_features_of_different_encoders_are_clustered_apart():
    features, labels = blobs(120, 3, gap=20, seed=3)
    folds = np.arange(120) // 60
    features[60:] = features[60:, [1, 2, 0, 3, 4]]  # the second encoder has other axes
    apart = kmeans_score(
        features, labels, n_classes=3, seed=0, method="x", folds=folds, n_permutations=50
    )
    together = kmeans_accuracy(features, labels, n_classes=3, seed=0)
    assert apart.value == 1 > together


def test_same_seed_same_score():
    features, labels = blobs(60, 3, gap=1, seed=4)
    first, second = (
        kmeans_score(features, labels, n_classes=3, seed=5, method="x", n_permutations=30)
        for _ in range(2)
    )
    assert first == second


def test_scores_folds_that_lack_classes():
    features, labels = blobs(60, 3, gap=1)
    score = kmeans_score(
        features, labels, n_classes=3, seed=0, method="x", folds=labels, recordings=[0] * 60
    )
    assert 1 / 3 <= score.value <= 1  # the largest of three clusters is matched to the one class
