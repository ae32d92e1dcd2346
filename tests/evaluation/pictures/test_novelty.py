import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from phosphene.evaluation.pictures import nearest_pictures, nearest_training_distance


def pictures_of(n, *, seed):
    """Random smooth patterns with full contrast, as real pictures of one kind."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.standard_normal((n, 16, 16, 1)), (0, 2, 2, 0))
    smooth /= np.abs(smooth).max(axis=(1, 2, 3), keepdims=True)
    return np.round(127.5 + 127.5 * smooth).astype(np.uint8)


def test_distance_by_hand():
    training = np.array([0, 255, 51], dtype=np.uint8).reshape(3, 1, 1, 1)
    index, distance = nearest_pictures(
        np.array([[[[0]]], [[[102]]]], dtype=np.uint8), training, n_neighbours=2
    )
    assert index.tolist() == [[0, 2], [2, 0]]
    np.testing.assert_allclose(distance, [[0, 0.2], [0.2, 0.4]])


def test_agrees_with_a_slow_loop_across_chunks():
    pictures, training = pictures_of(300, seed=0), pictures_of(270, seed=1)
    index, distance = nearest_pictures(pictures, training)
    for i in (0, 255, 256, 299):
        gaps = [np.sqrt(np.mean((pictures[i] / 255 - t / 255) ** 2)) for t in training]
        assert index[i, 0] == np.argmin(gaps)
        assert distance[i, 0] == pytest.approx(min(gaps))


def test_new_pictures_are_not_called_copies():
    training, held_out, generated = (pictures_of(200, seed=s) for s in range(3))
    new, real, copied = nearest_training_distance(
        generated, training=training, held_out=held_out, method="x"
    )
    assert (new.role, real.role, real.method) == ("result", "reference", "held-out real pictures")
    assert new.value == pytest.approx(real.value, rel=0.1)
    assert new.low < new.value < new.high
    assert copied.inside_chance()
    assert copied.chance == pytest.approx(2 / 201)


def test_copies_are_counted_even_with_a_little_noise():
    training, held_out, generated = (pictures_of(200, seed=s) for s in range(3))
    noise = np.random.default_rng(3).integers(-3, 4, (50, 16, 16, 1))
    generated[:50] = np.clip(training[:50].astype(int) + noise, 0, 255)
    copied = nearest_training_distance(generated, training=training, held_out=held_out, method="x")[
        2
    ]
    assert copied.value == pytest.approx(0.25, abs=0.03)
    assert copied.inside_chance() is False


def test_blurred_pictures_are_near_but_no_copies():
    training, held_out = pictures_of(200, seed=0), pictures_of(200, seed=1)
    blurred = np.full((100, 16, 16, 1), 127, dtype=np.uint8)
    near, real, copied = nearest_training_distance(
        blurred, training=training, held_out=held_out, method="x"
    )
    assert near.value < real.value
    assert copied.value == 0


def test_chance_of_copies_is_that_of_further_real_pictures():
    rng = np.random.default_rng(0)
    pool, training = pictures_of(600, seed=4), pictures_of(60, seed=5)
    values, chances = [], []
    for _ in range(25):
        rows = rng.permutation(600)
        score = nearest_training_distance(
            pool[rows[:30]], training=training, held_out=pool[rows[30:55]], method="x"
        )[2]
        values.append(score.value)
        chances.append(score.inside_chance())
    assert np.mean(values) == pytest.approx(1 / 26, abs=0.03)
    assert np.mean(chances) > 0.85


def test_refuses_too_few():
    some = pictures_of(3, seed=0)
    with pytest.raises(ValueError, match="2 held-out"):
        nearest_training_distance(some, training=some, held_out=some[:1], method="x")
    with pytest.raises(ValueError, match="as many training pictures"):
        nearest_pictures(some, some, n_neighbours=4)
