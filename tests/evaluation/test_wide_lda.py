import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from phosphene.evaluation.wide_lda import fit_wide_lda, ledoit_wolf_share


def data(n, n_features, n_classes, *, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % n_classes)
    mix = rng.normal(size=(n_features, n_features)) / np.sqrt(n_features)
    rows = rng.normal(size=(n, n_features)) @ mix * rng.uniform(1e-6, 1e-4, n_features)
    return rows + 1e-5 * rng.normal(size=(n_classes, n_features))[labels], labels


@pytest.mark.parametrize(("n", "n_features"), [(20, 300), (60, 90), (60, 20)])
def test_share_is_that_of_scikit_learn(n, n_features):
    rows, _ = data(n, n_features, 2)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    share, level = ledoit_wolf_share(rows)
    assert share == pytest.approx(ledoit_wolf_shrinkage(rows, assume_centered=True), rel=1e-9)
    assert level == pytest.approx(1.0)


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("n_features", [30, 400])
def test_discriminant_is_that_of_scikit_learn(n_classes, n_features):
    rows, labels = data(100, n_features, n_classes)
    held_out, _ = data(50, n_features, n_classes, seed=1)
    priors = np.full(n_classes, 1 / n_classes)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
    expected = reference.fit(rows, labels).predict_proba(held_out)
    found = fit_wide_lda(rows, labels, n_classes=n_classes).predict_proba(held_out)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.std() > 0.05


def test_thousands_of_features_are_quick():
    """128 channels: a covariance of 6,500 features would take 340 MB and minutes."""
    import time

    rows, labels = np.random.default_rng(0).normal(size=(60, 6528)), np.arange(60) % 2
    began = time.process_time()
    fit_wide_lda(rows, labels, n_classes=2)
    assert time.process_time() - began < 2
