import numpy as np
import pytest

from phosphene.evaluation.intervals import cluster_bootstrap
from phosphene.evaluation.pictures.class_scores import class_inception_scores
from phosphene.evaluation.pictures.distribution import inception_score

CLASSES = ("apple", "car", "dog")


def make_pictures(n_pictures=90, n_outputs=7, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n_outputs, 0.3), n_pictures), np.arange(n_pictures) % 3


def score_of(probabilities, labels, **kwargs):
    kwargs = {"extractor": "inception-2015", "of_these_classes": False, "method": "x", **kwargs}
    return class_inception_scores(probabilities, labels, classes=CLASSES, **kwargs)


def test_each_class_has_the_score_of_its_pictures_alone():
    probabilities, labels = make_pictures()
    scores = score_of(probabilities, labels)
    assert [score.name for score in scores] == [
        f"IS of class {name}[inception-2015]" for name in CLASSES
    ]
    for label, score in enumerate(scores):
        assert score.value == inception_score(probabilities[labels == label])[0]
        assert score.n == 30
        assert score.section == "pictures"
        assert score.low < score.value < score.high
    assert scores == score_of(probabilities, labels)


def test_the_interval_is_that_of_the_slow_form():
    probabilities, labels = make_pictures()
    rows = probabilities[labels == 1]

    def slow(drawn):
        return inception_score(np.repeat(rows, drawn, axis=0))[0]

    low, high = cluster_bootstrap(slow, len(rows), bounds=(1.0, 7.0), n_resamples=15, seed=4)
    score = score_of(probabilities, labels, n_resamples=15, seed=4)[1]
    assert (score.low, score.high) == pytest.approx((low, high))


def test_a_classifier_of_these_classes_turns_the_score_around():
    """Surely right pictures score 1, guesses by chance the number of classes."""
    labels = np.arange(60) % 3
    right = score_of(np.eye(3)[labels], labels, extractor="domain", of_these_classes=True)
    guesses = np.arange(60) // 20
    mixed = score_of(np.eye(3)[guesses], labels, extractor="domain", of_these_classes=True)
    assert [score.value for score in right] == pytest.approx([1, 1, 1])
    assert [score.value for score in mixed] == pytest.approx([3, 3, 3], rel=0.02)
    assert right[0].name == "IS of class apple[domain]"
    assert not right[0].higher_is_better
    assert "low is good here" in right[0].note


def test_other_classes_carry_their_own_caveat():
    score = score_of(*make_pictures(n_outputs=1008))[0]
    assert score.higher_is_better
    assert "1,008 classes of its own" in score.note
    assert "in form only" in score.note


def test_a_class_of_one_picture_has_no_score():
    probabilities, labels = make_pictures(31)
    labels[labels == 2] = 0
    labels[5] = 2
    names = [score.name for score in score_of(probabilities, labels)]
    assert names == [f"IS of class {name}[inception-2015]" for name in CLASSES[:2]]


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.ones((4, 2)), np.zeros(4, int), "softmax"),
        (np.full((4, 2), 0.5), np.full(4, 3), r"labels must lie in 0 .. 2; got 3 .. 3"),
    ],
)
def test_refuses(probabilities, labels, message):
    with pytest.raises(ValueError, match=message):
        score_of(probabilities, labels)
