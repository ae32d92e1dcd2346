import re

import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.report import write_report
from phosphene.reporting.restorations import describe_restorations

HOSTILE = "<script>alert(1)</script>"
ANCHORS = ("grid", "table", "trend", "times", "tuning", "learning", "scores", "settings", "words")


def html_of(run):
    return write_report(run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(make_restoration_run):
    return make_restoration_run()


@pytest.fixture(scope="module")
def page(run):
    return html_of(run)


def test_other_runs_have_none(finished_run, page):
    assert describe_restorations(read_contents(finished_run)) is None
    html = html_of(finished_run)
    assert 'id="trend"' not in html
    assert ".restored" not in html
    assert 'id="confusion"' not in page
    assert 'id="signals"' not in page


def test_every_section_is_filled(page):
    for anchor in ANCHORS:
        assert page.count(f'id="{anchor}"') == 1
        assert f'href="#{anchor}"' in page
    assert "Better than the others" in page
    assert "drawn as the network learnt such pictures, not recovered" in page
    assert "The run holds no" not in page
    assert "Not there yet" not in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/", "")


def test_the_grid_shows_two_of_each_digit_in_every_form(page):
    body = page.partition('id="grid"')[2].partition("<details")[0]
    assert body.count("<tr>") == 2 + 20
    assert body.count('<img class="pixelated"') == 20 * 6
    assert "at equal time" in body
    assert "corrupted by lower_half+salt_pepper:0.1" in body


def test_the_papers_numbers_stand_beside_ours(page):
    body = page.partition('id="times"')[2].partition("<section")[0]
    for text in ("4:19:52", "6:58:24", "1.61", "2.50", "6:56:40"):
        assert text in body


def test_the_chosen_learning_rate_is_bold(page):
    body = page.partition('id="tuning"')[2].partition("<section")[0]
    assert re.findall(r"<b>(.*?)</b>", body) == ["0.2000"] * 2
    assert "trials of 50 iterations" in body


def test_short_trials_are_no_trainings(run, page):
    names = [stage.name for stage in describe_restorations(read_contents(run)).stages]
    assert names == ["CNN-CNN with bottleneck", "CNN-LSTM"]
    assert "learning rate 0.001" not in page


def test_words_of_restoration_are_explained(page):
    body = page.partition('id="words"')[2]
    assert "Equal iterations, equal time" in body
    assert "Decoded class and shown class" not in body
    assert "favours blurred restorations" in body


def test_a_run_that_has_begun_says_what_is_missing(make_restoration_run):
    page = html_of(make_restoration_run(finished=False))
    for what in ("scores of restored pictures", "losses", "times", "trials of learning rates"):
        assert f"Not there yet: {what}" in page
    assert "Not decided yet" in page
    assert page.count('<img class="pixelated"') == 20 * 2


def test_where_equal_time_changed_nothing_systems_stand_there_once(make_restoration_run):
    run = make_restoration_run()
    systems = run.read_json("folds/pictures/systems.json")
    for system in systems:
        system["iterations_equal_time"] = system["iterations"]
    run.write_json("folds/pictures/systems.json", systems)
    found = describe_restorations(read_contents(run))
    assert found.grid.columns == ("input", "CNN-CNN with bottleneck", "CNN-LSTM", "original")
    assert [group.title for group in found.table.groups] == ["at equal iterations", "beside them"]
    assert len(found.charts) == 1
    assert found.tiles[0][2] == "CNN-LSTM"


def test_names_from_files_are_escaped(make_restoration_run):
    run = make_restoration_run(n=20)
    systems = run.read_json("folds/pictures/systems.json")
    systems[0]["name"] = HOSTILE
    run.write_json("folds/pictures/systems.json", systems)
    config = run.read_json("config.json")
    config["config"]["corruption"] = HOSTILE
    run.write_json("config.json", config)
    for step in (1, 2, 3):
        run.log({"stage": HOSTILE, "step": step, "loss": 1.0 / step})
    page = html_of(run)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
