import json
from datetime import UTC, datetime

import pytest

from phosphene.audit.finding import AuditReport, Finding
from phosphene.reporting.audit_page import render_audit, write_audit_page

WRITTEN = datetime(2026, 1, 2, tzinfo=UTC)
ABOUT = {
    "n_trials": 30,
    "classes": ["houses", "<b>faces</b>"],
    "trials_per_class": [16, 14],
    "n_chans": 4,
    "n_times": 100,
    "sfreq": 128.0,
    "n_recordings": 3,
    "name": "n170",
    "kind": "data set",
    "split_in_words": "single windows shared among folds",
}


def finding(**fields):
    values = {
        "kind": "duplicated_trials",
        "severity": "severe",
        "title": "2 trials are copies",
        "evidence": {"test_trials": 30, "share": 0.123456, "pairs": [[1, 2], [3, 4]]},
        "effect": "It reads 0.9.",
        "remedy": "Remove them.",
        "trials": (1, 2),
        "n_trials": 25,
    }
    return Finding(**{**values, **fields})


def report(*findings, not_done=()):
    return AuditReport(tuple(findings), ("raw sample ranges",), tuple(not_done), ABOUT).to_json()


def test_page_has_findings_with_evidence_effect_and_remedy():
    page = render_audit(
        report(finding(), finding(kind="class_imbalance", severity="note"), not_done=[("x", "y")]),
        written=WRITTEN,
    )
    assert "<title>n170: 1 severe finding, a score would lie · Phosphene</title>" in page
    for text in ("duplicated trials", "It reads 0.9.", "Remove them.", "0.1235", "1–2; 3–4"):
        assert text in page
    assert "25; rows 1, 2, …" in page
    assert "not checked: y" in page
    assert page.index('class="card finding severe"') < page.index('class="card finding note"')


def test_what_comes_from_files_is_escaped():
    page = render_audit(report(finding(title="<script>alert(1)</script>")), written=WRITTEN)
    assert "<script>" not in page
    assert "&lt;b&gt;faces" in page


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ((), "nothing was found"),
        ((finding(severity="warning"), finding(severity="warning")), "nothing severe, 2 warnings"),
        ((finding(), finding()), "2 severe findings"),
    ],
)
def test_title_says_how_bad_it_is(findings, words):
    assert words in render_audit(report(*findings), written=WRITTEN)


def test_page_is_written_from_stored_json(tmp_path):
    stored = json.loads(json.dumps(report(finding())))
    write_audit_page(stored, tmp_path / "deep" / "audit.html")
    write_audit_page(stored, tmp_path / "deep" / "audit.html")
    page = (tmp_path / "deep" / "audit.html").read_text()
    assert page.count("<!doctype html>") == 1
    assert "http" not in page.split("<style>")[1].split("</style>")[0]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["audit.html"]


def test_other_json_is_refused():
    with pytest.raises(ValueError, match="run `phosphene audit` again"):
        render_audit({**report(), "counts": {"severe": "none"}}, written=WRITTEN)
