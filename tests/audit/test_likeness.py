import numpy as np
import pytest
from scipy.signal import resample

from phosphene.audit.likeness import (
    EXPECTED_BY_CHANCE,
    RESCALED,
    SAME,
    SIMILAR,
    chance_limit,
    find_copies,
)


@pytest.fixture
def epochs():
    return np.random.default_rng(0).standard_normal((400, 4, 64)).cumsum(axis=2)


def filtered(epoch):
    return resample(resample(epoch, 48, axis=1), 64, axis=1)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda epoch: epoch, SAME),
        (lambda epoch: 3 * epoch + 7, RESCALED),
        (lambda epoch: epoch * np.array([[1.0], [2.0], [0.5], [4.0]]), RESCALED),
        (filtered, SIMILAR),
        (lambda e: e + 0.02 * e.std() * np.random.default_rng(1).standard_normal(e.shape), SIMILAR),
    ],
)
def test_a_copy_is_found_and_named(epochs, change, how):
    epochs[300] = change(epochs[20])
    copies = find_copies(epochs, np.random.default_rng(0))
    assert copies.pairs().tolist() == [[20, 300]]
    assert copies.how == (how,)


def test_several_copies_are_one_group_named_by_the_loosest(epochs):
    epochs[[50, 60]] = epochs[10], 2 * epochs[10]
    copies = find_copies(epochs, np.random.default_rng(0))
    assert copies.pairs().tolist() == [[10, 50], [10, 60]]
    assert copies.how == (RESCALED,)


def test_trials_with_the_same_blink_or_drift_are_no_copies(epochs):
    blink = 100 * np.exp(-(((np.arange(64) - 30) / 8) ** 2))
    epochs[:40] += blink
    epochs[40:80] += np.linspace(0, 500, 64)
    assert len(find_copies(epochs, np.random.default_rng(0)).pairs()) == 0


def test_a_response_that_all_trials_share_makes_no_copies():
    rng = np.random.default_rng(0)
    response = 3 * np.sin(np.arange(64) / 5)
    epochs = response + rng.standard_normal((400, 4, 64))
    assert len(find_copies(epochs, rng).pairs()) == 0


def test_what_is_explained_is_left_out_unless_it_is_the_same(epochs):
    epochs[300], epochs[301] = 2 * epochs[20], epochs[21]
    copies = find_copies(
        epochs, np.random.default_rng(0), is_explained=lambda pairs: np.ones(len(pairs), bool)
    )
    assert copies.pairs().tolist() == [[21, 301]]


def test_flat_trials_are_passed_over(epochs):
    epochs[:30] = 0.0
    assert len(find_copies(epochs, np.random.default_rng(0)).pairs()) == 0


def test_limit_is_what_independent_directions_exceed_as_rarely_as_said():
    rng = np.random.default_rng(0)
    n, n_components = 1000, 4
    limit = chance_limit(n, n_components)
    # the limit for so few directions lies so high that only the tail of a formula can be counted
    vectors = rng.standard_normal((2, 400_000, n_components))
    r = (vectors[0] * vectors[1]).sum(1) / np.linalg.norm(vectors, axis=2).prod(axis=0)
    # near 1, in 4 dimensions, the share of correlations beyond r falls as (1 - r) ** 1.5
    q = 0.99
    tail = (r > q).mean() * ((1 - limit) / (1 - q)) ** 1.5
    assert tail * n * (n - 1) / 2 == pytest.approx(EXPECTED_BY_CHANCE, rel=0.3) or limit > 1
    assert chance_limit(45_000, 64) == 0.9
    assert chance_limit(100, 1) > 1


def test_two_trials_allow_no_judgement_but_of_equal_samples():
    copies = find_copies(np.ones((2, 1, 4)).cumsum(axis=2), np.random.default_rng(0))
    assert copies.how == (SAME,)
