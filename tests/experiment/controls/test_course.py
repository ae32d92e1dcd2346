import json
import shutil

import numpy as np
import pytest

from phosphene.experiment.controls.course import CONTROLS, list_tasks, run_controls
from phosphene.recipes.eeg2image_2023 import RECIPE
from phosphene.score import scores_from_json


def without_times(content):
    for control in content["controls"]:
        control.pop("seconds")
    return content


def test_every_control_is_there_or_says_why_not(controlled):
    run, content = controlled
    known = {control.key for control in CONTROLS}
    done = {control["key"] for control in content["controls"]}
    missing = {one["key"]: one["why"] for one in content["not_run"]}
    assert done | set(missing) == known
    assert not done & set(missing)
    assert missing == {}
    assert run.read_json("controls.json") == content
    for control in content["controls"]:
        scores = scores_from_json(control["scores"])
        assert scores
        assert all(score.role != "control" for score in scores) or control["decoder"]
        assert {"what", "decoder", "expected", "outcome", "p_value"} <= control.keys()


def test_controls_without_information_are_at_chance_and_the_verdict_stands(controlled):
    _, content = controlled
    outcomes = {c["key"]: c["outcome"] for c in content["controls"]}
    assert outcomes["noise_input"] != "above chance"
    assert outcomes["clock"] != "above chance"
    assert content["verdict"]["claim"]
    assert content["evidence"]["score"]["name"] == "the run's decoder, AUC"
    assert len(content["evidence"]["retrained"]) == 2


def test_a_stopped_run_goes_on_and_ends_with_the_same_numbers(
    controlled, copy_run, data_folder, effort, tmp_path
):
    finished, content = controlled
    run = copy_run(tmp_path / "run")
    shutil.copytree(finished.path / "controls", run.path / "controls")
    left = {"clock", "recording_index"}
    for name in left:
        (run.path / "controls" / f"{name}.npz").unlink()
    started = []

    class Hear:
        def start(self, stage, total):
            started.append(total)

        def update(self, step, values):
            started.append(step)

        def finish(self):
            pass

    again = run_controls(run, data=data_folder, plan_of=RECIPE.plan, effort=effort, progress=Hear())
    n_all = len(list((finished.path / "controls").glob("*.npz")))
    assert started == [n_all, n_all - 1, n_all]  # two were left
    expected = json.loads(json.dumps(content))
    assert without_times(again) == without_times(expected)


def test_work_of_other_decisions_is_refused(controlled, copy_run, data_folder, effort, tmp_path):
    finished, _ = controlled
    run = copy_run(tmp_path / "run")
    shutil.copytree(finished.path / "controls", run.path / "controls")
    (path, *_) = run.path.glob("folds/*/decoding.npz")
    name = path.relative_to(run.path).as_posix()
    arrays = run.read_arrays(name)
    run.write_arrays(name, {**arrays, "probabilities": arrays["probabilities"][:, ::-1].copy()})
    with pytest.raises(ValueError, match="Delete that folder and call the command again"):
        run_controls(run, data=data_folder, plan_of=RECIPE.plan, effort=effort)


@pytest.mark.slow
def test_an_encoder_that_is_not_the_run_s_is_not_used(
    controlled, copy_run, data_folder, effort, tmp_path
):
    run = copy_run(tmp_path / "run")
    (path, *_) = sorted(run.path.glob("folds/*/decoding.npz"))
    name = path.relative_to(run.path).as_posix()
    arrays = run.read_arrays(name)
    run.write_arrays(name, {**arrays, "probabilities": arrays["probabilities"][:, ::-1].copy()})
    finished, _ = controlled
    (run.path / "controls").mkdir()
    for kept in finished.path.glob("controls/*.npz"):
        if not kept.name.startswith("signals"):
            shutil.copy(kept, run.path / "controls")
    content = run_controls(run, data=data_folder, plan_of=RECIPE.plan, effort=effort)
    why = {one["key"]: one["why"] for one in content["not_run"]}
    assert set(why) == {"surrogate", "averaging"}
    assert "differ from the run's" in why["surrogate"]


def test_tasks_have_names_of_their_own(material):
    tasks, not_run = list_tasks(material)
    assert not_run == {}
    names = [task.name for some in tasks.values() for task in some]
    shared = {task.name for task in tasks["surrogate"]}
    assert shared == {task.name for task in tasks["averaging"]}
    assert len(names) - len(shared) == len(set(names))
    assert all(np.char.isalnum(name.replace("-", "").replace("_", "").replace(".", ""))
               for name in names)  # fmt: skip
