from itertools import pairwise

import numpy as np
import pytest

from phosphene.evaluation.pictures.smoothness import (
    cross_fade,
    interpolation_smoothness,
    lines_between,
)


def paths_of_steps(steps):
    """Points on a line in three features, this far apart; shape (path, step)."""
    along = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    return along[..., None] * np.array([2.0, -1.0, 2.0]) / 3


def score(steps, pairs=None):
    steps = np.asarray(steps, dtype=float)
    pairs = np.array([[0, 1]] * len(steps)) if pairs is None else np.asarray(pairs)
    return interpolation_smoothness(paths_of_steps(steps), pairs, extractor="domain", method="x")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([1.0] * 10, 1.0),
        ([0.0] * 4 + [5.0] + [0.0] * 5, 0.0),
        ([1.0] * 9 + [9.0], 0.5 / 0.9),
        ([1.0] * 20, 1.0),
        ([3.0, 3.0] + [1.0] * 18, (1 - 6 / 24) / 0.9),  # two steps are a tenth
        ([9.0] + [1.0] * 14, (1 - 9.5 / 23) / 0.9),  # one step and half of another
    ],
)
def test_known_paths(steps, expected):
    smoothness, detour = score([steps])
    assert smoothness.value == pytest.approx(expected)
    assert detour.value == pytest.approx(1)
    assert (smoothness.name, detour.name) == (
        "interpolation smoothness[domain]",
        "interpolation detour[domain]",
    )


def test_agrees_with_a_slow_reference():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6, 27, 4)).cumsum(axis=1)
    pairs = lines_between(np.eye(4))[1]
    smoothness, detour = interpolation_smoothness(features, pairs, extractor="e", method="x")
    shares, ways, distances = [], 0.0, 0.0
    for path in features:
        steps = [np.sqrt(((b - a) ** 2).sum()) for a, b in pairwise(path)]
        largest = sorted(steps)[::-1]
        shares.append((largest[0] + largest[1] + 0.6 * largest[2]) / sum(steps))
        ways += sum(steps)
        distances += np.sqrt(((path[-1] - path[0]) ** 2).sum())
    assert smoothness.value == pytest.approx((1 - np.mean(shares)) / 0.9)
    assert detour.value == pytest.approx(ways / distances)


def test_units_and_turns_do_not_matter_to_smoothness_but_a_way_back_is_a_detour():
    steps = np.random.default_rng(1).random((3, 20))
    pairs = [[0, 1], [0, 2], [1, 2]]
    plain, direct = score(steps, pairs)
    scaled, _ = score(100 * steps, pairs)
    turned, around = score(steps * np.where(np.arange(20) < 3, -1, 1), pairs)
    assert plain.value == pytest.approx(scaled.value) == pytest.approx(turned.value)
    expected = steps.sum() / (steps[:, 3:].sum() - steps[:, :3].sum())
    assert direct.value == pytest.approx(1)
    assert around.value == pytest.approx(expected)


def test_steeper_switches_are_less_smooth():
    values = []
    for slope in (1.0, 4.0, 16.0):
        time = np.linspace(-3, 3, 21)
        path = 1 / (1 + np.exp(-slope * time))
        values.append(score([np.diff(path)])[0].value)
    assert values[0] > 0.8
    assert values[0] > values[1] > values[2]
    assert values[2] < 0.1


def test_the_interval_draws_classes():
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(8, 3))
    pairs = lines_between(centres)[1]
    effect = rng.random(8)
    steps = np.ones((len(pairs), 10))
    steps[:, 4] += 8 * effect[pairs].sum(axis=1)  # classes, not paths, differ
    once = score(steps, pairs)[0]
    thrice = score(np.tile(steps, (3, 1)), np.tile(pairs, (3, 1)))[0]
    assert once.low < once.value < once.high
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))  # no new classes
    assert (once.n, once.unit) == (8, "classes")
    assert "84 paths" in thrice.interval


def test_two_classes_have_no_interval():
    smoothness, detour = score(np.random.default_rng(3).random((5, 10)))
    assert smoothness.low is smoothness.high is detour.low is None
    assert smoothness.n == 2
    assert smoothness.interval == ""


def test_paths_that_stand_still_are_left_out_and_counted():
    moving, still = np.ones(10), np.zeros(10)
    smoothness, _ = score([moving, still, moving], [[0, 1], [0, 2], [1, 2]])
    assert smoothness.value == pytest.approx(1)
    assert "1 of 3 paths without change" in smoothness.note


def test_pictures_that_follow_nothing_have_no_score():
    assert score(np.zeros((2, 10))) == []
    assert score([[1.0, -1.0] * 5]) == []  # changes, and ends where it began


def test_lines_join_all_classes():
    centres = np.array([[0.0, 0.0], [1.0, 2.0], [4.0, 0.0]])
    points, pairs = lines_between(centres, n_points=11)
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert points.shape == (3, 11, 2)
    np.testing.assert_allclose(points[1, :, 0], np.linspace(0, 4, 11))
    np.testing.assert_array_equal(points[2, [0, -1]], centres[[1, 2]])


def test_a_cross_fade_is_even_in_pixels():
    rng = np.random.default_rng(4)
    starts, ends = rng.integers(0, 256, (2, 3, 8, 6, 1), dtype=np.uint8)
    faded = cross_fade(starts, ends, n_points=21)
    np.testing.assert_array_equal(faded[:, 0], starts)
    np.testing.assert_array_equal(faded[:, -1], ends)
    assert abs(faded[:, 10].astype(int) - (starts.astype(int) + ends) / 2).max() <= 0.5
    pixels = faded.reshape(3, 21, -1).astype(float)
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    smoothness, detour = interpolation_smoothness(pixels, pairs, extractor="p", method="x")
    assert smoothness.value == pytest.approx(1, abs=0.01)
    assert detour.value == pytest.approx(1, abs=0.01)


def test_refusals():
    with pytest.raises(ValueError, match=r"at least 11 points.*got 5"):
        lines_between(np.eye(3), n_points=5)
    with pytest.raises(ValueError, match="two classes; got 1"):
        lines_between(np.eye(1))
    with pytest.raises(ValueError, match=r"at least 11 points.*got 10"):
        score(np.ones((1, 9)))
    with pytest.raises(ValueError, match="2 pairs, 1 of them of equal classes"):
        score(np.ones((2, 10)), [[0, 1], [2, 2]])
    with pytest.raises(ValueError, match="must be finite"):
        score(np.full((1, 10), np.nan))
