import numpy as np
import pytest

from phosphene.experiment.controls import pictures
from phosphene.experiment.controls.control import ControlNotPossibleError


def record_of(content, key):
    return next(c for c in content["controls"] if c["key"] == key)


def values(record):
    return {(s["method"], s["name"]): s["value"] for s in record["scores"]}


def test_controls_of_the_run_are_found_again(controlled, trained):
    expected = {
        (s.method, s.name): s.value
        for s in trained.scores
        if s.name.startswith("class consistency") and s.method == "class label only"
    }
    assert expected
    found = values(record_of(controlled[1], "class_only"))
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_the_prior_keeps_how_often_each_class_is_drawn(controlled, material):
    record = record_of(controlled[1], "prior_only")
    assert record["expected"] == "chance"
    assert [s["name"] for s in record["scores"]] == ["class consistency (shown)"]


def test_a_catalogue_shows_what_the_judge_sees_in_training_pictures(controlled, material):
    (_, arrays), *_ = pictures._drawn(material)
    found = values(record_of(controlled[1], "nearest"))
    method = "any training picture of the decoded class"
    seen = arrays["training_judge"].argmax(1)
    if (seen == arrays["training_labels"]).all():
        assert found[method, "class consistency (decoded)"] == 1.0
    nearest = material.run.read_arrays("controls/nearest_pictures.npz")
    (index,) = nearest.values()
    assert index.max() < len(arrays["training"])
    expected = np.mean(seen[index] == arrays["decoded"])
    assert found["nearest training picture", "class consistency (decoded)"] == pytest.approx(
        expected
    )


def test_runs_without_pictures_are_left_alone(material, copy_run, tmp_path):
    from dataclasses import replace

    run = copy_run(tmp_path / "run")
    for path in run.path.glob("folds/*/generated.npz"):
        path.unlink()
    for control in pictures.CONTROLS:
        with pytest.raises(ControlNotPossibleError, match="drew no pictures"):
            control.tasks(replace(material, run=run))
