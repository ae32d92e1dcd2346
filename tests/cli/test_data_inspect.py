import json
import shlex

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from phosphene.cli import data_import, data_inspect


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """A folder with one recording: 50 Hz mains, a flat channel, and a gap."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    times = np.arange(5120) / 256
    table = pd.DataFrame({"timestamps": times + 0.5 * (times > 15)})
    for channel in ("TP9", "AF7", "AF8", "TP10"):
        table[channel] = rng.normal(30, 10, 5120) + 5 * np.sin(2 * np.pi * 50 * times)
    table["AF7"] = 3.0
    table["Marker0"] = 0
    table.loc[200::300, "Marker0"] = [1 + i % 2 for i in range(len(table.loc[200::300]))]
    folder = tmp_path / "my raw" / "subject1"
    folder.mkdir(parents=True)
    table.to_csv(folder / "a.csv", index=False, float_format="%.4f")
    return folder.parent


def inspect_json(capsys, *words):
    data_inspect.main([*map(str, words), "--json"])
    return json.loads(capsys.readouterr().out)


def test_describes_raw_recordings(raw, capsys):
    found = inspect_json(capsys, raw)["recordings"][0]
    assert (found["sfreq"], found["mains"]) == (256, 50)
    assert len(found["gaps_s"]) == 1
    assert [c["problem"] for c in found["channels"]] == ["", "flat", "", ""]
    assert [code["n"] for code in found["events"].values()] == [9, 8]


def test_the_command_it_names_runs(raw, capsys):
    data_inspect.main(["my raw"])
    out = capsys.readouterr().out
    assert "mains 50 Hz" in out
    assert "flat" in out
    command = out.splitlines()[-1].removeprefix("next    ")
    words = shlex.split(command)
    assert words[:3] == ["phosphene", "data", "import"]
    assert words[-2:] == ["--drop-channels", "AF7"]
    data_import.main(words[3:])
    capsys.readouterr()
    data_inspect.main([words[words.index("--out") + 1], "--no-figure"])
    out = capsys.readouterr().out
    assert "1 rejected: gap in the time stamps" in out
    assert "--data 'data/my raw'" in out


def test_describes_a_data_set_and_draws_it_beside(raw, tmp_path, capsys):
    data_import.main(
        [str(raw), "--out", "data/x", "--events", "1=a", "2=b", "--drop-channels", "AF7"]
    )
    capsys.readouterr()
    before = sorted((tmp_path / "data/x").rglob("*"))
    found = inspect_json(capsys, "data/x")
    assert sum(found["per_class"].values()) == found["n_trials"]
    assert found["figure"] == "data/x.png"
    with Image.open("data/x.png") as figure:
        assert figure.width > 1000
    assert sorted((tmp_path / "data/x").rglob("*")) == before
    data_inspect.main(["data/x"])
    out = capsys.readouterr().out
    assert "figure  data/x.png" in out
    assert "next    phosphene train" in out


def test_counts_pictures(tmp_path, capsys):
    for name in ("a/1", "a/2", "b/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (9, 9)).save(tmp_path / f"{name}.png")
    found = inspect_json(capsys, tmp_path)
    assert found["per_class"] == {"a": 2, "b": 1}
    assert (found["width"], found["color"]) == (9, 1)
    data_inspect.main([str(tmp_path)])
    assert "3 pictures of 9 x 9, grey" in capsys.readouterr().out


def test_says_when_there_is_nothing_to_decode(raw, capsys):
    path = raw / "subject1" / "a.csv"
    pd.read_csv(path).assign(Marker0=0).to_csv(path, index=False)
    data_inspect.main([str(path)])
    out = capsys.readouterr().out
    assert "0 event codes" in out
    assert "next" not in out


def test_refuses_absent_paths_and_damaged_files(raw):
    with pytest.raises(ValueError, match="nothing at"):
        data_inspect.main(["absent"])
    path = raw / "subject1" / "a.csv"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="cut off"):
        data_inspect.main([str(path)])


def test_many_classes_are_summarised(capsys):
    counts = {f"class {i}": i for i in range(1, 11)}
    found = {"classes": list(counts), "per_class": counts}
    found |= {f"per_{unit}": {"x": counts} for unit in ("subject", "session", "recording")}
    data_inspect._print_counts(found)
    out = capsys.readouterr().out
    assert "class 10: 10" in out
    assert out.splitlines()[-2].split() == ["recording", "x", "1", "10", "55"]
