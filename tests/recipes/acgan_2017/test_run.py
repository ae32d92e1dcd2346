import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from phosphene.export.bundle import load_bundle
from phosphene.recipes.acgan_2017 import RECIPE, config, run
from phosphene.run_dir import RunDir


def test_noise_and_condition_are_joined_as_they_are():
    painter = run.make_plan(config.smoke()).painter
    step = painter.make(color=1, n_classes=4, seed=0)
    generator = step.generator
    assert generator.gaussian is None
    assert generator.dense is None
    assert generator.norm.num_features == 8 + 16
    assert generator.penalty() == 0


def test_classes_are_judged_by_the_discriminator_alone():
    plan = run.make_plan(replace(config.smoke(), auxiliary=0.5))
    step = plan.painter.make(color=1, n_classes=4, seed=0)
    assert not plan.painter.guided
    assert step.discriminator.class_head.out_features == 4
    assert step.auxiliary == 0.5


def test_labels_make_a_generator_of_labels():
    plan = run.make_plan(replace(config.smoke(), condition="label"))
    assert plan.painter.condition_on == "label"
    step = plan.painter.make(color=1, n_classes=4, seed=0)
    drawn = step.sampler(torch.zeros(4, 8), torch.eye(4))
    assert len(drawn.flatten(1).unique(dim=0)) == 4


@pytest.mark.slow
def test_a_label_system_draws_one_picture_per_decoded_class(data_folder, dataset, tmp_path):
    settings = replace(
        config.smoke(), condition="label", null_folds=0, generator_steps=2, judge_steps=4
    )
    folder = RunDir.create(tmp_path / "labels")
    plain = json.loads(json.dumps(asdict(settings)))
    folder.write_json("config.json", {"recipe": "acgan_2017", "config": plain})
    scores = RECIPE.train(settings, data=data_folder, run=folder)
    assert RECIPE.evaluate(folder) == scores
    system = load_bundle(folder.path / "bundle").system
    assert system.condition_on == "label"
    features = system.features(dataset.trials.epochs[:40])
    decoded = system.decoder.probabilities(features).argmax(1)
    np.testing.assert_array_equal(system.condition(features), np.eye(4)[decoded])
    features = np.concatenate([features[:1], features[:1] + 1e-3])  # decoded alike
    own, near = system.draw(features[:1], seed=0), system.draw(features[1:], seed=0)
    np.testing.assert_array_equal(own, near)
