import numpy as np
import pytest

from phosphene.evaluation.signals.specificity import response_correlations, specificity_scores


def responses(rng, n=24, shape=(3, 20)):
    """Return mean responses of which pictures share most."""
    return 5 * rng.standard_normal(shape) + rng.standard_normal((n, *shape))


def test_correlations_agree_with_a_loop():
    rng = np.random.default_rng(0)
    real, fake = responses(rng, 5), responses(rng, 5)
    found = response_correlations(real, fake)
    whole = response_correlations(real, fake, grand_mean_removed=False)
    assert whole[1, 2] == pytest.approx(np.corrcoef(fake[1].ravel(), real[2].ravel())[0, 1])
    parts = [x - x.mean(axis=0) for x in (fake - fake.mean((1, 2), keepdims=True), real)]
    assert found[1, 2] == pytest.approx(np.corrcoef(parts[0][1].ravel(), parts[1][2].ravel())[0, 1])


def test_the_own_response_is_always_nearest():
    rng = np.random.default_rng(1)
    real = responses(rng)
    rank, nearest = specificity_scores(real, 3 * real + rng.standard_normal(), method="GAN")
    assert (rank.value, nearest.value) == (1, 1)
    assert (rank.chance, nearest.chance) == (0.5, 1 / 24)
    assert rank.chance_high < 0.7
    assert nearest.low > 0.8
    assert (rank.n, rank.unit, rank.section, rank.higher_is_better) == (
        *(24, "pictures", "signals"),
        True,
    )


def test_rank_by_hand():
    real = np.eye(3)[:, None]
    fake = np.array([[1.0, 0.5, 0], [0.9, 1, 0], [1, 0, 0.9]])[:, None]
    correlations = response_correlations(real, fake)
    rank, nearest = specificity_scores(real, fake, method="x")
    expected = [
        np.mean([correlations[i, j] < correlations[i, i] for j in range(3) if j != i])
        for i in range(3)
    ]
    assert rank.value == pytest.approx(np.mean(expected))
    assert nearest.value == pytest.approx(np.mean(correlations.argmax(axis=1) == np.arange(3)))


@pytest.mark.parametrize("common", [0.0, 1e4])
def test_a_system_that_ignores_pictures_scores_exactly_chance(common):
    real = responses(np.random.default_rng(2))
    same = np.tile(real[:1] + common, (24, 1, 1)).astype(np.float32)
    rank, nearest = specificity_scores(real, same, method="GAN without pictures")
    assert rank.value == pytest.approx(0.5)
    assert nearest.value == pytest.approx(1 / 24)
    assert rank.inside_chance()
    assert nearest.inside_chance()


def test_the_common_response_alone_is_no_specificity():
    rng = np.random.default_rng(3)
    real = responses(rng)
    common = real.mean(axis=0) + 0.1 * rng.standard_normal(real.shape)
    assert response_correlations(real, common, grand_mean_removed=False).mean() > 0.9
    rank, nearest = specificity_scores(real, common, method="x")
    assert rank.inside_chance()
    assert nearest.inside_chance()


def test_without_anything_to_find_ranges_and_intervals_hold_chance_as_often_as_they_say():
    inside = covered = 0
    values = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rank, _ = specificity_scores(
            responses(rng), responses(rng), method="x", n_permutations=200, n_resamples=60
        )
        values.append(rank.value)
        inside += rank.inside_chance()
        covered += rank.low <= 0.5 <= rank.high
    assert np.mean(values) == pytest.approx(0.5, abs=4 * 0.06 / np.sqrt(100))
    assert inside >= 88  # 95 of 100, less three standard errors
    assert covered >= 88


def test_responses_that_are_upside_down_as_often_as_not_are_at_chance():
    inside = inside_of_pictures = 0
    values = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        real = responses(rng, 16)
        fake = real - real.mean(axis=0)
        fake = fake * rng.choice([-1.0, 1.0], (16, 1, 1)) + rng.standard_normal(real.shape)
        kwargs = {"method": "x", "n_permutations": 200, "n_resamples": 2}
        rank, nearest = specificity_scores(real, fake, exchanged="signs", **kwargs)
        values.append(rank.value)
        inside += rank.inside_chance() and nearest.inside_chance()
        assert nearest.chance > 0.2
        inside_of_pictures += specificity_scores(real, fake, **kwargs)[0].inside_chance()
    assert np.mean(values) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(16 * 60))
    assert inside >= 48  # both of 95 %, of 60, less three standard errors
    assert inside_of_pictures < inside - 3  # too narrow


def test_refuses_another_null():
    with pytest.raises(ValueError, match="Did you mean 'signs'"):
        specificity_scores(np.ones((2, 2, 3)), np.ones((2, 2, 3)), method="x", exchanged="sign")


def test_more_noise_means_less():
    rng = np.random.default_rng(5)
    real = responses(rng)
    values = [
        specificity_scores(real, real + s * rng.standard_normal(real.shape), method="x")[0].value
        for s in (1, 5, 500)
    ]
    assert values[0] > values[1] > values[2]


@pytest.mark.parametrize(("n_real", "n_fake"), [(3, 4), (1, 1)])
def test_refuses_other_pictures(n_real, n_fake):
    with pytest.raises(ValueError, match="at least 2; got"):
        response_correlations(np.ones((n_real, 2, 3)), np.ones((n_fake, 2, 3)))
