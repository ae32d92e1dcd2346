import numpy as np
import pytest

from phosphene.evaluation.signals.true_response import true_response_scores


def planted(rng, n=20):
    own = rng.standard_normal((n, 3, 40))
    own -= own.mean(axis=0)
    return own, 3 * rng.standard_normal((3, 40))


def test_scaled_true_responses_reach_one():
    own, common = planted(np.random.default_rng(0))
    parts = true_response_scores(1e-4 * (own + common), own + common + 7.0, method="GAN")
    assert [score.value for score in parts] == pytest.approx([1, 1])
    assert [score.name for score in parts] == ["true response, own part", "true response"]
    assert (parts[0].n, parts[0].unit, parts[0].section) == (20, "pictures", "signals")
    assert parts[0].higher_is_better


def test_noise_lowers_both_as_its_share_says():
    rng = np.random.default_rng(1)
    own, common = planted(rng)
    noisy = own + common + rng.standard_normal(own.shape)
    own_part, whole = true_response_scores(own + common, noisy, method="real")
    assert own_part.value == pytest.approx(1 / np.sqrt(2), abs=0.03)
    assert whole.value == pytest.approx(np.sqrt(10 / 11), abs=0.03)
    assert own_part.low < own_part.value < own_part.high


def test_the_common_response_alone_stays_inside_chance():
    rng = np.random.default_rng(2)
    own, common = planted(rng)
    only_common = common + 0.05 * rng.standard_normal(own.shape)
    own_part, whole = true_response_scores(own + common, only_common, method="x")
    assert whole.value > 0.9
    assert whole.chance == pytest.approx(whole.value, abs=0.01)
    assert whole.inside_chance()
    assert own_part.inside_chance()
    assert abs(own_part.value) < 0.1


def test_nothing_to_find_is_inside_chance_as_often_as_it_says():
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        own, common = planted(rng)
        other, _ = planted(rng)
        score, _ = true_response_scores(
            own + common, other + common, method="x", n_permutations=200, n_resamples=20
        )
        inside += score.inside_chance()
    assert inside >= 52  # 95 % of 60, less three standard errors


def test_upside_down_as_often_as_not_is_inside_chance_of_signs():
    rng = np.random.default_rng(3)
    own, common = planted(rng)
    turned = (own + common) * np.resize([1.0, -1.0], 20)[:, None, None]
    own_part, whole = true_response_scores(own + common, turned, method="x", exchanged="signs")
    assert whole.inside_chance()
    assert own_part.inside_chance()
    assert whole.chance == 0
    assert whole.chance_high == pytest.approx(2 / np.sqrt(20), rel=0.3)


def test_refuses_other_pictures():
    with pytest.raises(ValueError, match="same pictures"):
        true_response_scores(np.ones((3, 2, 4)), np.ones((4, 2, 4)), method="x")
