import json

import pytest

from phosphene.cli.compare import recipes_of
from phosphene.cli.main import main


@pytest.fixture
def runs(write_result, tmp_path):
    """Two systems, one of them with two seeds: their folders."""
    return [
        str(write_result(tmp_path / "a0", seed=0, value=0.6).path),
        str(write_result(tmp_path / "a1", seed=1, value=0.8).path),
        str(write_result(tmp_path / "b", recipe="b_2021", draws=False, noise=0.95).path),
    ]


def test_prints_a_table_of_each_kind(runs, capsys):
    assert main(["compare", *runs]) == 0
    text = capsys.readouterr().out
    for part in ("Decoding", "Pictures", "Controls", "Size and speed", "2 seeds", "0.700"):
        assert part in text
    assert "b: noise input: net, balanced accuracy: 0.950" in text
    assert text.splitlines()[-1].startswith("next    the same command with --out")


def test_wide_tables_are_cut_into_parts_that_keep_every_column(runs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    assert main(["compare", *runs]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 70
    assert sum("k-means accuracy" in line for line in lines) == 1


def test_json_is_all_there_is_on_stdout(runs, capsys):
    assert main(["compare", *runs, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(s["label"], s["n_seeds"]) for s in found["systems"]] == [
        ("fake_2020 quick", 2),
        ("b_2021 quick", 1),
    ]


def test_out_gets_markdown_page_and_json(runs, tmp_path, capsys):
    assert main(["compare", *runs, "--out", str(tmp_path / "out")]) == 0
    assert f"page    {tmp_path}/out/comparison.html" in capsys.readouterr().out
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["comparison.html", "comparison.json", "comparison.md"]


def test_published_numbers_are_quoted_apart(fake, runs, capsys):
    assert main(["compare", *runs]) == 0
    before, _, published = capsys.readouterr().out.partition("As published, not comparable")
    assert "Inception Score" not in before
    assert "6.78" in published


def test_recipes_of_another_version_are_passed_over(fake):
    assert recipes_of(["gone_1999", "fake_2020", "fake_2020"]) == [fake.recipe]


def test_a_refusal_is_one_sentence_and_writes_nothing(write_result, runs, tmp_path, capsys):
    other = write_result(tmp_path / "c", recipe="c_2022", environment={"data_hash": "e" * 16})
    words = ["compare", *runs, str(other.path), "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert "must be of the same data; a0 has data with the hash" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    assert main(["compare", str(tmp_path / "none")]) == 1
    assert "There is no such folder." in capsys.readouterr().err
