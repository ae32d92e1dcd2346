import json

import numpy as np
import pytest

from phosphene.audit.finding import KINDS, AuditReport, Finding, first_rows


def finding(kind, severity, **rest):
    said = {"title": "t", "effect": "e", "remedy": "r", **rest}
    return Finding(kind=kind, severity=severity, **said)


def test_a_report_begins_with_the_worst():
    found = [
        finding("shared_subject", "note"),
        finding("class_from_mains", "severe"),
        finding("class_imbalance", "warning"),
        finding("shared_block", "severe"),
    ]
    report = AuditReport(tuple(found), ("a",), (("b", "why"),), {"n": np.int64(3)})
    assert [f.kind for f in report.findings] == [
        "shared_block",
        "class_from_mains",
        "class_imbalance",
        "shared_subject",
    ]
    assert [f.kind for f in report.severe] == ["shared_block", "class_from_mains"]
    assert report.to_json()["counts"] == {"severe": 2, "warning": 1, "note": 1}


def test_numbers_of_numpy_become_plain_json():
    rows = np.arange(100)
    found = finding(
        "shared_block",
        "severe",
        evidence={"a": np.float32(0.5), "b": np.array([1, 2]), "c": [np.int64(3), "x"]},
        trials=first_rows(rows),
        n_trials=len(rows),
    )
    report = AuditReport((found,), (), (("b", "no times"),), {"shape": (np.int64(2), 3)})
    stored = json.loads(json.dumps(report.to_json()))
    assert stored["findings"][0]["evidence"] == {"a": 0.5, "b": [1, 2], "c": [3, "x"]}
    assert stored["findings"][0]["trials"] == list(range(20))
    assert stored["findings"][0]["n_trials"] == 100
    assert stored["about"] == {"shape": [2, 3]}
    assert stored["not_done"] == [{"check": "b", "why": "no times"}]


def test_kinds_and_severities_are_known_ones():
    with pytest.raises(ValueError, match=r"kind.*Did you mean 'shared_block'"):
        finding("shared_blok", "severe")
    with pytest.raises(ValueError, match="severity"):
        finding("shared_block", "fatal")
    report = AuditReport((), (), (), {})
    with pytest.raises(ValueError, match="severity"):
        report.count("fatal")
    assert len(KINDS) == len(set(KINDS))
