import numpy as np
import pytest

from phosphene.evaluation.decoding import decoding_scores
from phosphene.experiment.controls.material import open_material
from phosphene.recipes.eeg2image_2023 import RECIPE


def test_scores_are_those_of_the_run_whatever_the_order_of_rows(material, trained):
    own = material.own()
    mixed = np.random.default_rng(0).permutation(len(own["row"]))
    scores = material.scores({k: v[mixed] for k, v in own.items()}, method="own", role="result")
    expected = next(s for s in trained.scores if s.name == "AUC" and s.role == "result")
    assert scores[1].value == pytest.approx(expected.value)
    labels = material.trials.labels[np.sort(own["row"])]
    order = np.argsort(own["row"])
    direct = decoding_scores(
        own["probabilities"][order],
        labels,
        recordings=material.recordings[np.sort(own["row"])],
        method="own",
        unit=material.design,
        n_permutations=60,
        seed=material.seed,
    )
    assert scores[0].value == direct[0].value


def test_a_measure_has_the_p_value_of_its_statistic(material):
    own = material.own()
    scores = material.scores(own, method="own")
    auc = material.measure(own, scores, name="own")
    accuracy = material.measure(own, scores, name="own", statistic="balanced accuracy")
    assert (auc.name, auc.value) == ("own, AUC", scores[1].value)
    assert (accuracy.name, accuracy.value) == ("own, balanced accuracy", scores[0].value)
    wide = material.measure(own, scores, name="own", nulls=[9.0, -9.0] * 20)
    assert wide.p_value > auc.p_value


def test_other_data_are_refused(controlled, lab):
    with pytest.raises(ValueError, match="Give its data set with --data"):
        open_material(controlled[0], lab / "data", plan_of=RECIPE.plan)


def test_a_run_without_decisions_is_refused(copy_run, data_folder, tmp_path):
    run = copy_run(tmp_path / "run")
    for path in run.path.glob("folds/*/decoding.npz"):
        path.unlink()
    with pytest.raises(ValueError, match="Give a run that reads classes from signals"):
        open_material(run, data_folder, plan_of=None)
