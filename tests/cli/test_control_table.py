import json

import pytest

from phosphene.cli.control_table import curve_words, print_controls
from phosphene.score import Score, scores_to_json


@pytest.fixture
def content():
    score = Score(
        name="balanced accuracy", value=0.512, low=0.4, high=0.6, n=6, unit="recordings",
        chance_low=0.45, chance_high=0.55, role="control", method="noise input: net",
    )  # fmt: skip
    bare = Score(name="AUC", value=0.7, n=6, unit="recordings", method="[bold]own")
    shared = {"expected": "chance", "outcome": "at chance", "passed": True}
    curve = [{"trials": 1, "value": 0.6}, {"trials": 2, "value": 0.7, "window_wise": 0.9}]
    return {
        "controls": [
            {"title": "Noise input", "scores": scores_to_json([score]), "details": {}, **shared},
            {
                "title": "Repetitions averaged",
                "scores": scores_to_json([bare]),
                "details": {"curve": curve, "horizontal": "trials averaged"},
                **shared,
            },
        ],
        "not_run": [{"title": "Pre-stimulus window", "why": "there are no recordings"}],
        "verdict": {"claim": "cannot be judged", "because": ["too few recordings."]},
    }


def test_prints_controls_verdict_and_what_was_not_done(content, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")  # of a narrow terminal the table folds its words
    print_controls(content)
    said = " ".join(capsys.readouterr().out.split())
    assert "0.400–0.600" in said
    assert "0.450–0.550" in said
    assert "not run: Pre-stimulus window: there are no recordings." in said
    assert "verdict cannot be judged too few recordings." in said
    assert "by trials averaged, 1: 0.600, 2: 0.700 (window-wise 0.900)" in said
    assert "[bold]own" in said


def test_json_is_all_there_is(content, capsys):
    print_controls(content, as_json=True)
    assert json.loads(capsys.readouterr().out) == content


def test_a_control_without_a_curve_has_no_words(content):
    assert curve_words(content["controls"][0]) == []
