import numpy as np
import pytest

from phosphene.recipes.phosphene_best_lfp.ridge import PENALTIES, fit_ridge


def planted(n=60, n_features=12, n_outputs=5, *, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, n_features))
    weights = rng.normal(size=(n_features, n_outputs))
    outputs = features @ weights + 3.0 + noise * rng.normal(size=(n, n_outputs))
    return features - features.mean(0), outputs, weights


FOLDS = np.arange(60) % 6


def test_recovers_a_planted_linear_map():
    features, outputs, weights = planted()
    found = fit_ridge(features, outputs, folds=FOLDS)
    np.testing.assert_allclose(found.weights, weights, atol=0.01)
    np.testing.assert_allclose(found.offset, outputs.mean(0))
    assert found.penalty == PENALTIES[0]
    assert found.explained > 0.99


def test_is_the_closed_form_of_the_penalised_squares():
    features, outputs, _ = planted(noise=2.0)
    found = fit_ridge(features, outputs, folds=FOLDS, penalties=[3.0])
    penalty = 3.0 * features.shape[1]
    normal = features.T @ features + penalty * np.eye(features.shape[1])
    expected = np.linalg.solve(normal, features.T @ (outputs - outputs.mean(0)))
    np.testing.assert_allclose(found.weights, expected, atol=1e-10)


def test_more_features_than_pictures_are_as_good():
    features, outputs, _ = planted(20, 200, noise=0.1)
    found = fit_ridge(features, outputs, folds=np.arange(20) % 5, penalties=[0.1])
    normal = features.T @ features + 0.1 * 200 * np.eye(200)
    expected = np.linalg.solve(normal, features.T @ (outputs - outputs.mean(0)))
    np.testing.assert_allclose(found.weights, expected, atol=1e-8)


def test_the_penalty_grows_with_noise_and_noise_alone_explains_nothing():
    little, much = (
        fit_ridge(*planted(noise=noise)[:2], folds=FOLDS).penalty for noise in (0.01, 10.0)
    )
    assert little < much
    features, outputs, _ = planted()
    shuffled = outputs[np.random.default_rng(1).permutation(60)]
    nothing = fit_ridge(features, shuffled, folds=FOLDS)
    assert nothing.explained < 0.1
    assert nothing.penalty >= 1


def test_explained_variance_is_that_of_folds_left_out():
    features, outputs, _ = planted(noise=3.0)
    found = fit_ridge(features, outputs, folds=FOLDS, penalties=[0.5])
    missed = total = 0.0
    for fold in range(6):
        out = fold == FOLDS
        part = fit_ridge(features[~out], outputs[~out], folds=FOLDS[~out], penalties=[0.5])
        missed += ((outputs[out] - part.offset - features[out] @ part.weights) ** 2).sum()
        total += ((outputs[out] - part.offset) ** 2).sum()
    assert found.explained == pytest.approx(1 - missed / total, abs=1e-10)


def test_refuses_what_cannot_be_cross_validated_or_predicted():
    features, outputs, _ = planted()
    with pytest.raises(ValueError, match="number of folds"):
        fit_ridge(features, outputs, folds=np.zeros(60, dtype=int))
    with pytest.raises(ValueError, match="must differ between pictures"):
        fit_ridge(features, np.ones_like(outputs), folds=FOLDS)
