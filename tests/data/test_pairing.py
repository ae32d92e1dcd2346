import dataclasses

import numpy as np
import pytest

from phosphene.data.pairing import Pairing, pair, pictures_of


@pytest.fixture
def named(make_trials, make_images):
    """Trials that name a picture of their class, and the pictures."""
    trials, images = make_trials(), make_images()
    stimuli = [f"s{label + 2 * (i % 3)}.png" for i, label in enumerate(trials.labels)]
    table = trials.table.assign(stimulus=stimuli)
    return dataclasses.replace(trials, table=table), images


def test_pairs_when_each_trial_names_its_picture(named):
    trials, images = named
    assert pair(trials, images).kind == "paired"
    index = pictures_of(trials, images, seed=0)
    assert images.table["stimulus"].iloc[index].tolist() == trials.table["stimulus"].tolist()


def test_is_class_only_without_names_or_pictures(make_trials, make_images, named):
    assert pair(make_trials(), make_images()).kind == "class-only"
    assert pair(named[0], None).kind == "class-only"
    some = named[0].table.copy()
    some.loc[0, "stimulus"] = ""
    half = dataclasses.replace(named[0], table=some)
    assert pair(half, named[1]).reason == "only 19 of 20 trials say which picture they showed"


def test_draws_a_shown_picture_of_the_class(make_trials, make_images):
    trials, images = make_trials(), make_images(20, n_shown=10)
    index = pictures_of(trials, images, seed=1)
    assert (images.labels[index] == trials.labels).all()
    assert images.shown[index].all()
    assert len(set(index.tolist())) > 4


def test_a_draw_depends_on_seed_and_trial_alone(make_trials, make_images):
    trials, images = make_trials(), make_images(20)
    index = pictures_of(trials, images, seed=1)
    np.testing.assert_array_equal(pictures_of(trials.select([7, 3]), images, seed=1), index[[7, 3]])
    assert (pictures_of(trials, images, seed=2) != index).any()


def test_refuses_unknown_and_contradicting_names(named):
    trials, images = named
    typo = trials.table.assign(stimulus=trials.table["stimulus"].str.replace("s0.", "s0_."))
    with pytest.raises(ValueError, match="did you mean"):
        pair(dataclasses.replace(trials, table=typo), images)
    swapped = trials.table.assign(stimulus="s0.png")
    with pytest.raises(ValueError, match="one class"):
        pair(dataclasses.replace(trials, table=swapped), images)


def test_refuses_a_class_without_a_shown_picture(make_trials, make_images):
    with pytest.raises(ValueError, match="'face' has none"):
        pictures_of(make_trials(), make_images(6, n_shown=1), seed=0)


def test_knows_two_kinds():
    with pytest.raises(ValueError, match="Did you mean 'paired'"):
        Pairing("pared", "")
