import pytest

from phosphene.reporting.comparison_runs import read_run
from phosphene.reporting.comparison_systems import group_runs
from phosphene.reporting.comparison_verdicts import verdict_block
from phosphene.score import Score, scores_to_json


def content(*, value=0.5, passed=True, claim="decodes above chance on held-out recordings"):
    """Return what controls.json holds with one control in it."""
    score = Score(name="balanced accuracy", value=value, n=6, unit="recordings", role="control")
    control = {
        "key": "noise_input",
        "title": "Noise input",
        "what": "",
        "decoder": "",
        "expected": "chance",
        "outcome": "at chance" if passed else "above chance",
        "passed": passed,
        "p_value": None,
        "scores": scores_to_json([score]),
        "details": {},
        "note": "",
    }
    verdict = {"claim": claim, "because": ["the AUC says so."]}
    return {"verdict": verdict, "controls": [control], "not_run": []}


@pytest.fixture
def block_of(write_result, tmp_path):
    def block_of(*contents):
        runs = []
        for seed, value in enumerate(contents):
            run = write_result(tmp_path / f"r{seed}", seed=seed)
            if value is not None:
                run.write_json("controls.json", value)
            runs.append(read_run(run))
        return verdict_block(group_runs(runs))

    return block_of


def test_without_controls_there_is_no_column(block_of):
    assert block_of(None, None).columns == ()


def test_a_run_has_its_verdict_and_the_numbers_of_its_controls(block_of):
    block = block_of(content())
    assert [column.key for column in block.columns] == ["verdict", "noise_input"]
    (line,) = block.lines
    assert line.cells[0].text == "decodes above chance on held-out recordings"
    assert (line.cells[1].text, line.cells[1].state) == ("0.500", "inside")
    assert block.remarks == ("r0: The AUC says so.",)


def test_seeds_that_disagree_are_counted(block_of):
    other = content(value=0.7, passed=False, claim="not distinguishable from chance")
    (line,) = block_of(content(), other, None).lines
    assert "(1 of 2 seeds)" in line.cells[0].text
    assert line.cells[1].text == "0.500, 0.700"
    assert line.cells[1].state == "outside"


def test_an_explanation_by_the_recording_is_an_alarm(block_of):
    claim = "explained by the recording, not by the picture"
    (line,) = block_of(content(claim=claim)).lines
    assert line.cells[0].state == "alarm"
