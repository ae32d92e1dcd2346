import re
from html.parser import HTMLParser

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.headline import ceiling_score, main_score
from phosphene.reporting.report import tiles, write_report
from phosphene.run_dir import RunDir

VOID = {"meta", "img", "br", "col"}
HOSTILE = "<script>alert(1)</script>"
SECTIONS = [
    "pictures",
    "map",
    "confusion",
    "recordings",
    "learning",
    "signals",
    "scores",
    "settings",
    "words",
]


class Page(HTMLParser):
    """Collect tags, addresses and text, and check that tags are closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def html_of(run):
    return write_report(run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def finished_page(finished_run):
    return html_of(finished_run)


def test_a_finished_run_fills_every_section(finished_page):
    page = Page(finished_page)
    ids = [value for name, value in page.attributes if name == "id"]
    assert [key for key in SECTIONS if key not in ids] == []
    assert len(ids) == len(set(ids))  # figures bring their own
    assert "Not there yet" not in finished_page
    assert "The run holds no" not in finished_page
    assert "Still running" not in finished_page
    assert "Pictures show the decoded class, not the picture that was seen" in finished_page


def test_nothing_is_fetched(finished_page):
    page = Page(finished_page)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    addresses = [v for name, v in page.attributes if name in ("src", "href", "xlink:href")]
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in addresses)
    outside = set(re.findall(r"https?://[^\s\"'<]+", finished_page))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "url(http" not in finished_page
    assert "@import" not in finished_page


def test_references_inside_figures_are_found(finished_page):
    ids = set(re.findall(r'id="([^"]+)"', finished_page))
    used = set(re.findall(r'href="#([^"]+)"', finished_page))
    used |= set(re.findall(r"url\(#([^)]+)\)", finished_page))
    assert used <= ids


def test_figures_take_the_colours_of_the_page(finished_page):
    svg = "".join(re.findall(r"<svg.*?</svg>", finished_page, re.DOTALL))
    assert "var(--class-0)" in svg
    assert "#0072b2" not in svg
    assert "prefers-color-scheme: dark" in finished_page


def test_size_stays_small(finished_page, make_run):
    assert len(finished_page) < 1_500_000
    names = tuple(f"class {index}" for index in range(40))
    large = make_run(classes=names, n_chans=32, size=128, color=3, n_trials=400, n_recordings=1)
    assert write_report(large).stat().st_size < 6_000_000


@pytest.mark.parametrize(
    ("stage", "present", "absent"),
    [
        ("started", "Still running: encoder", "decoded trials"),
        ("decoding", "Still running: generator", "generated pictures"),
    ],
)
def test_a_running_run_says_what_is_missing(make_run, stage, present, absent):
    html = html_of(make_run(stage=stage))
    Page(html)
    assert present in html
    assert f"Not there yet: {absent}" in html


def test_an_empty_folder_gives_a_page(tmp_path):
    html = html_of(RunDir.create(tmp_path / "run"))
    Page(html)
    assert "has not said whether it ended" in html


@pytest.mark.parametrize(
    "missing", [("split.json", "evoked.npz"), ("dataset.json", "config.json", "log.jsonl")]
)
def test_any_file_may_be_missing(make_run, missing):
    run = make_run(classes=("a", "b"), size=8, n_trials=40, n_recordings=1)
    for name in missing:
        (run.path / name).unlink()
    Page(html_of(run))


def test_hostile_names_are_text(make_run):
    names = (HOSTILE, '"><img src=x onerror=alert(1)>', "$x_1$ {{ 7 * 7 }}", "😀 & co", "a" * 300)
    run = make_run(classes=names)
    run.write_json("state.json", {"stage": HOSTILE, "finished": False})
    run.write_json("config.json", {"recipe": HOSTILE, "config": {HOSTILE: HOSTILE}})
    scores = run.read_json("scores.json")
    scores[0] |= {"method": HOSTILE, "note": HOSTILE, "unit": HOSTILE}
    run.write_json("scores.json", scores)
    run.log({"stage": HOSTILE, "fold": HOSTILE, "step": 1, HOSTILE: 1.0})
    run.log({"stage": HOSTILE, "fold": HOSTILE, "step": 2, HOSTILE: 2.0})
    html = html_of(run)
    page = Page(html)
    assert "script" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert HOSTILE in " ".join(page.text)
    assert "{{ 7 * 7 }}" in html


def test_a_broken_control_is_the_headline(make_run):
    html = html_of(make_run(classes=("cat", "dog"), n_chans=1, effect=0.0, broken_control=True))
    assert "Do not trust" in html
    assert "Permuted labels decode above chance" in html


def test_tiles_show_the_ceiling_or_else_the_baseline(finished_run, make_run):
    for run, expected in (
        (finished_run, "of the best possible"),
        (make_run(classes=("a", "b"), n_trials=100), "the baseline"),
    ):
        contents = read_contents(run)
        found = tiles(contents, main_score(contents.scores), ceiling_score(contents))
        assert expected in [what for _, what, _ in found]


@pytest.fixture
def compared_run(make_run):
    """Return a run with two encoders' maps and scores of single classes."""
    run = make_run()
    key = next(path.parent.name for path in run.path.glob("folds/*/map.npz"))
    arrays = run.read_arrays(f"folds/{key}/map.npz")
    turned = {"tsne": arrays["tsne"][:, ::-1] * [1, -0.5], "labels": arrays["labels"]}
    run.write_arrays(f"folds/{key}/compare_map.npz", turned)
    scores = run.read_json("scores.json")
    of_all = next(s for s in scores if s["name"] == "IS[domain]" and s["role"] == "result")
    for label in range(10):
        for role, value in (("result", 1.3 + label / 20), ("reference", 1.1)):
            changed = {"name": f"IS of class {label}[domain]", "value": value, "role": role}
            ends = {"low": value - 0.1, "high": value + 0.1, "extractor": "domain"}
            scores.append({**of_all, **changed, **ends, "note": "low is good here"})
    for score in scores:
        if score["name"] == "IS[domain]":
            score["extractor"] = "domain"
    run.write_json("scores.json", scores)
    return run


def test_two_encoders_and_single_classes_are_shown_where_they_are_stored(compared_run):
    html = html_of(compared_run)
    page = Page(html)
    text = " ".join(page.text)
    assert "Through two encoders" in text
    assert "Inception Score of single classes" in text
    assert "Mind that low is good here." in text
    assert "all classes" in text
    assert "IS of class" not in html  # in their own table and in no other
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_a_run_without_them_says_nothing_of_them(finished_page):
    assert "Through two encoders" not in finished_page
    assert "single classes" not in finished_page


def test_paths_between_classes_stand_with_their_scores(make_run):
    run = make_run()
    key = next(path.parent.name for path in run.path.glob("folds/*/pictures.npz"))
    rng = np.random.default_rng(0)
    arrays = {
        "pairs": np.array([[0, 1], [0, 2]]),
        "softmax": rng.integers(0, 256, (2, 11, 8, 8, 1), dtype=np.uint8),
        "softmax_steps": rng.random((2, 10)),
    }
    run.write_arrays(f"folds/{key}/interpolation.npz", arrays)
    base = {"n": 3, "unit": "classes", "section": "pictures", "fold": key, "extractor": "domain"}
    name = "interpolation smoothness[domain]"
    scores = run.read_json("scores.json")
    scores.append({**base, "name": name, "value": 0.625, "low": 0.5, "high": 0.75, "method": "A"})
    scores.append({**base, "name": name, "value": 0.125, "method": "elsewhere", "fold": "zz"})
    run.write_json("scores.json", scores)
    html = html_of(run)
    text = " ".join(" ".join(Page(html).text).split())
    assert "Between classes" in text
    assert "2 lines and 11 pictures of each" in text
    assert "one high bar is a jump" in text
    assert "Interpolation smoothness[domain]: A 0.625 (0.500 to 0.750)." in text
    assert 'aria-label="Pictures along lines between classes"' in html
    assert "the steepest tenth of the way" in text  # explained in words, too
    assert "of the way of the pictures" not in text


def test_without_paths_nothing_is_said_of_them(finished_page):
    assert "Between classes" not in finished_page
