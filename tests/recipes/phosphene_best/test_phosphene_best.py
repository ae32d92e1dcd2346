"""What the contract of recipes (test_contract.py) does not ask for."""

import json

import numpy as np
import pytest

from phosphene.cli.shared_stages import copy_stages
from phosphene.recipes.phosphene_best import RECIPE, config
from phosphene.recipes.phosphene_best.run import ensemble_settings


def test_every_ablation_changes_the_pictures_alone():
    quick = config.quick()
    variants = RECIPE.variants(quick)
    assert len({str(each) for each in variants.values()} | {str(quick)}) == len(variants) + 1
    for each in variants.values():
        assert ensemble_settings(each) == ensemble_settings(quick)
        assert (each.split_seed, each.judge_steps, each.null_folds) == (
            quick.split_seed, quick.judge_steps, quick.null_folds,
        )  # fmt: skip


@pytest.mark.slow
def test_a_variant_trains_on_what_another_shares(data_folder, start_run, tmp_path):
    smoke = config.smoke()
    runs, decoded = [], []
    for settings in (smoke, RECIPE.variants(smoke)["EEG2Image's discriminator"]):
        run = start_run(tmp_path / str(len(runs)), settings)
        if runs:
            copy_stages(runs[0], run, RECIPE.shared_stages)
        scores = RECIPE.train(settings, data=data_folder, run=run)
        decoded.append([score for score in scores if score.section == "decoding"])
        runs.append(run)
    assert decoded[0] == decoded[1]
    drawn = [run.read_arrays("folds/0/generated.npz")["own"] for run in runs]
    assert not np.array_equal(*drawn)


def test_nothing_is_called_published():
    results = json.loads((RECIPE.module_folder / "results.json").read_text())
    assert set(results["published"]) == {"note"}
    assert RECIPE.published == {}
