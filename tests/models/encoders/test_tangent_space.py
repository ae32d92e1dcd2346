import numpy as np
import pytest
import torch
from sklearn.covariance import oas
from sklearn.linear_model import LogisticRegression

from phosphene.export.networks import build_network
from phosphene.models.encoders.tangent_space import (
    TangentSpaceEncoder,
    filters_per_class,
    oas_covariance,
    riemannian_mean,
)


def trials_of(n=60, *, n_chans=3, n_times=40, n_classes=2, seed=0):
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % n_classes
    waves = torch.randn(n_classes, n_chans, n_times, generator=rng)
    mix = torch.randn(n_chans, n_chans, generator=rng)
    signals = mix @ torch.randn(n, n_chans, n_times, generator=rng) + 0.7 * waves[labels]
    return signals, labels


def power(matrix, exponent):
    """Raise a symmetric matrix to a power, by numpy."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(values**exponent) @ vectors.T


def logarithm(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(np.log(values)) @ vectors.T


def test_features_agree_with_one_trial_at_a_time():
    signals, labels = trials_of()
    encoder = TangentSpaceEncoder(3, 40, n_classes=2, step=2).fit(signals, labels)
    thinned = signals[:, :, ::2].double().numpy()
    responses = np.concatenate([thinned[labels == c].mean(axis=0) for c in (0, 1)])
    covariances = [oas(np.concatenate([responses, trial]).T)[0] for trial in thinned]
    mean = sum(covariances) / len(covariances)
    for _ in range(100):  # of the geodesics from the mean to all
        inner = [logarithm(power(mean, -0.5) @ c @ power(mean, -0.5)) for c in covariances]
        values, vectors = np.linalg.eigh(sum(inner) / len(inner))
        step = vectors @ np.diag(np.exp(values)) @ vectors.T
        mean = power(mean, 0.5) @ step @ power(mean, 0.5)
    rows = []
    for covariance in covariances:
        tangent = logarithm(power(mean, -0.5) @ covariance @ power(mean, -0.5))
        upper = [tangent[i, j] * (1 if i == j else 2**0.5) for i in range(9) for j in range(i, 9)]
        rows.append(upper)
    expected = np.array(rows)
    np.testing.assert_allclose(encoder.tangent(signals).numpy(), expected, atol=1e-7)
    standard = (expected - expected.mean(axis=0)) / expected.std(axis=0)
    np.testing.assert_allclose(encoder(signals).numpy(), standard, atol=1e-4)


@pytest.mark.parametrize(("n_chans", "n_filters"), [(4, 0), (6, 2)])
def test_logistic_regression_on_features_is_that_of_pyriemann(n_chans, n_filters):
    pytest.importorskip("pyriemann")
    from pyriemann.estimation import ERPCovariances, XdawnCovariances
    from pyriemann.tangentspace import TangentSpace

    signals, labels = trials_of(110, n_chans=n_chans)
    signals, held_out, labels = signals[:80], signals[80:], labels[:80]
    encoder = TangentSpaceEncoder(n_chans, 40, n_classes=2, n_filters=n_filters)
    encoder.fit(signals, labels)
    estimate = ERPCovariances(estimator="oas")
    if n_filters:
        estimate = XdawnCovariances(n_filters, estimator="oas", xdawn_estimator="oas")
    arrays = [x.double().numpy() for x in (signals, held_out)]
    space = TangentSpace()
    train = space.fit_transform(estimate.fit_transform(arrays[0], labels.numpy()))
    test = space.transform(estimate.transform(arrays[1]))
    if not n_filters:  # filters are known up to their signs
        np.testing.assert_allclose(encoder.tangent(held_out).numpy(), test, atol=1e-6)
    ours, theirs = (
        LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000)
        .fit(fitted, labels.numpy())
        .predict_proba(unseen)
        for fitted, unseen in (
            (encoder.tangent(signals).numpy(), encoder.tangent(held_out).numpy()),
            (train, test),
        )
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert ours.std() > 0.1


@pytest.mark.parametrize("n_samples", [3, 20, 500])
def test_covariance_is_that_of_scikit_learn(n_samples):
    rows = torch.randn(2, 5, n_samples, generator=torch.Generator().manual_seed(0)).double()
    rows = rows * torch.arange(1, 6).double()[:, None]
    expected = np.stack([oas(part.T.numpy())[0] for part in rows])
    np.testing.assert_allclose(oas_covariance(rows).numpy(), expected, rtol=1e-10)


def test_mean_of_two_matrices_is_the_middle_of_their_geodesic():
    rng = np.random.default_rng(0)
    first, second = (m @ m.T + np.eye(4) for m in rng.normal(size=(2, 4, 4)))
    inner = power(first, -0.5) @ second @ power(first, -0.5)
    expected = power(first, 0.5) @ power(inner, 0.5) @ power(first, 0.5)
    mean = riemannian_mean(torch.from_numpy(np.stack([first, second])))
    np.testing.assert_allclose(mean.numpy(), expected, atol=1e-8)


def test_mean_follows_a_change_of_coordinates():
    rng = np.random.default_rng(1)
    matrices = np.stack([m @ m.T + np.eye(4) for m in rng.normal(size=(20, 4, 4))])
    change = rng.normal(size=(4, 4))
    mean = riemannian_mean(torch.from_numpy(matrices)).numpy()
    moved = riemannian_mean(torch.from_numpy(change @ matrices @ change.T)).numpy()
    np.testing.assert_allclose(moved, change @ mean @ change.T, atol=1e-7)


def test_reads_the_class_of_trials_that_it_was_not_fitted_on():
    signals, labels = trials_of(200, seed=3)
    train, test = slice(0, 100), slice(100, 200)
    encoder = TangentSpaceEncoder(3, 40, n_classes=2, n_filters=2).fit(
        signals[train], labels[train]
    )
    model = LogisticRegression().fit(encoder(signals[train]).numpy(), labels[train])
    assert model.score(encoder(signals[test]).numpy(), labels[test]) > 0.8


def test_is_built_from_plain_settings_and_saved_as_tensors():
    settings = {"n_chans": 5, "n_times": 30, "n_classes": 3, "n_filters": 2, "step": 3}
    spec = {"network": "TangentSpaceEncoder", "settings": settings}
    signals, labels = trials_of(30, n_chans=5, n_times=30, n_classes=3)
    fitted = build_network(spec, kind="encoders")
    fitted.fit(signals, labels)
    with torch.device("meta"):
        sizes = {k: v.shape for k, v in build_network(spec).state_dict().items()}
    assert sizes == {k: v.shape for k, v in fitted.state_dict().items()}
    again = build_network(spec, kind="encoders")
    again.load_state_dict(fitted.state_dict())
    features = again(signals)
    torch.testing.assert_close(features, fitted(signals), rtol=0, atol=0)
    assert features.shape == (30, again.n_features)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features.mean(0), torch.zeros(again.n_features), atol=1e-4, rtol=0)


def test_flat_and_dependent_channels_leave_features_finite():
    signals, labels = trials_of()
    signals[:, 2] = -signals[:, 0] - signals[:, 1]  # an average reference
    encoder = TangentSpaceEncoder(3, 40, n_classes=2, n_filters=2).fit(signals, labels)
    assert encoder(signals).isfinite().all()
    assert encoder(torch.zeros(2, 3, 40)).isfinite().all()


@pytest.mark.parametrize(
    ("n_chans", "n_classes", "expected"), [(4, 2, 0), (16, 2, 0), (32, 2, 12), (128, 40, 1)]
)
def test_filters_keep_covariances_small(n_chans, n_classes, expected):
    assert filters_per_class(n_chans, n_classes=n_classes) == expected


def test_refuses_what_it_cannot_read():
    signals, labels = trials_of()
    encoder = TangentSpaceEncoder(3, 40, n_classes=2)
    with pytest.raises(ValueError, match=r"needs training trials.*Call `fit`"):
        encoder(signals)
    with pytest.raises(ValueError, match=r"of 2 classes there are \[0\]"):
        encoder.fit(signals, 0 * labels)
    with pytest.raises(ValueError, match="must have 40 samples"):
        encoder.fit(signals[:, :, :30], labels)
    with pytest.raises(ValueError, match=r"at most the 3 channels; got 4"):
        TangentSpaceEncoder(3, 40, n_classes=2, n_filters=4)
    with pytest.raises(ValueError, match="`step` must be at least 1"):
        TangentSpaceEncoder(3, 40, n_classes=2, step=0)
