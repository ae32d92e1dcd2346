from dataclasses import replace

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.feature_map import MAX_POINTS
from phosphene.reporting.figures.feature_maps import feature_maps
from phosphene.score import Score


def make_map(n_trials=100, n_classes=10, seed=0):
    rng = np.random.default_rng(seed)
    return {"tsne": rng.normal(size=(n_trials, 2)), "labels": np.arange(n_trials) % n_classes}


def clustering(value, role, fold="all", method="x"):
    return Score(
        name="k-means accuracy",
        value=value,
        low=value - 0.05,
        high=value + 0.05,
        n=100,
        unit="trials",
        chance=0.14,
        role=role,
        fold=fold,
        method=method,
    )


@pytest.fixture
def contents(finished_run):
    found = read_contents(finished_run)
    fold = replace(found.folds[-1], map=make_map(), compare_map=make_map(seed=1))
    scores = (
        clustering(0.18, "result", method="lstm_one_layer"),
        clustering(0.53, "baseline", method="lstm_one_layer, triplet"),
    )
    return replace(found, folds=(fold,), scores=scores)


def test_both_encoders_stand_side_by_side_with_their_clustering(contents):
    found = feature_maps(contents)
    assert [panel.title for panel in found.panels] == ["lstm_one_layer", "lstm_one_layer, triplet"]
    assert found.panels[0].clustering == "k-means accuracy 0.180 (0.130 to 0.230), chance 0.140"
    assert found.panels[1].clustering.startswith("k-means accuracy 0.530")
    assert found.pooled
    for panel in found.panels:
        assert panel.svg.count("<use ") == found.n_drawn == 100
        assert panel.svg.count('class="mark"') == 10
    assert found.panels[0].svg != found.panels[1].svg


def test_settings_name_encoder_and_objective_where_they_are_words(contents):
    settings = {
        "encoder": "lstm_one_layer",
        "objective": "softmax",
        "compare_encoder": "lstm_one_layer",
        "compare_objective": "triplet",
    }
    found = feature_maps(replace(contents, config={"config": settings}))
    titles = [panel.title for panel in found.panels]
    assert titles == ["lstm_one_layer, softmax", "lstm_one_layer, triplet"]


def test_the_accuracy_of_the_fold_that_is_drawn_comes_first(contents):
    key = contents.folds[0].key
    own = (clustering(0.3, "result", fold=key), clustering(0.6, "baseline", fold=key))
    found = feature_maps(replace(contents, scores=(*contents.scores, *own)))
    assert [panel.clustering[:22] for panel in found.panels] == [
        "k-means accuracy 0.300",
        "k-means accuracy 0.600",
    ]
    assert not found.pooled


def test_without_scores_the_maps_are_drawn_all_the_same(contents):
    found = feature_maps(replace(contents, scores=()))
    assert [panel.title for panel in found.panels] == ["encoder", "compared encoder"]
    assert [panel.clustering for panel in found.panels] == ["", ""]


def test_large_maps_are_thinned(contents):
    maps = {"map": make_map(5000), "compare_map": make_map(5000, seed=1)}
    found = feature_maps(replace(contents, folds=(replace(contents.folds[0], **maps),)))
    assert (found.n_drawn, found.n_trials) == (MAX_POINTS, 5000)


def test_nothing_to_compare(finished_run, contents):
    assert feature_maps(read_contents(finished_run)) is None
    alone = replace(contents.folds[0], map=None)
    assert feature_maps(replace(contents, folds=(alone,))) is None
    empty = replace(contents.folds[0], compare_map={"tsne": np.zeros((0, 2))})
    assert feature_maps(replace(contents, folds=(empty,))) is None
