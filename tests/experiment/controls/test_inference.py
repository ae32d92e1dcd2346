from dataclasses import replace

import numpy as np
import pytest

from phosphene.experiment.controls import inference
from phosphene.experiment.controls.control import ControlNotPossibleError


def record_of(content, key):
    return next(c for c in content["controls"] if c["key"] == key)


def test_the_loaded_encoder_decodes_as_the_run_did(material):
    fold = material.folds[0]
    system = inference.load_encoder(material, fold)
    stored = material.run.read_arrays(f"folds/{fold.key}/decoding.npz")
    _, test = fold.indices(material.trials)
    features = system.features(np.asarray(material.trials.epochs[test]))
    np.testing.assert_allclose(features, stored["features"], atol=1e-4)


def test_the_curve_begins_with_the_single_trials_of_the_run(controlled, material):
    record = record_of(controlled[1], "averaging")
    curve = record["details"]["curve"]
    assert [point["trials"] for point in curve][:2] == [1, 2]
    scores = material.scores(material.own(), method="own")
    assert curve[0]["value"] == pytest.approx(scores[0].value)
    assert curve[0]["n"] == len(material.decoded["row"])
    assert curve[1]["n"] <= curve[0]["n"] // 2


def test_surrogates_are_decoded_otherwise(controlled, material):
    record = record_of(controlled[1], "surrogate")
    assert record["passed"] is None
    own = material.run.read_arrays(f"controls/signals-{material.folds[0].key}.npz")
    assert not np.allclose(own["surrogate"], own["average_1"])


def test_without_a_plan_there_is_no_encoder(material):
    with pytest.raises(ControlNotPossibleError, match="does not say how its encoder is made"):
        inference.need_plan(replace(material, plan=None))
    with pytest.raises(ControlNotPossibleError):
        inference.SURROGATE.tasks(replace(material, plan=None))


def test_without_checkpoints_nothing_is_trained(material, copy_run, tmp_path):
    import shutil

    run = copy_run(tmp_path / "run")
    shutil.rmtree(run.path / "folds" / material.folds[-1].key / "encoder")
    other = replace(material, run=run)
    with pytest.raises(ControlNotPossibleError, match="keeps no checkpoint"):
        inference.AVERAGING.tasks(other)
    with pytest.raises(ControlNotPossibleError, match="keeps no checkpoint"):
        inference.load_encoder(other, material.folds[-1])
    assert not (run.path / "folds" / material.folds[-1].key / "encoder").exists()
