import json

import numpy as np
import pytest

from phosphene.audit.audit import CHECKS, run_audit


def test_every_check_is_either_made_or_explained(make_source, make_split):
    source = make_source()
    report = run_audit(source)
    named = [*report.done, *(name for name, _ in report.not_done)]
    assert sorted(named) == sorted(name for name, _ in CHECKS)
    reasons = dict(report.not_done)
    assert reasons["pictures on both sides"] == "no split was named (--split)"
    split = make_split(source, source.table["recording"].to_numpy(str), unit="recording")
    reasons = dict(run_audit(source, split=split).not_done)
    assert reasons["pictures on both sides"] == "the data do not say which picture a trial showed"


def test_a_report_describes_the_data_and_is_plain_json(make_source, make_split):
    source = make_source(n_recordings=3, n_trials=20)
    split = make_split(source, np.arange(60) % 4)
    said = json.loads(json.dumps(run_audit(source, split=split).to_json(), allow_nan=False))
    about = said["about"]
    assert (about["n_trials"], about["n_recordings"], about["n_subjects"]) == (60, 3, 1)
    assert about["n_blocks"] is None
    assert about["unit"] == "trial"
    assert about["split"] == {"unit": "trial", "n_folds": 4, "leak_reason": None, "doubt": None}


def test_the_same_seed_finds_the_same(make_source):
    labels = np.tile(np.arange(30) % 2, 4)
    source = make_source(labels=labels)
    assert run_audit(source, seed=3).to_json() == run_audit(source, seed=3).to_json()
    assert run_audit(source, seed=3).severe


def test_a_split_of_other_data_is_refused(make_source, make_split):
    split = make_split(make_source(n_trials=40), np.arange(160) % 2)
    with pytest.raises(ValueError, match="a split must belong to the data"):
        run_audit(make_source(n_trials=20), split=split)


def test_one_class_is_audited_for_what_it_can_be(make_source, make_split):
    """Pictures told apart one by one, as in LFP of natural scenes, have one class."""
    source = make_source(labels=np.zeros(120), n_classes=1, stimulus=np.arange(120).astype(str))
    report = run_audit(source, split=make_split(source, np.arange(120) % 5))
    assert {finding.kind for finding in report.findings} == {"shared_recording"}
    reasons = dict(report.not_done)
    assert reasons["class from the signal's mean"] == "there is one class only"
