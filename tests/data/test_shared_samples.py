import numpy as np
import pandas as pd
import pytest

from phosphene.data.shared_samples import count_shared_samples, find_shared_samples


def slow_count(table, train, test, more_than):
    def shared(a, b):
        same = a.recording == b.recording
        return same * len(set(range(a.start, a.stop)) & set(range(b.start, b.stop)))

    rows = list(table.itertuples())
    return sum(any(shared(rows[i], rows[j]) > more_than for i in train) for j in test)


@pytest.mark.parametrize("more_than", [0, 1, 3])
@pytest.mark.parametrize("seed", range(10))
def test_counts_what_a_slow_search_counts(seed, more_than):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 80, 30)
    table = pd.DataFrame(
        {
            "recording": rng.choice(["a", "b"], 30),
            "start": start,
            "stop": start + rng.integers(4, 9, 30),
        }
    )
    rows = rng.permutation(30)
    train, test = rows[:12], rows[12:]
    expected = slow_count(table, train, test, more_than)
    assert count_shared_samples(table, train, test, more_than=more_than) == expected


def test_one_sample_at_a_seam_counts_unless_it_is_let_pass():
    table = pd.DataFrame(
        {"recording": ["a", "a", "a"], "start": [0, 312, 625], "stop": [313, 625, 938]}
    )
    train, test = np.array([0, 2]), np.array([1])
    assert count_shared_samples(table, train, test) == 1
    assert count_shared_samples(table, train, test, more_than=1) == 0


def test_names_the_windows_that_it_counts():
    table = pd.DataFrame(
        {"recording": list("aabb"), "start": [0, 5, 0, 50], "stop": [8, 13, 8, 58]}
    )
    found = find_shared_samples(table, np.array([0, 2]), np.array([3, 1]))
    assert found.tolist() == [False, True]
