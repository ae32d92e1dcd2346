import numpy as np
import pytest

from phosphene.evaluation.pictures.inception_accuracy import (
    N_OUTPUTS,
    imagenet_outputs,
    inception_accuracy,
    unknown_classes,
)

CLASSES = ("n02510455", "goldfish", "Tench, Tinca tinca")
WORDS = {"target": "shown", "method": "generated", "extractor": "inception-2015"}


def sure_of(outputs):
    """Probabilities of a network that is nearly sure of one output per picture."""
    probabilities = np.full((len(outputs), N_OUTPUTS), 0.1 / (N_OUTPUTS - 1))
    probabilities[np.arange(len(outputs)), outputs] = 0.9
    return probabilities


def test_outputs_are_numbered_as_the_classes_of_the_challenge():
    # the published graph's label map: 1 kit fox, 169 giant panda, 449 tench, 1000 dumbbell
    names = ("n02119789", "giant_panda", "TENCH", "gold fish", "dumbbell")
    assert imagenet_outputs(names[:3] + names[4:]).tolist() == [1, 169, 449, 1000]
    assert unknown_classes(names) == ["gold fish"]


def test_names_of_several_classes_stand_for_none():
    assert unknown_classes(("crane", "maillot", "n02012849", "n03126707")) == ["crane", "maillot"]


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("0", "1"), "got '0'"),
        (("goldfish", "giant_pandas"), "Did you mean 'giant panda'"),
        (("crane", "goldfish"), "a name that no other class has; got 'crane'"),
        (("goldfish", "n01443537"), "Merge them"),
    ],
)
def test_refuses_what_is_no_class_of_its_own(classes, words):
    with pytest.raises(ValueError, match=words):
        imagenet_outputs(classes)


def test_counts_pictures_of_the_expected_class_among_all_thousand():
    outputs = np.array([169, 169, 450, 449, 1, 0, 450, 449])
    expected = np.array([0, 0, 1, 2, 0, 1, 2, 1])
    score = inception_accuracy(sure_of(outputs), expected, classes=CLASSES, **WORDS)
    assert score.name == "Inception classification accuracy (shown)"
    assert score.value == pytest.approx(4 / 8)
    assert score.n == 8
    # shares of expected 3/8 3/8 2/8, of seen 2/8 2/8 2/8; two pictures show other classes
    assert score.chance == pytest.approx((3 * 2 + 3 * 2 + 2 * 2) / 64)
    assert score.low < score.value < score.high


def test_pictures_of_other_classes_are_all_wrong():
    expected = np.array([0, 1, 2, 0, 1, 2])
    score = inception_accuracy(sure_of(np.full(6, 7)), expected, classes=CLASSES, **WORDS)
    assert (score.value, score.chance, score.chance_high) == (0.0, 0.0, 0.0)


def test_refuses_outputs_of_another_network():
    rows = np.full((2, 1000), 1e-3)
    with pytest.raises(ValueError, match=r"output=1008\); got \(2, 1000\)"):
        inception_accuracy(rows, np.array([0, 1]), classes=CLASSES, **WORDS)
