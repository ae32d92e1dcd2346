import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from phosphene.evaluation.power import (
    Design,
    auc_of_accuracy,
    detectable_accuracy,
    detection_power,
    learned_accuracy,
    needed_recordings,
    needed_subjects,
    needed_units,
)

SIX = Design(n_recordings=6, n_units=50)


def test_auc_of_two_gaussian_classes():
    d = 1.3  # distance of means; the threshold is in the middle
    assert auc_of_accuracy(stats.norm.cdf(d / 2)) == pytest.approx(stats.norm.cdf(d / math.sqrt(2)))
    assert auc_of_accuracy(0.5) == pytest.approx(0.5)


@pytest.mark.parametrize("n_classes", [3, 8])
def test_auc_of_several_classes_is_that_of_drawn_scores(n_classes):
    rng, d = np.random.default_rng(0), 1.0
    scores = rng.standard_normal((40_000, n_classes))
    scores[:, 0] += d  # class 0 is shown
    accuracy = float((scores.argmax(axis=1) == 0).mean())
    assert auc_of_accuracy(accuracy, n_classes=n_classes) == pytest.approx(
        stats.norm.cdf(d / math.sqrt(2)), abs=0.005
    )
    assert auc_of_accuracy(1 / n_classes, n_classes=n_classes) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("n_classes", [3, 40])
def test_auc_of_several_classes_is_that_of_an_adaptive_integral(n_classes):
    d = 1.3
    accuracy, _ = integrate.quad(
        lambda x: stats.norm.pdf(x - d) * stats.norm.cdf(x) ** (n_classes - 1), -9, 9 + d
    )
    expected = stats.norm.cdf(d / math.sqrt(2))
    assert auc_of_accuracy(accuracy, n_classes=n_classes) == pytest.approx(expected, abs=1e-7)


def test_more_features_learn_less_and_many_trials_learn_all():
    learned = [learned_accuracy(0.75, n_features=p, n_training=250) for p in (1, 16, 224)]
    assert learned == sorted(learned, reverse=True)
    assert learned_accuracy(0.75, n_features=16, n_training=10**7) == pytest.approx(0.75, abs=1e-3)


def test_power_of_nothing_is_the_level_and_grows_with_everything():
    assert detection_power(SIX, 0.5, alpha=0.05) == pytest.approx(0.05, abs=1e-9)
    base = detection_power(SIX, 0.57)
    assert detection_power(replace(SIX, n_recordings=12), 0.57) > base
    assert detection_power(replace(SIX, n_units=100), 0.57) > base
    assert detection_power(SIX, 0.6) > base
    assert detection_power(replace(SIX, reuse=0.0), 0.57) > base
    assert detection_power(replace(SIX, recording_sd=0.1), 0.6) < detection_power(SIX, 0.6)


def test_smallest_accuracy_and_fewest_recordings_have_the_power_asked_for():
    accuracy = detectable_accuracy(SIX, power=0.8)
    assert detection_power(SIX, accuracy) == pytest.approx(0.8, abs=1e-6)
    n = needed_recordings(SIX, 0.57)
    assert detection_power(replace(SIX, n_recordings=n), 0.57) >= 0.8
    assert detection_power(replace(SIX, n_recordings=n - 1), 0.57) < 0.8
    n = needed_units(SIX, 0.57)
    assert detection_power(replace(SIX, n_units=n), 0.57) >= 0.8
    assert detection_power(replace(SIX, n_units=n - 1), 0.57) < 0.8


def test_what_cannot_be_reached_is_none():
    assert detectable_accuracy(Design(n_recordings=1, n_units=2)) is None
    assert needed_units(replace(SIX, n_recordings=3, recording_sd=0.3), 0.55) is None


def test_subjects_that_differ_are_needed_in_greater_number():
    few = needed_subjects(SIX, 0.57, subject_sd=0.0)
    many = needed_subjects(SIX, 0.57, subject_sd=0.1)
    assert 2 <= few < many < 100


def test_several_classes_are_detected_as_drawn():
    """Power of four classes, one decoder: scores drawn, labels permuted by formula."""
    from phosphene.evaluation.permutation import heldout_test

    design = Design(n_recordings=3, n_units=40, n_classes=4, reuse=0.0)
    rng, d, found = np.random.default_rng(3), 0.45, []
    labels = np.arange(120) % 4
    for _ in range(150):
        scores = rng.standard_normal((120, 4)) + d * np.eye(4)[labels]
        test = heldout_test(scores, labels, recordings=np.arange(120) // 40, n_permutations=200)
        found.append(test.p_value <= 0.05)
    drawn = rng.standard_normal((60_000, 4))
    drawn[:, 0] += d
    accuracy = float((drawn.argmax(axis=1) == 0).mean())
    assert np.mean(found) == pytest.approx(detection_power(design, accuracy), abs=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: detection_power(SIX, 0.45), "between chance, 0.5 for 2 classes"),
        (lambda: detection_power(SIX, 1.0), "got 1"),
        (lambda: Design(n_recordings=0, n_units=10), "`n_recordings`"),
        (lambda: Design(n_recordings=3, n_units=1), "`n_units`"),
        (lambda: learned_accuracy(0.6, n_features=0, n_training=10), "`n_features`"),
        (lambda: detectable_accuracy(SIX, power=1.0), "`power`"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def honest_bench():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "honest_bench.py"
    spec = importlib.util.spec_from_file_location("honest_bench", path)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop(spec.name)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("n_features", "ceiling"), [(16, 0.6), (56, 0.62)])
def test_verdicts_on_drawn_data_sets_are_as_frequent_as_power_says(
    honest_bench, n_features, ceiling
):
    found = [
        honest_bench.measure(n_features, ceiling, differ=False, seed=seed).claims[0]
        for seed in range(150)
    ]
    accuracy = learned_accuracy(ceiling, n_features=n_features, n_training=250)
    assert np.mean(found) == pytest.approx(detection_power(SIX, accuracy), abs=0.12)
