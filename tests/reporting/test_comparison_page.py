import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from phosphene.reporting.comparison import compare_runs
from phosphene.reporting.comparison_page import (
    comparison_markdown,
    comparison_to_json,
    render_comparison,
    write_comparison,
)
from phosphene.reporting.comparison_runs import read_run

HOSTILE = "<script>alert(1)</script>|x"
VOID = {"meta", "img", "br"}


@pytest.fixture
def comparison(write_result, tmp_path):
    runs = [
        *(write_result(tmp_path / f"a{k}", seed=k, value=0.6 + 0.2 * k) for k in range(2)),
        write_result(tmp_path / "b", recipe="b_2021", draws=False),
    ]
    failures = [("c_2022-quick-seed0", "this recipe needs pictures.")]
    return compare_runs([read_run(run) for run in runs], failures=failures)


class Balanced(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.open, self.text = [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def _page(comparison):
    return render_comparison(comparison, written=datetime(2026, 1, 2, tzinfo=UTC))


def test_page_is_closed_and_self_contained(comparison):
    page = _page(comparison)
    text = " ".join(Balanced(page).text)
    for word in ("2 systems side by side", "0.700", "2 seeds", "What they draw", "Controls"):
        assert word in text
    assert "this recipe needs pictures." in text
    assert not re.findall(r'(?:src|href)="(?!data:image/png|#)', page)
    assert "prefers-color-scheme: dark" in page


def test_hostile_text_is_escaped_everywhere(write_result, tmp_path):
    fields = {"recipe": HOSTILE, "dataset": {"name": HOSTILE, "classes": [HOSTILE, "b"]}}
    found = compare_runs([read_run(write_result(tmp_path / "r", **fields))])
    page, markdown = _page(found), comparison_markdown(found)
    assert "<script" not in page
    assert "<script" not in markdown
    assert "|x" not in markdown.replace("\\|x", "")
    Balanced(page)


def test_markdown_rows_have_as_many_cells_as_their_heads(comparison):
    tables = re.findall(r"(?:^\|.*\n?)+", comparison_markdown(comparison), re.MULTILINE)
    assert len(tables) == 4
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "| fake\\_2020 quick (2 seeds) | 0.700; 0.600 to 0.800;" in tables[0]


def test_json_holds_every_seed_and_the_mean(comparison):
    found = json.loads(json.dumps(comparison_to_json(comparison), allow_nan=False))
    system = found["systems"][0]
    accuracy = system["values"]["decoding"]["balanced accuracy"]
    assert accuracy["value"] == pytest.approx(0.7)
    assert [(one["run"], one["seed"]) for one in accuracy["each"]] == [("a0", 0), ("a1", 1)]
    assert [one["value"] for one in accuracy["each"]] == pytest.approx([0.6, 0.8])
    assert [run["name"] for run in system["runs"]] == ["a0", "a1"]
    assert "seed" not in system["settings"]
    assert found["systems"][1]["values"]["pictures"] == {}
    (real,) = found["references"]
    assert real["values"]["pictures"]["IS[domain]"]["value"] == 1.9
    assert found["failures"] == [
        {"run": "c_2022-quick-seed0", "reason": "this recipe needs pictures."}
    ]


def test_writes_three_files(comparison, tmp_path):
    page = write_comparison(comparison, tmp_path / "out", stem="ablation")
    assert page == tmp_path / "out" / "ablation.html"
    names = sorted(path.name for path in page.parent.iterdir())
    assert names == ["ablation.html", "ablation.json", "ablation.md"]


def test_a_decoder_alone_has_a_page(write_result, tmp_path):
    page = _page(compare_runs([read_run(write_result(tmp_path / "r", draws=False))]))
    assert "What they draw" not in page
    assert "fake_2020 quick, alone" in page


def test_a_control_that_finds_something_is_an_alarm_on_the_first_screen(write_result, tmp_path):
    runs = [write_result(tmp_path / "a"), write_result(tmp_path / "b", recipe="b_2021", noise=0.95)]
    page = _page(compare_runs([read_run(run) for run in runs]))
    assert "<b>b_2021 quick</b>: a control finds what it must not find" in page
    assert "<b>fake_2020 quick</b>: a control" not in page
    assert page.count('class="dots-row result outside"') == 2  # decoding, and its pictures
