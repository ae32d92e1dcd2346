"""What `phosphene power` promises is what verdicts on simulated EEG do."""

import numpy as np
import pytest

N_SETS = 30


def judge_simulated(trials, *, seed):
    """Leave one recording out with shrinkage LDA; return the accuracy and whether it decodes."""
    from phosphene.evaluation.controls import label_permuter
    from phosphene.evaluation.decoding import decoding_scores
    from phosphene.evaluation.permutation import calibrate, heldout_test
    from phosphene.evaluation.probes import shrinkage_lda
    from phosphene.evaluation.retrained_null import joint_linear_null

    epochs = np.asarray(trials.epochs)[..., ::8]
    labels, recordings = trials.labels, trials.table["recording"].to_numpy(dtype=str)
    folds = [
        (np.flatnonzero(recordings != r), np.flatnonzero(recordings == r))
        for r in np.unique(recordings)
    ]
    probabilities = np.empty((len(labels), 2))
    for train, test in folds:
        lda = shrinkage_lda(epochs[train], labels[train], n_classes=2)
        probabilities[test] = lda.predict_proba(epochs[test])
    accuracy = decoding_scores(
        probabilities, labels, recordings=recordings, method="LDA", n_permutations=1
    )[0]
    null = joint_linear_null(
        epochs.reshape(len(labels), -1),
        labels,
        folds=folds,
        permute=label_permuter(labels, recordings=recordings),
        recordings=recordings,
        n_classes=2,
        seed=seed,
    )
    test = heldout_test(probabilities, labels, recordings=recordings, n_permutations=300)
    return accuracy.value, calibrate(test, null.tolist()) <= 0.05


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("effect", [0.0, 0.9])
def test_verdicts_on_simulated_recordings_are_as_frequent_as_power_says(simulate, effect):
    from phosphene.evaluation.power import Design, detection_power

    found = []
    for seed in range(N_SETS):
        trials = simulate(seed=seed, n_trials=300, effect=effect).trials
        found.append(judge_simulated(trials, seed=seed))
    accuracy, claims = np.mean(found, axis=0)
    expected = detection_power(Design(n_recordings=6, n_units=50), max(0.5, float(accuracy)))
    assert claims == pytest.approx(expected, abs=0.2)  # two standard errors of 30 data sets
