import json
from dataclasses import asdict, replace

import pytest
import torch

from phosphene.recipes.thoughtviz_2018 import RECIPE, config, run
from phosphene.run_dir import RunDir


def painter_of(settings):
    return run.make_plan(settings).painter


def test_objects_multiply_noise_that_passed_gaussians_by_the_feature():
    painter = painter_of(config.smoke())
    step = painter.make(color=1, n_classes=4, seed=0)
    generator = step.sampler
    assert (generator.mixture, generator.fusion) == ("z", "multiply")
    nothing = torch.zeros(2, 16)
    noise = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    drawn = generator(noise, nothing)
    torch.testing.assert_close(drawn[0], drawn[1])  # times zero, no noise is left
    assert step.discriminator.class_head is None


def test_a_frozen_classifier_takes_part_and_can_be_left_out():
    assert painter_of(config.smoke()).guided
    assert not painter_of(replace(config.smoke(), guidance=0.0)).guided
    assert painter_of(config.smoke()).guidance == 1
    assert painter_of(config.smoke()).condition_on == "features"


def test_published_networks_of_glyphs_have_the_published_sizes():
    step = painter_of(config.paper_glyphs()).make(color=1, n_classes=10, seed=0)
    counts = [
        sum(weight.numel() for weight in network.parameters())
        for network in (step.generator, step.discriminator)
    ]
    assert counts == [6842569, 3485441]


@pytest.mark.slow
def test_glyphs_of_28_pixels_go_through_the_whole_experiment(data_folder, tmp_path):
    settings = replace(
        config.smoke(), networks="glyph", image_size=28, null_folds=0, generator_steps=2,
        judge_steps=4,
    )  # fmt: skip
    folder = RunDir.create(tmp_path / "glyphs")
    plain = json.loads(json.dumps(asdict(settings)))
    folder.write_json("config.json", {"recipe": "thoughtviz_2018", "config": plain})
    scores = RECIPE.train(settings, data=data_folder, run=folder)
    (name,) = (fold["key"] for fold in folder.read_json("split.json")["folds"][:1])
    drawn = folder.read_arrays(f"folds/{name}/generated.npz")["own"]
    assert drawn.shape[1:] == (28, 28, 1)
    lines = (folder.path / "log.jsonl").read_text().splitlines()
    stages = {json.loads(line)["stage"] for line in lines}
    assert {"encoder", "guide", "generator"} <= stages
    assert RECIPE.evaluate(folder) == scores


def test_a_size_that_objects_do_not_have_is_refused():
    with pytest.raises(ValueError, match="`image_size` must be a power of two"):
        replace(config.smoke(), image_size=28)
