import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from phosphene.cli.data_import import main as data_import
from phosphene.cli.generate import main
from phosphene.cli.main import main as phosphene

FILE = "raw/subject01/session1/a.csv"


@pytest.fixture
def call(lab, tmp_path):
    """Generate from the lab's bundle; return the table and the folder."""

    def call(signals, *words, out="out", bundle="bundle"):
        main(
            [
                str(lab / bundle),
                "--signals",
                str(lab / signals),
                "--out",
                str(tmp_path / out),
                *words,
            ]
        )
        table = pd.read_csv(tmp_path / out / "decoded.csv", keep_default_na=False)
        return table, tmp_path / out

    return call


def pictures_in(folder):
    paths = sorted((folder / "pictures").iterdir())
    return {path.name: np.asarray(Image.open(path)) for path in paths}


def test_a_raw_recording_gives_pictures_and_a_table(call, capsys):
    table, folder = call(FILE, "--n-draws", "2")
    pictures = pictures_in(folder)
    assert len(pictures) == 2 * len(table) > 20
    assert pictures["trial_0000_draw_1.png"].shape == (128, 128, 3)
    assert (pictures["trial_0000_draw_1.png"] != pictures["trial_0000_draw_2.png"]).any()
    assert list(table) == [
        *("trial", "recording", "onset_s", "shown", "decoded"),
        *("p(houses)", "p(faces)"),
    ]
    np.testing.assert_allclose(table["p(houses)"] + table["p(faces)"], 1, atol=2e-4)
    assert ((table["p(houses)"] > 0.5) == (table["decoded"] == "houses")).all()
    assert set(table["decoded"]) == {"houses", "faces"}
    assert set(table["shown"]) == {""}
    assert table["onset_s"].iloc[0] == pytest.approx(200 / 256, abs=1e-4)
    assert (folder / "grid.png").is_file()
    out = capsys.readouterr().out
    assert "not the picture that was seen" in out
    assert out.splitlines()[-1].startswith("next     phosphene data inspect")


def test_a_recording_is_cut_as_the_data_set_it_was_imported_into(call):
    """Raw files and the data set made of them give the same probabilities and pictures."""
    raw, raw_folder = call("raw", "--events", "1=houses", "2=faces", "--n-draws", "1")
    imported, folder = call("data", "--n-draws", "1", out="out2")
    pd.testing.assert_frame_equal(raw, imported)
    first, second = pictures_in(raw_folder), pictures_in(folder)
    assert first.keys() == second.keys()
    assert all((first[name] == second[name]).all() for name in first)


def test_events_choose_where_to_cut_and_say_what_was_shown(call):
    everything, _ = call(FILE, "--n-draws", "1")
    table, _ = call(FILE, "--n-draws", "1", "--events", "2=faces", out="faces")
    assert set(table["shown"]) == {"faces"}
    assert set(table["onset_s"]) < set(everything["onset_s"])


def test_n_trials_spreads_over_the_signals(call):
    everything, _ = call("data", "--n-draws", "1")
    table, folder = call("data", "--n-draws", "1", "--n-trials", "3", out="few")
    assert len(pictures_in(folder)) == len(table) == 3
    assert table["onset_s"].iloc[[0, -1]].tolist() == everything["onset_s"].iloc[[0, -1]].tolist()


def test_same_seed_same_pictures(call):
    _, first = call(FILE, "--n-trials", "2")
    _, second = call(FILE, "--n-trials", "2", out="second")
    _, third = call(FILE, "--n-trials", "2", "--seed", "1", out="third")
    name = "trial_0000_draw_1.png"
    assert (pictures_in(first)[name] == pictures_in(second)[name]).all()
    assert (pictures_in(first)[name] != pictures_in(third)[name]).any()


def test_a_run_folder_stands_for_its_bundle(lab, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(lab / "bundle", run / "bundle")
    (run / "scores.json").write_text("[]")
    for number, bundle in enumerate((run, run / "bundle")):
        words = ["--signals", str(lab / FILE), "--n-trials", "1", "--n-draws", "1"]
        main([str(bundle), *words, "--out", str(tmp_path / str(number))])
        assert f"next     phosphene evaluate {run}" in capsys.readouterr().out


def test_the_auxiliary_input_is_kept_where_the_model_wants_it(lab, call, tmp_path):
    bundle = shutil.copytree(lab / "bundle", tmp_path / "aux")
    spec = json.loads((bundle / "spec.json").read_text())
    spec["ch_names"][3] = "Right AUX"
    (bundle / "spec.json").write_text(json.dumps(spec))
    words = ["--drop-channels", "TP10", "--n-trials", "1", "--out", str(tmp_path / "out")]
    main([str(bundle), "--signals", str(lab / FILE), *words])
    assert (tmp_path / "out" / "decoded.csv").is_file()


def test_an_empty_folder_may_be_filled(call, tmp_path):
    (tmp_path / "out").mkdir()
    table, _ = call(FILE, "--n-trials", "1")
    assert len(table) == 1


@pytest.mark.parametrize(
    ("words", "code", "match"),
    [
        (["--events", "1=houzes"], 2, "Did you mean 'houses'"),
        (["--events", "1"], 2, "1=houses 2=faces"),
        (["--events", "7=houses"], 1, "event code 7"),
        (["--n-draws", "0"], 2, "`n_draws` must be greater than 0"),
        (["--n-trials", "-1"], 2, "`n_trials` must be greater than 0"),
        (["--drop-channels", "TP11"], 1, "TP10"),
    ],
)
def test_wrong_use_writes_nothing(lab, tmp_path, capsys, words, code, match):
    out = tmp_path / "deep" / "out"
    call = ["generate", str(lab / "bundle"), "--signals", str(lab / FILE), "--out", str(out)]
    assert phosphene([*call, *words]) == code
    assert match in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_options_for_recordings_are_refused_with_a_data_set(lab, tmp_path, capsys):
    words = [
        "generate",
        str(lab / "bundle"),
        "--signals",
        str(lab / "data"),
        "--out",
        str(tmp_path / "o"),
    ]
    assert phosphene([*words, "--events", "1=houses"]) == 2
    assert "`--events` is about raw recordings" in capsys.readouterr().err


def test_what_is_in_the_way_stays(lab, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    words = ["generate", str(lab / "bundle"), "--signals", str(lab / FILE)]
    assert phosphene([*words, "--out", str(tmp_path / "out")]) == 2
    assert phosphene([*words, "--out", str(tmp_path / "out" / "thesis.txt")]) == 2
    assert "choose another name" in capsys.readouterr().err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_data_that_was_filtered_otherwise_is_refused(lab, tmp_path, capsys):
    words = ["--events", "1=houses", "2=faces", "--band", "2", "30"]
    data_import([str(lab / "raw"), "--out", str(tmp_path / "data"), *words])
    words = ["generate", str(lab / "bundle"), "--signals", str(tmp_path / "data")]
    assert phosphene([*words, "--out", str(tmp_path / "out")]) == 1
    assert "`band` was [1.0, 30.0]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_interruption_leaves_nothing(lab, tmp_path, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("phosphene.export.contact_sheet.contact_sheet", interrupt)
    words = ["generate", str(lab / "bundle"), "--signals", str(lab / FILE), "--n-trials", "1"]
    assert phosphene([*words, "--out", str(tmp_path / "out")]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--images", "x.png"], "`--images` is for bundles that make signals from pictures"),
        (["--images", "x.png"], "--signals FILE --out DIR`"),
        ([], "`--signals` is needed"),
        (["--signals", "x.csv", "--n", "3"], "`--n` is about signals from pictures"),
        (["--signals", "x.csv", "--volts"], "`--volts` is about signals from pictures"),
    ],
)
def test_options_about_signals_from_pictures_are_refused(lab, tmp_path, capsys, words, match):
    call = ["generate", str(lab / "bundle"), *words, "--out", str(tmp_path / "out")]
    assert phosphene(call) == 2
    assert match in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_classifier_draws_nothing(lab, tmp_path, capsys):
    bundle = shutil.copytree(lab / "bundle", tmp_path / "classifier")
    spec = json.loads((bundle / "spec.json").read_text())
    (bundle / "spec.json").write_text(json.dumps({**spec, "task": "signal to features"}))
    assert phosphene(["generate", str(bundle), "--out", str(tmp_path / "out")]) == 2
    assert "classifies signals" in capsys.readouterr().err
