import numpy as np
import pytest

from phosphene.evaluation.signals.channel_correlation import channel_correlation, correlation_score

PICTURE = np.repeat(np.arange(6), 5)


def correlated(rng, share):
    """Return 30 windows of 3 channels, each with the same share of one common source."""
    common, own = rng.standard_normal((30, 1, 200)), rng.standard_normal((30, 3, 200))
    return np.sqrt(share) * common + np.sqrt(1 - share) * own


def test_agrees_with_numpy():
    signals = correlated(np.random.default_rng(0), 0.5) + 3
    expected = np.corrcoef(signals.transpose(1, 0, 2).reshape(3, -1))
    np.testing.assert_allclose(channel_correlation(signals), expected, atol=1e-10)


def test_a_channel_that_stands_still_correlates_with_none():
    signals = correlated(np.random.default_rng(1), 0.9).astype(np.float32)
    signals[:, 1] = 0.3
    found = channel_correlation(signals)
    assert (found[1, [0, 2]], found[1, 1]) == (pytest.approx([0, 0]), 1)
    assert found[0, 2] == pytest.approx(0.9, abs=0.05)


def test_value_is_the_difference_that_was_planted():
    rng = np.random.default_rng(2)
    real, fake = correlated(rng, 0.6), correlated(rng, 0.2)
    score = correlation_score(real, fake, picture=PICTURE, method="GAN")
    expected = np.abs(channel_correlation(real) - channel_correlation(fake)).sum() / 6
    assert score.value == pytest.approx(expected)
    assert score.low < 0.4 < score.high
    assert score.high - score.low < 0.1
    assert (score.n, score.section, score.higher_is_better) == (6, "signals", False)


def test_same_signals_differ_by_nothing():
    real = correlated(np.random.default_rng(3), 0.6)
    assert correlation_score(real, real, picture=PICTURE, method="x").value == 0


def test_refuses_a_single_channel():
    with pytest.raises(ValueError, match="needs at least 2"):
        correlation_score(np.ones((30, 1, 4)), np.ones((30, 1, 4)), picture=PICTURE, method="x")
