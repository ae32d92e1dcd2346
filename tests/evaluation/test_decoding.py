from dataclasses import asdict

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from phosphene.evaluation.decoding import decoding_scores, recording_scores


def decoder(n_trials, n_classes, *, effect, seed):
    """Probabilities of a decoder that knows as much of the labels as ``effect`` says."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_trials) % n_classes)
    logits = rng.standard_normal((n_trials, n_classes)) + effect * np.eye(n_classes)[labels]
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), labels


def test_values_agree_with_scikit_learn():
    probabilities, labels = decoder(240, 3, effect=1, seed=0)
    recordings = np.repeat(["a", "b", "c", "d"], [30, 60, 60, 90])
    accuracy, auc = decoding_scores(probabilities, labels, recordings=recordings, method="x")
    assert accuracy.value == pytest.approx(
        balanced_accuracy_score(labels, probabilities.argmax(axis=1))
    )
    inside = [
        roc_auc_score(labels[recordings == r], probabilities[recordings == r], multi_class="ovr")
        for r in "abcd"
    ]
    assert auc.value == pytest.approx(np.average(inside, weights=[30, 60, 60, 90]))
    assert (accuracy.n, accuracy.unit, auc.n) == (4, "recordings", 4)
    assert accuracy.chance == pytest.approx(1 / 3, abs=0.02)
    assert auc.chance == 0.5
    assert accuracy.low < accuracy.value < accuracy.high
    assert accuracy.inside_chance() is False


def test_auc_ignores_how_folds_are_scaled():
    probabilities, labels = decoder(200, 2, effect=1, seed=1)
    recordings = np.repeat(range(4), 50)
    scaled = probabilities.copy()
    scaled[:50, 1] = 0.01 * probabilities[:50, 1]  # one fold's decoder is shy
    scaled[:50, 0] = 1 - scaled[:50, 1]
    first, second = (
        decoding_scores(p, labels, recordings=recordings, method="x", n_permutations=50)[1]
        for p in (probabilities, scaled)
    )
    assert asdict(first) == asdict(second)


def test_interval_over_recordings_is_the_t_interval_when_they_are_alike():
    probabilities, labels = decoder(600, 2, effect=1, seed=2)
    recordings = np.arange(600) // 100
    auc = decoding_scores(probabilities, labels, recordings=recordings, method="x", reuse=0.0)[1]
    each = [
        roc_auc_score(labels[recordings == r], probabilities[recordings == r, 1]) for r in range(6)
    ]
    centre = logit(np.mean(each))  # symmetric in log odds
    error = stats.sem(each) / np.mean(each) / (1 - np.mean(each))
    expected = expit(stats.t.interval(0.95, 5, centre, error))
    assert (auc.low, auc.high) == pytest.approx(tuple(expected), abs=0.01)


def test_few_recordings_fall_back_to_trials():
    probabilities, labels = decoder(100, 2, effect=1, seed=3)
    accuracy, auc = decoding_scores(
        probabilities, labels, recordings=np.arange(100) // 50, method="x"
    )
    assert (accuracy.n, accuracy.unit) == (100, "trials")
    assert accuracy.interval == "exact binomial over trials"
    assert auc.low < auc.value < auc.high


def test_perfect_decoder_keeps_an_interval():
    labels = np.arange(80) % 2
    accuracy, auc = decoding_scores(
        np.eye(2)[labels],
        labels,
        recordings=np.arange(80) // 20,
        method="x",
        n_permutations=50,
        reuse=0.0,
    )
    assert (accuracy.value, accuracy.unit, accuracy.n) == (1, "trials", 80)
    assert accuracy.low == pytest.approx(0.025 ** (1 / 80))
    assert auc.low == pytest.approx(0.025 ** (1 / 40))


def test_chance_range_of_auc_agrees_with_mann_whitney():
    probabilities, labels = decoder(300, 2, effect=0, seed=4)
    n = np.bincount(labels)
    reach = stats.norm.ppf(0.975) * np.sqrt((n.sum() + 1) / (12 * n[0] * n[1]))
    for reuse in (0.0, 1.0):  # folds that train on each other's trials double the variance
        auc = decoding_scores(probabilities, labels, recordings=[0] * 300, method="x", reuse=reuse)[
            1
        ]
        expected = reach * (1 + reuse) ** 0.5
        assert auc.chance_low == pytest.approx(0.5 - expected, abs=0.015)
        assert auc.chance_high == pytest.approx(0.5 + expected, abs=0.015)


def test_nothing_decoded_lies_inside_chance_about_as_often_as_it_should():
    inside = [
        score.inside_chance()
        for seed in range(40)
        for score in decoding_scores(
            *decoder(80, 4, effect=0, seed=seed),
            recordings=np.arange(80) // 20,
            method="x",
            n_permutations=60,
            reuse=0.0,
        )
    ]
    assert 0.87 < np.mean(inside) <= 1


def test_decoder_that_always_says_the_same_is_at_chance():
    labels = np.arange(30) % 3
    probabilities = np.tile([0.2, 0.5, 0.3], (30, 1))
    accuracy, auc = decoding_scores(
        probabilities, labels, recordings=np.arange(30) // 10, method="x"
    )
    assert (accuracy.value, auc.value) == (pytest.approx(1 / 3), 0.5)
    assert accuracy.inside_chance()
    assert auc.inside_chance()


def test_knowing_the_block_is_no_decoding_in_a_blocked_design():
    blocks = np.arange(120) // 20  # six blocks, three classes, decoder knows the time only
    labels = np.array([0, 1, 2, 2, 0, 1])[blocks]
    probabilities = np.eye(3)[labels] * 0.7 + 0.1
    kwargs = {"recordings": [0] * 120, "method": "x", "n_permutations": 400}
    naive = decoding_scores(probabilities, labels, **kwargs)[0]
    honest = decoding_scores(probabilities, labels, blocks=blocks, unit="block", **kwargs)[0]
    assert naive.chance_high < 0.5 < honest.chance_high
    assert honest.low is None


def test_shared_training_widens_an_interval_near_chance_and_leaves_a_plain_effect():
    def width(effect, reuse):
        probabilities, labels = decoder(600, 2, effect=effect, seed=8)
        auc = decoding_scores(
            probabilities,
            labels,
            recordings=np.arange(600) // 100,
            method="x",
            n_permutations=5,
            reuse=reuse,
        )[1]
        return auc.high - auc.low

    assert 1.3 < width(0.0, 1.0) / width(0.0, 0.0) < 1.7
    assert 1 < width(4.0, 1.0) / width(4.0, 0.0) < 1.1


def test_recording_scores_carry_the_recording():
    probabilities, labels = decoder(100, 2, effect=2, seed=5)
    recordings = np.repeat(["s1", "s2"], 50)
    labels[50:] = 0  # nothing to decode in the second
    scores = recording_scores(
        probabilities, labels, recordings=recordings, method="x", role="baseline"
    )
    assert [(s.name, s.fold, s.n, s.unit) for s in scores] == [
        ("balanced accuracy", "s1", 50, "trials"),
        ("AUC", "s1", 50, "trials"),
    ]
    assert {s.role for s in scores} == {"baseline"}


def test_same_seed_same_scores():
    probabilities, labels = decoder(90, 3, effect=1, seed=6)
    again = [
        decoding_scores(probabilities, labels, recordings=np.arange(90) // 30, method="x", seed=1)
        for _ in range(2)
    ]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, y: (p * 3, y), "sum to 1"),
        (lambda p, y: (np.log(p), y), "softmax"),
        (lambda p, y: (np.where(p > 0.9, np.nan, p), y), "finite"),
        (lambda p, y: (p, np.where(y == 1, 0, y)), "class 1 of 3"),
    ],
)
def test_refuses(change, message):
    probabilities, labels = change(*decoder(60, 3, effect=3, seed=7))
    with pytest.raises(ValueError, match=message):
        decoding_scores(probabilities, labels, recordings=[0] * 60, method="x")
