import json
from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.splits import k_fold
from phosphene.evaluation.verdict import Measured
from phosphene.experiment.controls.control import OPEN, Found
from phosphene.experiment.controls.evidence import (
    constant_group,
    evidence_to_json,
    gather_evidence,
)


def found(value, *, p_value=0.5, expected=None):
    measured = Measured(name="any", value=value, chance=0.5, p_value=p_value)
    return Found(scores=[], measured=measured, expected=expected)


def refuse(name):
    raise AssertionError(name)


def test_what_was_not_measured_is_left_out(material):
    evidence = gather_evidence(material, {}, refuse)
    assert evidence.window_wise is evidence.group_wise is evidence.recording_decoding is None
    assert evidence.nuisances == evidence.retrained == ()
    assert evidence.n_units == len(material.decoded["row"])
    assert evidence.n_recordings == len(np.unique(material.decoded["recording"]))
    assert evidence.score.name == "the run's decoder, AUC"


def test_a_run_that_mixes_recordings_is_judged_with_recordings_held_out(material):
    rows = np.arange(len(material.trials))
    rng = np.random.default_rng(0)
    guesses = rng.dirichlet(np.ones(material.trials.n_classes), len(rows))
    mixed = replace(material, folds=k_fold(material.trials, 3).folds)
    mixed.__dict__["decoded"] = material.decoded
    measured = {"window_wise": found(0.99), "encoder_nulls": Found(scores=[], details={})}
    arrays = {"probabilities": guesses, "row": rows}
    evidence = gather_evidence(mixed, measured, lambda name: arrays)
    assert evidence.score.name == "shrinkage LDA with recordings held out, AUC"
    assert evidence.score.value == pytest.approx(0.5, abs=0.1)
    assert evidence.window_wise.value == 0.99


def test_controls_that_may_exceed_chance_accuse_nobody(material):
    measured = {
        "pre_stimulus": found(0.9),
        "moved_labels": found(0.9, expected=OPEN),
        "surrogate": found(0.9),
    }
    evidence = gather_evidence(material, measured, refuse)
    assert evidence.nuisances == (measured["pre_stimulus"].measured,)


def test_nulls_of_the_encoder_widen_the_p_value(material):
    plain = gather_evidence(material, {}, refuse)
    nulls = Found(scores=[], details={"z": [8.0, -8.0] * 10, "of_all_folds": [0.9, 0.1]})
    wide = gather_evidence(material, {"encoder_nulls": nulls}, refuse)
    assert wide.retrained == (0.9, 0.1)
    assert wide.score.p_value > plain.score.p_value


@pytest.mark.parametrize("group", ["recording", "subject", ""])
def test_the_smallest_group_of_one_class_is_named(material, group):
    trials = material.trials
    names = trials.table[group].to_numpy(dtype=str) if group else np.arange(len(trials)) % 2
    labels = np.unique(names, return_inverse=True)[1].astype(np.int64) % 2
    table = trials.table.assign(label=labels)
    dataset = replace(material.dataset, trials=replace(trials, table=table))
    expected = "recording" if group else ""  # recordings of one subject hold its class alone
    assert constant_group(replace(material, dataset=dataset)) == expected


def test_evidence_is_plain_json(material):
    content = evidence_to_json(gather_evidence(material, {}, refuse))
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again["score"]["value"] == content["score"]["value"]
    assert again["nuisances"] == []
