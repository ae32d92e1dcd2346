from dataclasses import replace

import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.report import write_report
from phosphene.reporting.responses import describe_responses
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json

HOSTILE = "<script>alert(1)</script>"
RANK = Score(
    name="picture specificity (rank), test pictures",
    value=0.7,
    low=0.65,
    high=0.75,
    n=24,
    unit="pictures",
    chance=0.5,
    chance_low=0.4,
    chance_high=0.6,
    section="signals",
    method="pre-trained GAN",
    note="the other half; excess over real data 0.3",
)
DISTANCE = replace(RANK, name="Fréchet distance[raw], test pictures", value=12.5)
TRAIN = replace(DISTANCE, name="Fréchet distance[raw], training pictures")
ANCHORS = ("table", "windows", "amplitudes", "spectra", "correlations", "single", "autoencoders")


def html_of(run):
    return write_report(run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(make_signal_run):
    slopes = {"pre-trained GAN": 0.8, "noise": 0.0}
    return make_signal_run(scores_to_json([RANK, DISTANCE, TRAIN]), **slopes)


@pytest.fixture(scope="module")
def page(run):
    return html_of(run)


def test_other_runs_have_none(finished_run, page):
    assert describe_responses(read_contents(finished_run)) is None
    html = html_of(finished_run)
    assert 'id="spectra"' not in html
    assert ".quarters" not in html
    assert 'id="confusion"' in html
    assert 'id="confusion"' not in page


def test_every_section_is_filled(page):
    for anchor in ANCHORS:
        assert page.count(f'id="{anchor}"') == 1
        assert f'href="#{anchor}"' in page
    assert "Specific to the picture" in page
    assert "draw from a model, not a recording" in page
    assert "no clipping" in page
    assert "Scores on training pictures" in page
    missing = page.count("The run holds no")
    assert missing == 2  # no log, and no averages of the recording
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/", "")


def test_figures_take_the_colours_of_the_page(page):
    assert "var(--class-0)" in page
    assert "#1c1f24" not in page.partition("</style>")[2]


def test_scores_are_divided_by_the_pictures_they_are_about(run):
    found = describe_responses(read_contents(run))
    assert found.scores == [RANK, DISTANCE]
    assert found.training_scores == [TRAIN]
    assert found.channels == ("LFP0", "LFP5")
    assert [panels.of for panels in found.amplitudes.first] == ["test", "test"]
    assert [panels.of for panels in found.spectra.further] == ["train", "train"]


def test_a_run_that_has_just_begun_says_what_is_missing(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_json("split.json", {"unit": "stimulus", "folds": [{"key": "pictures"}]})
    run.write_json("state.json", {"stage": "autoencoders", "finished": False})
    html = html_of(run)
    assert "No signals are scored yet" in html
    assert "Not there yet: spectra" in html
    assert "decoded trials" not in html


def test_names_from_files_are_text(make_signal_run):
    run = make_signal_run(scores_to_json([replace(RANK, method=HOSTILE)]), **{HOSTILE: 0.5})
    names = [HOSTILE, *(f"{HOSTILE}{number}" for number in range(5))]
    run.write_json("dataset.json", {"ch_names": names, "sfreq": "fast"})
    html = html_of(run)
    assert "<script" not in html
    assert "&lt;script" in html
