import pytest

from phosphene.evaluation.thinning import baseline_step, thinning_step


@pytest.mark.parametrize(
    ("sfreq", "edge", "step"),
    [
        (128.0, 30.0, 2),
        (128, 30, 2),
        (256.0, 30.0, 4),
        (250.0, 20.0, 4),
        (250.0, 30.0, 3),  # 62.5 Hz would be less than 2.1 times the edge
        (64.0, 30.0, 1),
        (40.0, 30.0, 1),
        (128.0, 40.0, 1),
        (256.0, 40.0, 3),
        (512.0, 100.0, 2),
        (128.0, 1.0, 2),
        (1000.0, None, 1),
    ],
)
def test_what_is_left_is_about_64_hz_or_holds_the_band(sfreq, edge, step):
    assert thinning_step(sfreq, edge=edge) == step
    assert edge is None or step == 1 or sfreq / step >= 2.1 * edge


def test_refuses_rates_and_edges_that_are_none():
    with pytest.raises(ValueError, match="sfreq"):
        thinning_step(0.0, edge=30.0)
    with pytest.raises(ValueError, match="edge"):
        thinning_step(128.0, edge=0.0)


@pytest.mark.parametrize(
    ("settings", "step"), [({"band": [1.0, 30.0]}, 2), ({"band": None}, 1), ({}, 1), (None, 1)]
)
def test_baselines_are_thinned_where_the_band_is_known(settings, step):
    assert baseline_step({"settings": settings}, sfreq=128.0) == step
    assert baseline_step({}, sfreq=128.0) == 1
