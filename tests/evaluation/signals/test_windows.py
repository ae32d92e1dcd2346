import numpy as np
import pytest
from scipy import stats

from phosphene.evaluation.signals.windows import (
    check_alike,
    check_windows,
    jackknife_interval,
    mean_by_picture,
    number_pictures,
    picture_score,
    sums_by_picture,
)


def test_pictures_are_numbered_in_the_order_of_their_rows():
    assert number_pictures(np.array([7, 3, 7, 90]), 4).tolist() == [1, 0, 1, 2]


def test_sums_and_means_agree_with_a_loop_over_pictures():
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((600, 2, 3)).astype(np.float32)  # more than one block
    picture = rng.permutation(np.arange(600) % 7) * 10
    expected = [signals[picture == p].mean(axis=0, dtype=np.float64) for p in range(0, 70, 10)]
    np.testing.assert_allclose(mean_by_picture(signals, picture), expected, atol=1e-12)
    sums = sums_by_picture(signals, picture // 10, n_pictures=7)
    np.testing.assert_allclose(sums[3], signals[picture == 30].sum(axis=0), rtol=1e-4, atol=1e-4)


def test_interval_is_that_of_pictures_not_of_windows():
    values = np.random.default_rng(1).standard_normal(25)
    score = picture_score(
        "mean",
        lambda drawn: float(drawn @ values / drawn.sum()),
        25,
        bounds=(-9.0, 9.0),
        method="GAN",
        split="by picture",
        role="baseline",
        n_resamples=1000,
    )
    t = 2.0639  # 24 degrees of freedom
    assert score.value == pytest.approx(values.mean())
    assert score.high - score.low == pytest.approx(2 * t * values.std(ddof=1) / 5, rel=0.1)
    assert (score.n, score.unit, score.section) == (25, "pictures", "signals")
    assert (score.method, score.split, score.role) == ("GAN", "by picture", "baseline")


@pytest.mark.parametrize(("n", "n_groups"), [(20, 20), (48, 24)])
def test_jackknife_of_a_mean_is_the_t_interval(n, n_groups):
    values = np.random.default_rng(2).standard_normal(n)
    low, high = jackknife_interval(lambda drawn: float(drawn @ values / drawn.sum()), n)
    assert (low + high) / 2 == pytest.approx(values.mean())
    expected = stats.t.ppf(0.975, n_groups - 1) * values.std(ddof=1) / np.sqrt(n)
    rel = 1e-9 if n == n_groups else 0.4  # the error of 24 groups of two
    assert (high - low) / 2 == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        (np.zeros((0, 2, 3)), "at least one window"),
        (np.full((1, 2, 3), np.nan), "finite"),
    ],
)
def test_refuses_nothing_and_nan(signals, message):
    with pytest.raises(ValueError, match=message):
        check_windows("signals", signals)


def test_refuses_windows_of_another_shape():
    with pytest.raises(ValueError, match="same channels and samples"):
        check_alike(np.zeros((3, 2, 5)), np.zeros((3, 2, 4)))


@pytest.mark.parametrize(
    ("picture", "message"), [([0, 1], "for each of 3 windows"), ([4, 4, 4], "at least 2 pictures")]
)
def test_refuses_pictures_that_do_not_fit(picture, message):
    with pytest.raises(ValueError, match=message):
        number_pictures(np.array(picture), 3)
