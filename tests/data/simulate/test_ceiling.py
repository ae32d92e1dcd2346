import numpy as np
import pytest
from scipy.linalg import circulant
from scipy.stats import norm

from phosphene.data.simulate.background import Background, rfft_weights
from phosphene.data.simulate.ceiling import BayesRule, project, response_gram

RNG = np.random.default_rng(0)
WHITE = Background(100.0, (np.zeros((3, 1)), np.zeros((3, 1)), 2e-6 * np.eye(3)), 1.0)
COLOURED = Background(
    100.0, (RNG.normal(size=(2, 2)), 0.5 * RNG.normal(size=(2, 1)), 0.3 * np.eye(2)), 1.4
)


@pytest.fixture
def mixture():
    """Three classes of six pictures each, in five dimensions."""
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 6)
    weights = rng.normal(size=(3, 5))[labels] + 0.5 * rng.normal(size=(18, 5))
    return weights, labels


def test_gram_in_white_noise_is_the_inner_product():
    basis = np.random.default_rng(0).normal(size=(4, 3, 20)) * 1e-6
    flat = basis.reshape(4, -1)
    np.testing.assert_allclose(response_gram(basis, WHITE), flat @ flat.T / 4e-12, rtol=1e-9)


def test_gram_equals_the_inverse_covariance_in_time():
    rng = np.random.default_rng(0)
    n_times, basis = 48, rng.normal(size=(3, 2, 8))
    density = COLOURED.density(n_times)
    padded = np.pad(basis, ((0, 0), (0, 0), (0, n_times - 8)))
    full = np.block(
        [
            [circulant(np.fft.irfft(density[:, row, column], n_times)) for column in range(2)]
            for row in range(2)
        ]
    )
    flat = padded.reshape(3, -1)
    expected = flat @ np.linalg.solve(full, flat.T)
    found = response_gram(basis, COLOURED, context=0.4)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_more_context_changes_nothing():
    basis = np.random.default_rng(0).normal(size=(2, 2, 60))
    short, long = (response_gram(basis, COLOURED, context=context) for context in (30.0, 90.0))
    np.testing.assert_allclose(short, long, rtol=1e-4)


def test_projection_of_a_response_is_its_gram_column():
    n_times = 1000
    basis = np.random.default_rng(0).normal(size=(3, 2, 30))
    signal = np.zeros((2, n_times))
    signal[:, 400:430] = basis[1]
    outputs = project(signal, basis, background=COLOURED)
    gram = response_gram(basis, COLOURED, context=9.7)  # as long as the signal
    np.testing.assert_allclose(outputs[:, 400], gram[1], rtol=1e-6)


def test_projected_noise_has_the_gram_as_covariance():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(2, 2, 30))
    noise = COLOURED.sample(100_000, rng)
    outputs = project(noise, basis, background=COLOURED)[:, ::50]
    gram = response_gram(basis, COLOURED)
    np.testing.assert_allclose(np.cov(outputs), gram, rtol=0.1, atol=0.05 * gram.max())


@pytest.mark.parametrize("effect", [0.3, 1.0, 2.0])
def test_two_pictures_match_the_closed_form(effect):
    gram = np.array([[2.0, 0.5], [0.5, 1.0]])
    weights = np.array([[1.0, 0.0], [-0.2, 0.8]])
    gap = weights[0] - weights[1]
    expected = norm.cdf(effect * np.sqrt(gap @ gram @ gap) / 2)
    rule = BayesRule([gram], weights, labels=np.array([0, 1]), n_draws=50_000)
    found = rule.accuracy(effect)
    assert found.accuracy == pytest.approx(expected, abs=0.006)
    assert found.low - 0.003 < expected < found.high + 0.003


def test_subjects_are_averaged():
    weights, labels = np.array([[1.0], [-1.0]]), np.array([0, 1])
    grams = [np.array([[0.25]]), np.array([[4.0]])]
    expected = (norm.cdf(0.5) + norm.cdf(2.0)) / 2
    found = BayesRule(grams, weights, labels=labels).accuracy(1.0).accuracy
    assert found == pytest.approx(expected, abs=0.006)


def test_without_effect_nothing_can_be_decoded(mixture):
    weights, labels = mixture
    found = BayesRule([np.eye(5)], weights, labels=labels, n_draws=2000).accuracy(0.0)
    assert found.accuracy == pytest.approx(1 / 3, abs=1e-6)
    assert found.chance == pytest.approx(1 / 3)


def test_accuracy_rises_with_the_effect(mixture):
    weights, labels = mixture
    rule = BayesRule([np.eye(5)], weights, labels=labels, n_draws=5000)
    accuracies = [rule.accuracy(effect).accuracy for effect in (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)]
    assert (np.diff(accuracies) > 0).all()
    assert accuracies[-1] > 0.99


def test_mean_of_best_probability_is_the_share_of_right_answers(mixture):
    weights, labels = mixture
    rule = BayesRule([np.eye(5)], weights, labels=labels, n_draws=20_000)
    probabilities, classes = rule.posteriors(0.8)
    right = (probabilities.argmax(1) == classes).mean()
    assert rule.accuracy(0.8).accuracy == pytest.approx(right, abs=0.012)


def test_no_other_rule_beats_it(mixture):
    """Nearest class mean is the best linear rule here, and stays below."""
    weights, labels = mixture
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 18, 20_000)
    y = weights[picture] + rng.normal(size=(20_000, 5))
    means = np.stack([weights[labels == label].mean(0) for label in range(3)])
    nearest = ((y[:, None] - means) ** 2).sum(2).argmin(1)
    best = BayesRule([np.eye(5)], weights, labels=labels).accuracy(1.0)
    assert (nearest == labels[picture]).mean() < best.high


@pytest.mark.parametrize("target", [0.5, 0.9])
def test_effect_is_solved(mixture, target):
    weights, labels = mixture
    rule = BayesRule([np.eye(5)], weights, labels=labels, n_draws=5000)
    assert rule.accuracy(rule.solve(target)).accuracy == pytest.approx(target, abs=1e-3)


@pytest.mark.parametrize("target", [0.2, 1.0])
def test_impossible_ceilings_are_refused(mixture, target):
    weights, labels = mixture
    rule = BayesRule([np.eye(5)], weights, labels=labels, n_draws=500)
    with pytest.raises(ValueError, match="between chance"):
        rule.solve(target)


def test_shared_pictures_bound_the_ceiling():
    rule = BayesRule([np.eye(1)], np.ones((2, 1)), labels=np.array([0, 1]), n_draws=500)
    with pytest.raises(ValueError, match="within reach"):
        rule.solve(0.9)


def test_same_seed_same_number(mixture):
    weights, labels = mixture
    first, again, other = (
        BayesRule([np.eye(5)], weights, labels=labels, n_draws=1000, seed=seed).accuracy(1.0)
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_weights_of_an_rfft_count_every_frequency():
    assert rfft_weights(10).sum() == 10
    assert rfft_weights(11).sum() == 11
