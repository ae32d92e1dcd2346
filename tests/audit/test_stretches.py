import numpy as np

from phosphene.audit.seams import Seams
from phosphene.audit.stretches import join_windows


def seams(*pairs):
    first, second, lag = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    return Seams(first, second, lag, False, 3)


def test_windows_are_put_in_line():
    """2 begins at 0, 0 at 6, 3 at 10; 4 and 1 are another stretch, 5 is alone."""
    found = join_windows(seams((2, 0, 6), (0, 3, 4), (4, 1, 5)), n_windows=6, n_times=8)
    assert found.n_stretches == 3
    by_stretch = {}
    for window, (stretch, start) in enumerate(zip(found.stretch, found.start, strict=True)):
        by_stretch.setdefault(int(stretch), []).append((int(start), window))
    lines = sorted(sorted(line) for line in by_stretch.values())
    assert lines == [[(0, 2), (6, 0), (10, 3)], [(0, 4), (5, 1)], [(0, 5)]]
    lengths = dict(zip(found.lengths.tolist(), found.sizes.tolist(), strict=True))
    assert lengths == {18: 3, 13: 2, 8: 1}


def test_a_table_of_stretches_says_which_samples_windows_hold():
    table = join_windows(seams((0, 1, 3)), n_windows=2, n_times=4).to_table()
    assert table["recording"].tolist() == ["0", "0"]
    assert (table["start"].tolist(), table["stop"].tolist()) == ([0, 3], [4, 7])


def test_without_seams_every_window_is_alone():
    assert join_windows(seams(), n_windows=4, n_times=8).n_stretches == 4


def test_a_long_stretch_does_not_exhaust_the_stack():
    rows = np.arange(20_000)
    chain = Seams(rows[:-1], rows[1:], np.full(19_999, 2), False, 3)
    found = join_windows(chain, n_windows=20_000, n_times=8)
    assert found.n_stretches == 1
    assert found.lengths.tolist() == [2 * 19_999 + 8]
