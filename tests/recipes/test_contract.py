"""What every recipe keeps to when it is trained; found by its folder alone.

What its folder says is tested in test_recipes.py.
"""

import subprocess
import sys
from math import isfinite

import numpy as np
import pytest

from phosphene.data.dataset import load_dataset
from phosphene.experiment.responses.drawing import slug
from phosphene.export.bundle import load_bundle
from phosphene.export.response_bundle import load_response_bundle
from phosphene.recipes import find_recipes
from phosphene.reporting.report import write_report
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json
from phosphene.training.seeding import derive_seed

RECIPES = find_recipes()
PAINTING = [key for key, recipe in RECIPES.items() if recipe.task == "signal to picture"]
RESPONDING = [key for key, recipe in RECIPES.items() if recipe.task == "picture to signal"]
RESTORING = [key for key, recipe in RECIPES.items() if recipe.task == "picture to picture"]
DECODING = [key for key in RECIPES if key not in (*RESPONDING, *RESTORING)]
SECONDS = 5.0
DECODED = ("balanced accuracy", "AUC")
JUDGED = ("class consistency", "IS[", "Fréchet distance[", "FID[")

OFTEN = ("eeg2image_2023", "human_mind_2017", "phosphene_best_lfp", "cnn_lstm_2018")
"""One recipe of each experiment, trained a second time whenever tests run; others when CI does."""


def at_length(keys):
    """Leave all but one recipe of each experiment to CI."""
    marked = [pytest.param(k, marks=() if k in OFTEN else pytest.mark.slow) for k in keys]
    return pytest.mark.parametrize("key", marked)


every_recipe = pytest.mark.parametrize("key", RECIPES)
decoding_recipes = pytest.mark.parametrize("key", DECODING)
responding_recipes = pytest.mark.parametrize("key", RESPONDING)
painting_recipes = pytest.mark.parametrize("key", PAINTING)


def first_fold(run):
    return run.read_json("split.json")["folds"][0]["key"]


def arrays_of(run, name):
    return run.read_arrays(f"folds/{first_fold(run)}/{name}.npz")


# The smoke preset.


TIMED = """
import sys, tempfile, time
from pathlib import Path
from phosphene.recipes import get_recipe
from phosphene.run_dir import RunDir

recipe, seconds = get_recipe(sys.argv[1]), []
for _ in range(3):
    run = RunDir.create(Path(tempfile.mkdtemp()) / "run")
    began = time.process_time()
    recipe.train(
        recipe.config("smoke"), data=Path(sys.argv[2]), run=run, on_stage=print, progress=None
    )
    seconds.append(time.process_time() - began)
print(min(seconds))
"""


@pytest.mark.slow
@every_recipe
def test_smoke_preset_takes_seconds(data_for, key):
    """Processor time where no test checks types; a busy machine lengthens it, so the best of three.

    The first training imports what it needs.
    """
    done = subprocess.run(
        [sys.executable, "-c", TIMED, key, str(data_for(key))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert float(done.stdout.split()[-1]) < SECONDS


@every_recipe
def test_a_run_ends_finished(smoke_run, key):
    trained = smoke_run(key)
    assert trained.stages[-1] == "done"
    assert len(trained.stages) > 1, "the report can be read before the end"
    assert trained.run.read_json("state.json") == {"stage": "done", "finished": True}


@every_recipe
def test_shared_stages_are_files_of_a_fold(smoke_run, key):
    run = smoke_run(key).run
    folder = run.fold(first_fold(run))
    assert [name for name in RECIPES[key].shared_stages if not (folder / name).exists()] == []


@every_recipe
def test_scores_on_disk_are_those_returned_and_finite(smoke_run, key):
    trained = smoke_run(key)
    records = trained.run.read_json("scores.json")
    assert records == scores_to_json(trained.scores)
    values = [value for record in records for value in record.values()]
    assert all(isfinite(value) for value in values if isinstance(value, float))
    drawn = "pictures" if key in PAINTING else "signals" if key in RESPONDING else "decoding"
    wanted = {"restoration"} if key in RESTORING else {"decoding", drawn}
    assert {score.section for score in trained.scores} >= wanted


@at_length(RECIPES)
def test_evaluate_on_the_folder_gives_the_same_scores(smoke_run, key):
    trained = smoke_run(key)
    before = (trained.run.path / "scores.json").read_bytes()
    assert RECIPES[key].evaluate(RunDir(trained.run.path), None) == trained.scores
    assert (trained.run.path / "scores.json").read_bytes() == before


@decoding_recipes
def test_every_accuracy_carries_its_range_under_chance(smoke_run, key):
    found = [
        score
        for score in smoke_run(key).scores
        if score.section == "decoding" and ("accuracy" in score.name or score.name == "AUC")
    ]
    assert {*DECODED, "k-means accuracy"} <= {score.name for score in found}
    for score in found:
        assert score.chance is not None, score
        assert score.chance_low <= score.chance <= score.chance_high, score


@decoding_recipes
def test_every_decoder_has_permuted_labels_beside_it(smoke_run, key):
    scores = [score for score in smoke_run(key).scores if score.section == "decoding"]
    for name in DECODED:
        named = [score for score in scores if score.name == name]
        methods = {score.method for score in named if score.role in ("result", "baseline")}
        permuted = {
            score.method.removeprefix("permuted labels: ")
            for score in named
            if score.role == "control" and score.method.startswith("permuted labels: ")
        }
        assert "shrinkage LDA" in methods
        unchecked = {each for each in methods if not each.startswith(tuple(permuted))}
        assert unchecked == set(), "the label permutation must be trained for each decoder"
        noise = [score for score in named if score.method.startswith("noise input: ")]
        assert [score.role for score in noise] == ["control"]
        encoder = noise[0].method.removeprefix("noise input: ")
        assert any(method.startswith(encoder) for method in methods)


@decoding_recipes
def test_a_run_says_how_large_its_networks_are_and_how_long_they_took(smoke_run, key):
    run = smoke_run(key).run
    networks, timings = run.read_json("networks.json"), run.read_json("timings.json")
    drawing = {"generator", "judge", "domain"} if key in PAINTING else set()
    assert {"encoder", *drawing} <= networks.keys()
    assert all(networks[name]["n_parameters"] > 0 for name in {"encoder", *drawing})
    assert {"encoder", *(drawing & {"judge"})} <= timings["train_s"].keys()
    assert all(seconds >= 0 for seconds in timings["train_s"].values())
    assert timings["n_threads"] == 1
    if drawing:
        assert timings["pictures_per_s"] > 0


# Seeds.


@at_length(RECIPES)
def test_same_seed_gives_the_same_numbers(smoke_run, again, key):
    first, second = smoke_run(key), again(key)
    assert second.scores == first.scores
    for path in first.run.path.rglob("*.npz"):
        name = path.relative_to(first.run.path).as_posix()
        before, after = first.run.read_arrays(name), second.run.read_arrays(name)
        for field, values in before.items():
            np.testing.assert_array_equal(after[field], values, err_msg=f"{name}: {field}")


@at_length(DECODING)
def test_another_seed_gives_other_numbers_on_the_same_split(smoke_run, other, key):
    first, second = smoke_run(key).run, other(key).run
    same = [run.read_json("split.json") for run in (first, second)]
    assert same[0] == same[1]
    decoding = [arrays_of(run, "decoding") for run in (first, second)]
    np.testing.assert_array_equal(decoding[0]["trial"], decoding[1]["trial"])
    assert not np.array_equal(decoding[0]["probabilities"], decoding[1]["probabilities"])


@at_length(PAINTING)
def test_another_seed_draws_other_pictures_for_the_same_judge(smoke_run, other, key):
    first, second = smoke_run(key).run, other(key).run
    pictures = [run.read_json("split.json")["pictures"] for run in (first, second)]
    assert pictures[0] == pictures[1]
    assert set(pictures[0]["generator"]).isdisjoint(pictures[0]["judge"])
    networks = [run.read_json("networks.json") for run in (first, second)]
    for name in ("judge", "domain"):
        assert networks[0][name]["digest"] == networks[1][name]["digest"]
    drawn = [arrays_of(run, "generated")["own"] for run in (first, second)]
    assert not np.array_equal(drawn[0], drawn[1])


# Signals.


@responding_recipes
def test_every_signal_score_has_its_floor_and_its_controls(smoke_run, key):
    scores = [score for score in smoke_run(key).scores if score.section == "signals"]
    systems = {score.method for score in scores if score.role == "result"}
    assert systems
    for name in {score.name for score in scores if score.role == "result"}:
        methods = {score.method: score.role for score in scores if score.name == name}
        assert systems <= methods.keys()
        assert {"noise": "control", "phase-randomised": "control"}.items() <= methods.items()
        assert methods["real"] == "reference"


@at_length(RESPONDING)
def test_another_seed_generates_other_windows_for_the_same_classifier(smoke_run, other, key):
    first, second = smoke_run(key).run, other(key).run
    assert first.read_json("split.json") == second.read_json("split.json")
    digests = [run.read_json("networks.json")["classifier"]["digest"] for run in (first, second)]
    assert digests[0] == digests[1]
    real = [arrays_of(run, "real") for run in (first, second)]
    np.testing.assert_array_equal(real[0]["test"], real[1]["test"])
    system = next(s.method for s in smoke_run(key).scores if s.role == "result")
    made = [arrays_of(run, f"generated/{slug(system)}")["test"] for run in (first, second)]
    assert not np.array_equal(made[0], made[1])


@responding_recipes
def test_a_bundle_holds_the_generator_of_the_run(smoke_run, showings_folder, key):
    trained = smoke_run(key)
    system = load_response_bundle(trained.run.path / "bundle").system
    pixels = load_dataset(showings_folder).images.pixels
    drawn = system.draw(pixels, n_draws=2, seed=0)
    assert drawn.shape == (10, 2, 6, 313)
    np.testing.assert_array_equal(system.draw(pixels, n_draws=2, seed=0), drawn)
    assert not np.array_equal(drawn[0, 0], drawn[0, 1])
    np.testing.assert_allclose(drawn.std((2, 3)), 1, atol=1e-3)
    spec = trained.run.read_json("bundle/spec.json")
    scored = {score.method for score in trained.scores if score.role == "result"}
    assert spec["name"] in scored
    assert spec["window_sd"] > 0


# Pictures.


@painting_recipes
def test_every_picture_score_has_its_controls(smoke_run, key):
    scores = [score for score in smoke_run(key).scores if score.section == "pictures"]
    methods = {score.name: set() for score in scores if score.method == "generated"}
    for score in scores:
        methods.setdefault(score.name, set()).add(score.method)
    for start in JUDGED[:3]:
        assert any(name.startswith(start) for name in methods)
    controls = {"generated", "class label only", "shuffled features", "noise input"}
    lacking = {name for name in methods if name.startswith(JUDGED) and methods[name] < controls}
    assert lacking == set()


@painting_recipes
def test_every_picture_score_stands_beside_real_pictures(smoke_run, key):
    """Those that real pictures cannot have carry a range under chance."""
    scores = [score for score in smoke_run(key).scores if score.section == "pictures"]
    real = {score.name for score in scores if score.role == "reference"}
    alone = {
        score.name
        for score in scores
        if score.role == "result" and score.name not in real and score.chance_low is None
    }
    assert alone == set()
    assert {"class consistency (shown)", "IS[domain]", "Fréchet distance[domain]"} <= real


@painting_recipes
def test_bundle_draws_the_pictures_that_the_run_shows(smoke_run, dataset, key):
    trained = smoke_run(key)
    decoding, pictures = (arrays_of(trained.run, name) for name in ("decoding", "pictures"))
    bundle = load_bundle(trained.run.path / "bundle")
    position = {name: row for row, name in enumerate(decoding["trial"])}
    rows = np.array([position[name] for name in pictures["trial"]])
    ids = list(dataset.trials.table["trial"])
    trials = dataset.trials.select([ids.index(name) for name in pictures["trial"]])
    features = bundle.system.features(trials.epochs)
    np.testing.assert_allclose(features, decoding["features"][rows], atol=1e-5)
    decoded = bundle.system.decoder.probabilities(features)
    np.testing.assert_allclose(decoded, decoding["probabilities"][rows], atol=1e-4)
    seed = derive_seed(trained.config.seed, "drawing", first_fold(trained.run))
    for draw in range(trained.config.n_draws):
        drawn = bundle.system.draw(decoding["features"][rows], seed=seed, draw=draw + 1)
        np.testing.assert_array_equal(drawn, pictures["images"][:, draw])


@painting_recipes
def test_pictures_depend_on_noise(smoke_run, key):
    images = arrays_of(smoke_run(key).run, "pictures")["images"].astype(int)
    assert (images[:, 0] != images[:, 1]).any()


@pytest.mark.slow
@every_recipe
def test_a_report_can_be_written(smoke_run, key):
    page = write_report(smoke_run(key).run).read_text(encoding="utf-8")
    assert ("balanced accuracy" in page) == (key in DECODING)
    assert "still running" not in page.lower()
    assert ('href="#pictures"' in page) == (key in PAINTING)
