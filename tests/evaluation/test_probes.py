import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from phosphene.evaluation.probes import linear_probe, shrinkage_lda


def features_of(n, n_classes, *, seed, gap=3.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % n_classes)
    centres = gap * np.eye(n_classes, 6)
    return centres[labels] + rng.standard_normal((n, 6)), labels


def test_linear_probe_reads_classes_in_label_order():
    features, labels = features_of(300, 4, seed=0)
    held_out, expected = features_of(200, 4, seed=1)
    probabilities = linear_probe(features, labels, n_classes=4).predict_proba(held_out)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == expected).mean() > 0.9


def test_linear_probe_is_at_the_minimum_of_its_loss():
    features, labels = features_of(120, 3, seed=2)
    model = linear_probe(features, labels, n_classes=3, penalty=2.0)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    residual = model.predict_proba(features) - np.eye(3)[labels]
    gradient = residual.T @ scaled + 2.0 * model.model[-1].coef_
    assert np.abs(gradient).max() < 0.05


def test_linear_probe_does_not_care_about_scale_or_offset():
    features, labels = features_of(120, 3, seed=3)
    held_out, _ = features_of(50, 3, seed=4)
    first = linear_probe(features, labels, n_classes=3).predict_proba(held_out)
    second = linear_probe(1e-3 * features + 5, labels, n_classes=3)
    np.testing.assert_allclose(first, second.predict_proba(1e-3 * held_out + 5), atol=1e-3)


def epochs_of(n, *, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    evoked = np.sin(np.linspace(0, np.pi, 32)) * np.array([1, -1, 0])[:, None]
    epochs = rng.standard_normal((n, 3, 32)) + np.where(labels, 1, -1)[:, None, None] * evoked
    return epochs, labels


def test_lda_agrees_with_the_formula():
    epochs, labels = epochs_of(200, seed=0)
    held_out, _ = epochs_of(40, seed=1)
    rows, held_rows = (e[:, :, ::4].reshape(len(e), -1) for e in (epochs, held_out))
    groups = [rows[labels == c] for c in (0, 1)]
    covariance = np.zeros((24, 24))
    for group in groups:  # shrunk towards equal variances after standardisation, then pooled
        scale = group.std(axis=0)
        shrunk = ledoit_wolf((group - group.mean(axis=0)) / scale)[0]
        covariance += shrunk * np.outer(scale, scale) / 2
    weights = np.linalg.solve(covariance, groups[1].mean(axis=0) - groups[0].mean(axis=0))
    middle = (groups[0].mean(axis=0) + groups[1].mean(axis=0)) / 2
    expected = 1 / (1 + np.exp(-(held_rows - middle) @ weights))
    probe = shrinkage_lda(epochs, labels, n_classes=2, step=4)
    np.testing.assert_allclose(probe.predict_proba(held_out)[:, 1], expected, atol=1e-6)


def test_lda_reads_volts_as_well_as_microvolts():
    epochs, labels = epochs_of(100, seed=2)
    held_out, _ = epochs_of(40, seed=3)
    first, second = (
        shrinkage_lda(epochs * unit, labels, n_classes=2, step=2).predict_proba(held_out * unit)
        for unit in (1.0, 1e-6)
    )
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_refuses_a_missing_class_and_other_shapes():
    epochs, labels = epochs_of(20, seed=5)
    with pytest.raises(ValueError, match="class 2 of 3"):
        shrinkage_lda(epochs, labels, n_classes=3, step=2)
    with pytest.raises(ValueError, match="class 2 of 3"):
        linear_probe(epochs[:, 0], labels, n_classes=3)
    with pytest.raises(ValueError, match="step"):
        shrinkage_lda(epochs, labels, n_classes=2, step=0)
    with pytest.raises(ValueError, match="finite"):
        linear_probe(np.full((20, 2), np.nan), labels, n_classes=2)
    probe = shrinkage_lda(epochs, labels, n_classes=2, step=2)
    with pytest.raises(ValueError, match=r"shape \(3, 32\)"):
        probe.predict_proba(epochs[:, :2])


def rare_class(n, *, seed):
    """Draw features of two classes, one in six of class 1, and the same as epochs of one sample."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation((np.arange(n) % 6 == 0).astype(int))
    features = rng.standard_normal((n, 4)) + 1.2 * labels[:, None] * np.eye(1, 4)
    return features, features[:, :, None], labels


def recall(model, rows, labels):
    return balanced_accuracy_score(labels, model.predict_proba(rows).argmax(axis=1))


def test_a_rare_class_counts_as_much_as_a_frequent_one():
    features, epochs, labels = rare_class(600, seed=0)
    held_out, held_epochs, expected = rare_class(1200, seed=1)

    lda = shrinkage_lda(epochs, labels, n_classes=2, step=1)
    fair = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
    fair.fit(features, labels)
    np.testing.assert_allclose(lda.predict_proba(held_epochs), fair.predict_proba(held_out))

    probe = linear_probe(features, labels, n_classes=2)
    centre, scale = features.mean(axis=0), features.std(axis=0)
    weighted = LogisticRegression(class_weight="balanced", max_iter=2000)
    weighted.fit((features - centre) / scale, labels)
    np.testing.assert_allclose(
        probe.predict_proba(held_out),
        weighted.predict_proba((held_out - centre) / scale),
        atol=1e-6,
    )

    as_drawn = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features, labels)
    assert recall(lda, held_epochs, expected) > recall(as_drawn, held_out, expected) + 0.1
    assert recall(probe, held_out, expected) > recall(as_drawn, held_out, expected) + 0.1
