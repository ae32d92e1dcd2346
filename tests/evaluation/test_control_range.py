import numpy as np
import pytest

from phosphene.evaluation.confusion import count_pairs, mean_recall
from phosphene.evaluation.control_range import renamed_ranges, widest_range
from phosphene.evaluation.decoding import decoding_scores

N_CLASSES, N_FOLDS, N_TRIALS = 8, 2, 320
LABELS = np.arange(N_TRIALS) % N_CLASSES
FOLDS = np.arange(N_TRIALS) // (N_TRIALS // N_FOLDS)


def lumps(seed, *, follow=0.9, leak=0.0):
    """Decoders of permuted labels: trials of a class mostly follow the luck of their class."""
    rng = np.random.default_rng(seed)
    luck = np.array([rng.integers(N_CLASSES, size=N_CLASSES) for _ in range(N_FOLDS)])
    decoded = np.where(
        rng.random(N_TRIALS) < follow,
        luck[FOLDS, LABELS],
        rng.integers(N_CLASSES, size=N_TRIALS),
    )
    decoded = np.where(rng.random(N_TRIALS) < leak, LABELS, decoded)
    odds = np.eye(N_CLASSES)[decoded] + 0.1 * rng.random((N_TRIALS, N_CLASSES))
    return odds / odds.sum(axis=1, keepdims=True)


def ranges(probabilities, **options):
    return renamed_ranges(
        probabilities, LABELS, folds=FOLDS, recordings=FOLDS, n_draws=200, **options
    )


@pytest.mark.slow
def test_range_holds_a_decoder_of_permuted_labels_where_fixed_decisions_do_not():
    inside = {"renamed": [], "fixed": [], "AUC": []}
    for seed in range(60):
        p = lumps(seed)
        found = ranges(p, seed=seed)
        value = mean_recall(count_pairs(LABELS, p.argmax(axis=1), n_classes=N_CLASSES))
        low, high = found["balanced accuracy"]
        inside["renamed"].append(low <= value <= high)
        accuracy, auc = decoding_scores(
            p, LABELS, recordings=FOLDS, method="x", n_permutations=100, reuse=0.0
        )
        inside["fixed"].append(accuracy.inside_chance())
        inside["AUC"].append(found["AUC"][0] <= auc.value <= found["AUC"][1])
    assert np.mean(inside["renamed"]) > 0.9
    assert np.mean(inside["AUC"]) > 0.9
    assert np.mean(inside["fixed"]) < 0.7


@pytest.mark.parametrize("follow", [0.0, 0.9])
def test_a_leak_stays_outside(follow):
    p = lumps(0, follow=follow, leak=0.7)
    value = mean_recall(count_pairs(LABELS, p.argmax(axis=1), n_classes=N_CLASSES))
    assert value > ranges(p)["balanced accuracy"][1] + 0.1


def test_without_lumps_the_range_is_that_of_permuted_held_out_labels():
    p = lumps(1, follow=0.0)
    accuracy = decoding_scores(p, LABELS, recordings=FOLDS, method="x", reuse=0.0)[0]
    low, high = ranges(p)["balanced accuracy"]
    assert (low, high) == pytest.approx((accuracy.chance_low, accuracy.chance_high), abs=0.02)


def test_too_few_names_or_unequal_classes_give_no_range():
    labels = np.arange(40) % 2
    p = np.eye(2)[labels]
    assert renamed_ranges(p, labels, folds=np.arange(40) // 20, recordings=[0] * 40) == {}
    rare = np.where(LABELS == 0, 1, LABELS)
    rare[:8] = LABELS[:8]
    assert renamed_ranges(lumps(0), rare, folds=FOLDS, recordings=FOLDS) == {}


def test_widest_range():
    assert widest_range((0.4, 0.6), None, (0.45, 0.7), (None, None)) == (0.4, 0.7)
    assert widest_range(None) is None
