from dataclasses import replace

import numpy as np
import pytest

from phosphene.experiment import course
from phosphene.experiment.plan import Painter, PainterStep, TrainEncoder
from phosphene.recipes.eeg2image_2023.run import make_plan
from phosphene.score import Score
from phosphene.training.devices import ALONE


def test_what_a_recipe_brings_fits_the_interfaces(smoke):
    plan = make_plan(replace(smoke, guidance=0.0))
    assert isinstance(plan.painter, Painter)
    assert isinstance(plan.encoder.train, TrainEncoder)
    step = plan.painter.make(color=1, n_classes=4, seed=0, guide=None, devices=ALONE)
    assert isinstance(step, PainterStep)


def test_what_lacks_a_part_does_not():
    assert not isinstance(object(), Painter)
    assert not isinstance(object(), PainterStep)


@pytest.mark.slow
def test_a_recipe_goes_on_with_a_trained_generator_and_scores_what_it_left(
    smoke, data_folder, start_run, tmp_path
):
    config = replace(smoke, null_folds=0, decode_folds=2, generator_steps=1, judge_steps=1)
    given = []

    def draw_first_trial(painted):
        given.append(painted)
        features = painted.system.features(painted.training.epochs[:1])
        found = {"first": painted.system.draw(features, seed=painted.seed)}
        painted.run.write_arrays(f"folds/{painted.fold}/more.npz", found)

    def score_it(run, key, words):
        if not run.has(f"folds/{key}/more.npz"):
            return []
        value = run.read_arrays(f"folds/{key}/more.npz")["first"].mean()
        return [Score(name="grey", value=float(value), n=1, unit="pictures", split=words, fold=key)]

    plan = replace(make_plan(config), after_painting=draw_first_trial, extra_scores=score_it)
    run = start_run(tmp_path / "more", config)
    scores = course.train(plan, config, data=data_folder, run=run)
    (painted,) = given  # of the two folds that are decoded, one draws pictures
    (grey,) = [score for score in scores if score.name == "grey"]
    assert (grey.fold, grey.section) == (painted.fold, "decoding")
    assert grey.split
    assert course.evaluate(plan, config, run=run) == scores

    arrays = run.read_arrays(f"folds/{painted.fold}/decoding.npz")
    trained = set(painted.training.table["trial"])
    assert not trained & set(arrays["trial"].tolist())
    assert painted.system.generator is not None
    served = set(run.read_json("split.json")["pictures"]["generator"])
    assert set(painted.images.table["image_id"]) <= served
    compared = painted.compared()
    assert compared.generator is None
    assert len(compared.features(painted.training.epochs[:2])) == 2
    assert np.isfinite(compared.features(painted.training.epochs[:2])).all()
