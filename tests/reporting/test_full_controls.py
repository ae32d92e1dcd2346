import pytest

from phosphene.reporting.full_controls import read_full_controls
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json


def record(key="noise_input", *, value=0.5, passed=True, details=None, name="balanced accuracy"):
    score = Score(
        name=name, value=value, low=0.4, high=0.6, n=6, unit="recordings", chance=0.5,
        chance_low=0.45, chance_high=0.55, role="control", method="noise input: net",
    )  # fmt: skip
    return {
        "key": key,
        "title": key.replace("_", " ").capitalize(),
        "what": "Signals are <b>noise</b>.",
        "decoder": "the run's own",
        "expected": "chance",
        "outcome": "at chance" if passed else "above chance",
        "passed": passed,
        "p_value": 0.3,
        "scores": scores_to_json([score]),
        "details": details or {},
        "note": "",
    }


def content(*records, claim="decodes above chance on held-out recordings"):
    return {
        "verdict": {"claim": claim, "because": ["the AUC says so."]},
        "controls": list(records),
        "not_run": [{"key": "x", "title": "Pre-stimulus window", "why": "no recordings"}],
    }


@pytest.fixture
def read(tmp_path):
    def read(value):
        run = RunDir(tmp_path)
        run.write_json("controls.json", value)
        return read_full_controls(run)

    return read


def test_without_controls_there_is_nothing(tmp_path):
    assert read_full_controls(RunDir(tmp_path)) is None


def test_verdict_controls_and_what_is_missing(read):
    found = read(content(record()))
    assert (found.level, found.because) == ("decoded", ("The AUC says so.",))
    (control,) = found.controls
    assert control.lines[0][2] == "0.500"
    assert control.p_value == "0.3"
    assert found.not_run == (("Pre-stimulus window", "no recordings"),)
    assert found.alarming == ()
    assert [row.label for row in found.chart.rows] == ["Noise input"]


@pytest.mark.parametrize(
    ("claim", "level"),
    [
        ("explained by the recording, not by the picture", "alarm"),
        ("not distinguishable from chance", "chance"),
        ("cannot be judged", "chance"),
    ],
)
def test_claims_are_marked_by_what_they_say(read, claim, level):
    assert read(content(record(), claim=claim)).level == level


def test_a_control_above_chance_is_named(read):
    found = read(content(record(value=0.7, passed=False), record("clock")))
    assert found.alarming == ("Noise input",)
    assert [row.alarm for row in found.chart.rows] == [True, False]


def test_other_classes_and_other_numbers_are_not_in_the_chart(read):
    found = read(content(record("recording_index"), record("prior", name="class consistency")))
    assert found.chart is None
    assert len(found.controls) == 2


def test_curves_are_shown_point_by_point(read):
    details = {
        "horizontal": "filter",
        "curve": [{"filter": "1-45 Hz", "value": 0.61, "window_wise": 0.9}],
    }
    (control,) = read(content(record("filters", details=details))).controls
    assert control.across == "filter"
    assert control.curve == (("1-45 Hz", "0.610 (window-wise 0.900)"),)


@pytest.mark.parametrize("curve", ["text", [1, 2], [{"value": "x"}], [{}]])
def test_what_is_no_curve_is_left_out(read, curve):
    details = {"horizontal": "filter", "curve": curve}
    assert read(content(record(details=details))).controls[0].curve == ()


@pytest.mark.parametrize(
    "change", [{"verdict": "good"}, {"controls": [{"key": 1}]}, {"not_run": "none"}]
)
def test_an_edited_file_is_refused(read, change):
    with pytest.raises(ValueError, match="do the controls again"):
        read({**content(record()), **change})


def test_the_page_shows_the_verdict_and_escapes_what_it_reads(tmp_path, read):
    from datetime import UTC, datetime

    from phosphene.reporting.contents import read_contents
    from phosphene.reporting.report import render

    read(content(record()))
    page = render(read_contents(RunDir(tmp_path)), written=datetime(2020, 1, 1, tzinfo=UTC))
    assert "Decodes above chance on held-out recordings" in page
    assert "Verdict of the" in page
    assert "Signals are &lt;b&gt;noise&lt;/b&gt;." in page
    assert "Pre-stimulus window: no recordings." in page
