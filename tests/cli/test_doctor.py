import json
import sys

import pytest

from phosphene.cli import doctor, examination
from phosphene.cli.examination import Finding
from phosphene.cli.main import main

GOOD = Finding(section="software", name="numpy", value="2.4.6")
SLOW = Finding(
    section="torch", name="threads", value="1", state="trouble", why="One.", remedy="unset X"
)
GONE = Finding(
    section="software", name="mne", value="-", state="missing", why="No mne.", remedy="pip mne"
)
EXTRA = Finding(
    section="optional", name="bids", value="-", state="optional", why="No.", remedy="pip bids"
)


@pytest.fixture
def finds(monkeypatch):
    """Set what the examination finds."""
    return lambda *findings: monkeypatch.setattr(doctor, "examine", lambda: list(findings))


def test_this_environment_has_all_that_is_needed(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for name in ("python", "phosphene", "torch", "numpy", "mne", "cores", "memory", "disk, here"):
        assert f" {name} " in out
    assert out.splitlines()[-1] == "next    phosphene demo"


@pytest.mark.parametrize(
    ("findings", "code"), [((GOOD, SLOW, EXTRA), 0), ((GOOD, GONE, SLOW, EXTRA), 1)]
)
def test_only_what_is_needed_fails(finds, capsys, findings, code):
    finds(*findings)
    assert main(["doctor"]) == code
    out = capsys.readouterr().out
    assert "trouble: One.\n    unset X" in out
    assert "software  numpy             2.4.6\n" in out
    assert main(["doctor", "--json"]) == code
    content = json.loads(capsys.readouterr().out)
    assert content["ok"] == (code == 0)
    assert [finding["name"] for finding in content["findings"]] == [f.name for f in findings]


def test_what_stops_commands_comes_first(finds, capsys):
    finds(EXTRA, SLOW, GONE)
    main(["doctor"])
    out = capsys.readouterr().out
    assert out.index("missing: No mne.") < out.index("trouble: One.") < out.index("optional: No.")


def test_a_terminal_gets_a_table(finds, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    finds(GOOD, SLOW)
    assert main(["doctor"]) == 0
    assert "part" in capsys.readouterr().out


def test_it_prints_without_rich(finds, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    finds(GOOD)
    doctor.doctor()
    assert "numpy" in capsys.readouterr().out


def test_a_broken_torch_is_reported(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "probe_torch", lambda: {"error": "OSError: libc10.so"})
    monkeypatch.setattr(examination, "nvidia_gpu", lambda: None)
    assert main(["doctor"]) == 1
    assert "missing: torch cannot be imported (OSError: libc10.so)" in capsys.readouterr().out
