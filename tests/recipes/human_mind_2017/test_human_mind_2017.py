"""What the contract of recipes (test_contract.py) does not ask for, on the smoke preset."""

import json

import torch

from phosphene.models.encoders.human_mind_lstm import HumanMindLSTM
from phosphene.recipes import get_recipe
from phosphene.training.encoder_step import EncoderStep


def test_says_what_the_report_needs_after_each_stage(trained):
    assert trained.stages == ["first fold decoded", "done"]


def test_it_decodes_and_draws_nothing(trained):
    assert {s.section for s in trained.scores} == {"decoding", "ceiling"}
    assert not trained.run.has("bundle/spec.json")


def test_decoders_and_controls_have_their_names(trained):
    decoding = [s for s in trained.scores if s.section == "decoding"]
    methods = {s.method for s in decoding if s.role == "control"}
    assert methods == {
        *("permuted labels: lstm", "permuted labels: shrinkage LDA", "noise input: lstm")
    }
    assert {s.method for s in decoding if s.role == "baseline"} == {"shrinkage LDA"}
    assert {s.selected_on for s in decoding} == {"nothing (last step)"}


def test_published_chance_is_that_of_its_classes():
    recipe = get_recipe("human_mind_2017")
    results = json.loads((recipe.module_folder / "results.json").read_text())["published"]
    assert recipe.published["chance, 40 classes"] == 1 / results["n_classes"]


def test_published_size_is_that_of_network_and_class_layer():
    results = json.loads((get_recipe("human_mind_2017").module_folder / "results.json").read_text())
    network = HumanMindLSTM(128)
    step = EncoderStep(network, n_classes=40, rng=torch.Generator().manual_seed(0))
    counted = sum(weight.numel() for weight in step.weights)
    assert results["published"]["n_parameters"] == {"encoder": counted}
