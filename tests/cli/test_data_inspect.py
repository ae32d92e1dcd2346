import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from phosphene.cli import data_import, data_inspect


def folder_of(path):
    path.mkdir(parents=True)
    return path


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
    for name in ("class1", "class2"):
        Image.new("L", (16, 16)).save(folder_of(Path("my pictures") / name) / "1.png")
    data_import.main(["my pictures" if word == "PICTURES" else word for word in words[3:]])
    capsys.readouterr()
    data_inspect.main([words[words.index("--out") + 1], "--no-figure"])
    out = capsys.readouterr().out
    assert "1 rejected: gap in the time stamps" in out
    assert "--data 'data/my raw'" in out
    assert "2 pictures of 16 x 16" in out


def test_pictures_that_were_not_named_are_asked_for(raw, capsys):
    data_inspect.main(["my raw"])
    out = capsys.readouterr().out
    assert "put your folder of pictures for PICTURES, and the names of its sub-folders" in out
    with pytest.raises(ValueError, match="PICTURES"):
        data_import.main(shlex.split(out.splitlines()[-1])[4:])


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
    Image.new("LA", (9, 9)).save(tmp_path / "b/1.png")
    data_inspect.main([str(tmp_path)])
    assert "note    1 picture is transparent in places" in capsys.readouterr().out


def test_says_when_there_is_nothing_to_decode(raw, capsys):
    path = raw / "subject1" / "a.csv"
    pd.read_csv(path).assign(Marker0=0).to_csv(path, index=False)
    data_inspect.main([str(path)])
    out = capsys.readouterr().out
    assert "0 event codes" in out
    assert "next" not in out


def test_inspects_a_recording_without_a_column_of_markers_and_says_so(raw, capsys):
    path = raw / "subject1" / "a.csv"
    pd.read_csv(path).drop(columns="Marker0").to_csv(path, index=False)
    data_inspect.main([str(path)])
    out = capsys.readouterr().out
    assert "events none" in out
    assert "note no column Marker0: recorded without markers" in out


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


def write_bdf(path, rng):
    """Write 40 s of three channels and a slow one, with annotations and a Status channel."""
    import edfio

    path.parent.mkdir(parents=True, exist_ok=True)
    onsets = np.arange(2, 38, 1.5)
    status = np.zeros(4000)
    status[(onsets * 100).astype(int)] = 1 + np.arange(len(onsets)) % 2
    whole = {"physical_range": (-(2**23), 2**23 - 1), "digital_range": (-(2**23), 2**23 - 1)}
    signals = [
        edfio.BdfSignal(rng.normal(0, 20, 4000), 100, label=name, physical_dimension="uV")
        for name in ("FP1", "Cz", "Oz")
    ]
    signals.append(edfio.BdfSignal(np.arange(40.0) % 7, 1, label="Temp", physical_dimension="degC"))
    signals.append(edfio.BdfSignal(status, 100, label="Status", **whole))
    marks = [edfio.EdfAnnotation(t, None, f"S  {1 + i % 2}") for i, t in enumerate(onsets)]
    edfio.Bdf(signals, annotations=marks).write(path)


def test_the_command_names_all_that_a_file_needs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        write_bdf(tmp_path / "sub-1" / f"{name}.bdf", rng)
    data_inspect.main(["sub-1"])
    out = capsys.readouterr().out
    text = " ".join(out.split())
    assert "S 1: 12 (every" in text
    assert "(--events-from annotations: one of several)" in text
    assert "Temp has the unit 'degC'" in text
    words = shlex.split(out.splitlines()[-1].removeprefix("next    "))
    assert words[-4:] == ["--events-from", "annotations", "--drop-channels", "Temp"]
    data_import.main([word for word in words[3:] if word not in ("--images", "PICTURES")])
    out = capsys.readouterr().out
    assert "48 trials (24 class1, 24 class2)" in out
    renamed = ["--montage", "standard_1020", "--rename-channels", "FP1=Fp1"]
    status = ["--events", "1=a", "2=b", "--events-from", "Status", "--drop-channels", "Temp"]
    with pytest.raises(ValueError, match="rename with --rename-channels FP1=Fp1"):
        data_import.main(["sub-1", "--out", "no", *status, *renamed[:2]])
    data_import.main(["sub-1", "--out", "yes", *status, *renamed])
    capsys.readouterr()
    found = inspect_json(capsys, "yes", "--no-figure")
    assert found["montage"] == "standard_1020"
    assert found["ch_names"] == ["Fp1", "Cz", "Oz"]
    assert found["n_trials"] == 48
