import numpy as np
import pytest

from phosphene.evaluation.signals.choice import choose_windows

PICTURE = np.random.default_rng(0).permutation(np.repeat([3, 5, 8], [10, 11, 12]))


def test_halves_share_no_showing_and_have_the_same_pictures():
    chosen = choose_windows(PICTURE, {}, n_windows=100, seed=0)
    first, second = chosen.halves
    assert not set(first) & set(second)
    assert len(first) == len(second) == 5 + 5 + 6
    assert sorted(chosen.real) == sorted(first)
    assert sorted(chosen.other_half) == sorted(second)
    for rows in (chosen.real, chosen.other_half):
        np.testing.assert_array_equal(PICTURE[rows], chosen.picture)


@pytest.mark.parametrize(
    ("n_windows", "n"), [(2, 2), (7, 7), (9, 9), (14, 14), (16, 16), (999, 16)]
)
def test_all_sets_have_the_same_windows_of_each_picture(n_windows, n):
    systems = {"GAN": np.repeat([8, 3, 5], 9), "noise": PICTURE[::-1].copy()}
    chosen = choose_windows(PICTURE, systems, n_windows=n_windows, seed=1)
    assert len(chosen.picture) == n
    for name, rows in chosen.generated.items():
        np.testing.assert_array_equal(systems[name][rows], chosen.picture)
        assert len(set(rows)) == n  # none twice
    if n < 15:  # 5 is all that two of the pictures have
        counts = np.unique(chosen.picture, return_counts=True)[1]
        assert counts.max() - counts.min() <= 1


def test_a_system_with_few_windows_limits_all_sets():
    chosen = choose_windows(PICTURE, {"GAN": np.array([3, 3, 5, 8, 8])}, n_windows=50, seed=2)
    assert chosen.picture.tolist() == [3, 3, 5, 8, 8]
    assert len(chosen.real) == len(chosen.other_half) == 5
    assert len(chosen.halves[0]) == 16


def test_paired_systems_never_meet_their_own_showings():
    systems = {"autoencoder": PICTURE, "GAN": PICTURE}
    chosen = choose_windows(PICTURE, systems, n_windows=12, paired=("autoencoder",), seed=3)
    np.testing.assert_array_equal(chosen.generated["autoencoder"], chosen.other_half)
    assert not set(chosen.generated["autoencoder"]) & set(chosen.real)


def test_equal_seeds_choose_equally():
    first, same, other = (
        choose_windows(PICTURE, {"GAN": PICTURE}, n_windows=9, seed=seed) for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first.real, same.real)
    np.testing.assert_array_equal(first.generated["GAN"], same.generated["GAN"])
    assert set(first.real) != set(other.real)


@pytest.mark.parametrize(
    ("picture", "systems", "paired", "message"),
    [
        ([1, 1, 2], {}, (), "got 1 of picture 2"),
        ([1, 1], {}, (), "at least 2 pictures"),
        ([1, 1, 2, 2], {"GAN": [1, 1]}, (), "differ in picture 2"),
        ([1, 1, 2, 2], {"GAN": [1, 2, 3]}, (), "differ in picture 3"),
        ([1, 1, 2, 2], {"GAN": [1, 2]}, ("GAN",), "one row per real showing"),
        ([1, 1, 2, 2], {"GAN": [2, 2, 1, 1]}, ("GAN",), "in its order"),
    ],
)
def test_refuses(picture, systems, paired, message):
    shown = {name: np.array(rows) for name, rows in systems.items()}
    with pytest.raises(ValueError, match=message):
        choose_windows(np.array(picture), shown, n_windows=4, paired=paired, seed=0)
