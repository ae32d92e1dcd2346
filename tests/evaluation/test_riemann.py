import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power, logm
from sklearn.covariance import oas
from sklearn.linear_model import LogisticRegression

from phosphene.evaluation import riemann
from phosphene.evaluation.riemann import riemann_available, tangent_space

needs_pyriemann = pytest.mark.skipif(not riemann_available(), reason="pyriemann is missing")


def epochs_of(n, *, seed, n_chans=3, n_classes=2):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % n_classes)
    time = np.linspace(0, np.pi, 32)
    evoked = np.stack(
        [np.outer(np.eye(n_chans)[c], np.sin((c + 1) * time)) for c in range(n_classes)]
    )
    return rng.standard_normal((n, n_chans, 32)) + 0.9 * evoked[labels], labels


@needs_pyriemann
def test_agrees_with_the_formula():
    epochs, labels = epochs_of(60, seed=0)
    held_out, _ = epochs_of(20, seed=1)
    thinned, held_thinned = epochs[:, :, ::2], held_out[:, :, ::2]
    scale = thinned.std(axis=(0, 2))[:, None]
    thinned, held_thinned = thinned / scale, held_thinned / scale
    responses = [thinned[labels == c].mean(axis=0) for c in (0, 1)]
    covariances, held_covariances = (
        np.stack([oas(np.concatenate([*responses, trial]).T)[0] for trial in trials])
        for trials in (thinned, held_thinned)
    )
    mean = covariances.mean(axis=0)
    for _ in range(20):
        root, white = (fractional_matrix_power(mean, p) for p in (0.5, -0.5))
        inner = np.mean([logm(white @ c @ white) for c in covariances], axis=0)
        values, vectors = np.linalg.eigh(inner)
        mean = root @ (vectors * np.exp(values)) @ vectors.T @ root
    white = fractional_matrix_power(mean, -0.5)
    weights = np.where(np.eye(9) > 0, 1, np.sqrt(2))[np.triu_indices(9)]
    features, held_features = (
        np.stack([logm(white @ c @ white)[np.triu_indices(9)] * weights for c in group])
        for group in (covariances, held_covariances)
    )
    model = LogisticRegression(max_iter=2000, class_weight="balanced").fit(features, labels)
    probe = tangent_space(epochs, labels, n_classes=2, step=2)
    expected = model.predict_proba(held_features)
    np.testing.assert_allclose(probe.predict_proba(held_out), expected, atol=1e-3)
    assert expected.std() > 0.1


@needs_pyriemann
def test_reads_volts_as_well_as_microvolts():
    epochs, labels = epochs_of(80, seed=2)
    held_out, _ = epochs_of(30, seed=3)
    first, second = (
        tangent_space(epochs * unit, labels, n_classes=2, step=2).predict_proba(held_out * unit)
        for unit in (1.0, 1e-6)
    )
    np.testing.assert_allclose(first, second, atol=1e-5)


@needs_pyriemann
def test_many_channels_go_through_filters():
    epochs, labels = epochs_of(150, seed=4, n_chans=20, n_classes=3)
    held_out, expected = epochs_of(90, seed=5, n_chans=20, n_classes=3)
    probe = tangent_space(epochs, labels, n_classes=3, step=1)
    assert probe.model[-1].n_features_in_ == 48 * 49 / 2
    probabilities = probe.predict_proba(held_out)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == expected).mean() > 0.6


@needs_pyriemann
def test_a_rare_class_counts_as_much_as_a_frequent_one():
    epochs, labels = epochs_of(600, seed=6)
    kept = (labels == 0) | (np.arange(600) % 6 == 0)
    held_out, expected = epochs_of(400, seed=7)
    probe = tangent_space(0.5 * epochs[kept], labels[kept], n_classes=2, step=2)
    found = probe.predict_proba(0.5 * held_out).argmax(axis=1)
    shares = [(found[expected == c] == c).mean() for c in (0, 1)]
    assert min(shares) > 0.6


@needs_pyriemann
def test_refuses_a_missing_class_and_other_shapes():
    epochs, labels = epochs_of(20, seed=8)
    with pytest.raises(ValueError, match="class 2 of 3"):
        tangent_space(epochs, labels, n_classes=3)
    with pytest.raises(ValueError, match="step"):
        tangent_space(epochs, labels, n_classes=2, step=0)
    with pytest.raises(ValueError, match="finite"):
        tangent_space(np.full((20, 3, 32), np.nan), labels, n_classes=2)
    with pytest.raises(ValueError, match=r"shape \(3, 32\)"):
        tangent_space(epochs, labels, n_classes=2).predict_proba(epochs[:, :2])


def test_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(riemann, "find_spec", lambda name: None)
    assert not riemann_available()
    epochs, labels = epochs_of(20, seed=9)
    with pytest.raises(ValueError, match=r"needs pyriemann; it is not installed.*pip install"):
        tangent_space(epochs, labels, n_classes=2)
