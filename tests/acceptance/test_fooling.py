"""What docs/fooling.md shows happens: mistakes find what is not there, remedies do not."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PAGE = BENCHMARKS.parent / "docs" / "fooling.md"


@pytest.fixture
def fooling(monkeypatch, tmp_path):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield importlib.import_module("fooling")
    sys.modules.pop("fooling")


@pytest.mark.parametrize(
    ("name", "least"), [("blocked", 0.8), ("random_windows", 0.9), ("averages", 0.9)]
)
def test_a_mistake_finds_what_recordings_held_out_do_not(fooling, tmp_path, name, least):
    for what, _, wrong, _, right in getattr(fooling, name)(tmp_path, 0):
        assert wrong > least, what
        assert right < 0.7, what


def test_the_page_names_every_demonstration(fooling, tmp_path):
    page = PAGE.read_text()
    for name in ("chosen_decoder", "before_the_onset"):
        for what, mistake, wrong, remedy, right in getattr(fooling, name)(tmp_path, 0):
            assert wrong > right
            assert f"| {what} | {mistake} |" in page
            assert f"| {remedy} |" in page
