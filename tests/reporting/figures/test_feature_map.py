from dataclasses import replace

import numpy as np

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.feature_map import MAX_POINTS, feature_map, reach


def test_trials_thumbs_and_names_are_drawn(finished_run):
    contents = read_contents(finished_run)
    found = feature_map(contents)
    assert found.n_drawn == found.n_trials == 100
    assert found.svg.count("<use ") == 100
    assert 5 < found.n_thumbs == found.svg.count("<image")
    assert found.svg.count('class="mark"') == 10
    arrays = contents.folds[0].map or next(f.map for f in contents.folds if f.map)
    share = (arrays["labels"] == arrays["decoded"]).mean()
    assert found.right == f"{round(100 * share)} %"


def test_a_large_map_is_thinned_and_a_bare_one_is_drawn(finished_run):
    contents = read_contents(finished_run)
    rng = np.random.default_rng(0)
    arrays = {"tsne": rng.normal(size=(5000, 2)), "labels": np.arange(5000) % 40}
    fold = replace(contents.folds[0], map=arrays)
    found = feature_map(replace(contents, folds=(fold,), classes=tuple("x" * 40)))
    assert (found.n_drawn, found.n_trials) == (MAX_POINTS, 5000)
    assert found.n_thumbs == 0
    assert found.right == ""
    assert found.svg.count('class="mark"') < 40  # names that would cover each other are left out


def test_nothing_to_draw(make_run):
    assert feature_map(read_contents(make_run(stage="started"))) is None


def test_longer_names_reach_further():
    assert reach("houses") > reach("a")
