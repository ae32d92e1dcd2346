"""What every recipe that restores pictures keeps to, beside what all do."""

import numpy as np
import pytest
import torch

from phosphene.experiment.restoration.drawing import time_file
from phosphene.experiment.restoration.pictures import TEST, pixels_of, unit_pictures
from phosphene.export.restoration_bundle import load_restoration_bundle
from phosphene.recipes import find_recipes

RESTORING = [k for k, recipe in find_recipes().items() if recipe.task == "picture to picture"]

restoring_recipes = pytest.mark.parametrize("key", RESTORING)


@restoring_recipes
def test_every_restoration_score_stands_beside_the_baselines(smoke_run, key):
    scores = smoke_run(key).scores
    results = [s for s in scores if s.role == "result" and not s.name.endswith(" difference")]
    assert {score.fold for score in results} == {"equal iterations", "equal time"}
    wanted = {"corrupted picture", "mean picture", "nearest training picture"}
    for name in {score.name for score in results}:
        methods = {score.method for score in scores if score.name == name}
        assert {*wanted, "total variation", "non-local means"} <= methods
        if "accuracy" in name:
            assert "original picture" in methods
    regions = {f"RMSE[{region}]" for region in ("whole", "visible", "missing")}
    assert regions <= {score.name for score in results}


@restoring_recipes
def test_systems_of_a_run_are_tuned_and_counted_alike(smoke_run, key):
    systems = smoke_run(key).run.read_json("folds/pictures/systems.json")
    for of in ("steps", "runs", "n_validation"):
        assert len({system["tuning"][of] for system in systems}) == 1
    assert len({tuple(system["tuning"]["losses"]) for system in systems}) == 1
    assert len({system["iterations"] for system in systems}) == 1
    assert all(system["iterations_equal_time"] >= system["iterations"] for system in systems)
    networks = smoke_run(key).run.read_json("networks.json")
    assert {"classifier", *(system["name"] for system in systems)} <= networks.keys()


@restoring_recipes
def test_another_seed_restores_the_same_pictures_otherwise(smoke_run, other, key):
    first, second = smoke_run(key).run, other(key).run
    assert first.read_json("split.json") == second.read_json("split.json")
    digests = [run.read_json("networks.json")["classifier"]["digest"] for run in (first, second)]
    assert digests[0] == digests[1]
    tests = [run.read_arrays(TEST) for run in (first, second)]
    for name, values in tests[0].items():
        np.testing.assert_array_equal(tests[1][name], values, err_msg=name)
    name = first.read_json("bundle/spec.json")["name"]
    restored = [run.read_arrays(time_file(name))["restored"] for run in (first, second)]
    assert not np.array_equal(restored[0], restored[1])


@restoring_recipes
def test_the_bundle_restores_the_pictures_that_the_run_shows(smoke_run, key):
    run = smoke_run(key).run
    bundle = load_restoration_bundle(run.path / "bundle")
    corrupted = unit_pictures(run.read_arrays(TEST)["corrupted"]).numpy()
    restored = pixels_of(torch.from_numpy(bundle.system.restore(corrupted)))
    shown = run.read_arrays(time_file(bundle.spec["name"]))["restored"]
    np.testing.assert_allclose(restored.astype(int), shown.astype(int), atol=1)
