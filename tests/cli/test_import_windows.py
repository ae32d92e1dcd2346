import json
import pickle
import shlex

import numpy as np
import pytest
from PIL import Image

from phosphene.cli import data_import, data_inspect
from phosphene.cli.main import main
from phosphene.cli.wrong_use import WrongUseError
from phosphene.data.dataset import load_dataset
from phosphene.data.formats.thoughtviz import SETS


@pytest.fixture
def lab(tmp_path, monkeypatch, make_windows):
    """A folder with a pickle of letters and pictures of them, made current."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "eeg" / "char" / "data.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(make_windows(120, 40), 2))
    for name in SETS["char"]:
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.random.default_rng(number).integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    return tmp_path


PICKLE, SHOWN = "eeg/char/data.pkl", "--images PICTURES"


def call(*words):
    data_import.main([PICKLE, "--out", "data/char", *words])


def test_the_inspected_command_runs(lab, capsys):
    data_inspect.main([PICKLE])
    out = capsys.readouterr().out
    assert "x_train 120 windows of 14 channels x 32 samples, float64" in out
    assert "per label 12 12 12" in out
    assert "doubles 0 windows" in out
    assert "set     char" in out
    words = shlex.split(out.splitlines()[-1].removeprefix("next    "))
    assert words == shlex.split(
        f"phosphene data import {PICKLE} --set char --out data/char {SHOWN}"
    )
    data_import.main([*words[3:-1], "pictures"])
    out = capsys.readouterr().out
    assert "120 in x_train, 40 in x_test" in out
    assert "doubt   the source does not say" in out
    dataset = load_dataset(lab / "data" / "char")
    assert dataset.trials.classes == SETS["char"] == dataset.images.classes
    assert dataset.trials.unit == "a.u."
    assert dataset.pairing.kind == "class-only"
    assert dataset.info["windows"]["set"] == "char"
    data_inspect.main(["data/char", "--no-figure"])
    out = capsys.readouterr().out
    assert "unit    a.u." in out
    assert "no recordings" in out


def test_inspection_lists_the_sets_where_no_folder_names_one(lab, capsys):
    (lab / PICKLE).rename(lab / "data.pkl")
    data_inspect.main(["data.pkl"])
    out = capsys.readouterr().out
    assert "image (Apple, Car," in out
    assert "--set image --out data/data" in out
    data_inspect.main(["data.pkl", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["set"] is None
    assert found["halves"]["x_test"]["shape"] == [40, 14, 32]


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "`--set` must say which"),
        (["--set", "char", "--events", "1=A"], "^--events is about recordings"),
        (["--set", "char", "--tmax", "0.5", "--notch", "50"], "^--notch, --tmax is about"),
        (["--set", "char", "--subject", "7", "--drop-channels", "O1"], "--subject, --drop-chan"),
        (["--set", "digit", "--images", "pictures"], "`--set` must name classes of the pictures"),
        (["--set", "char", "--shown", "*"], "add --images"),
    ],
)
def test_wrong_use_writes_nothing(lab, words, match):
    with pytest.raises(WrongUseError, match=match):
        call(*words)
    assert not (lab / "data").exists()


def test_a_class_without_a_window_is_refused_before_anything_is_written(lab, capsys, make_windows):
    arrays = make_windows(9, 9)  # of the first nine classes
    (lab / PICKLE).write_bytes(pickle.dumps(arrays, 2))
    assert main(["data", "import", PICKLE, "--set", "char", "--out", "data/char"]) != 0
    assert "there are none of Y" in capsys.readouterr().err
    assert not (lab / "data").exists()


def test_a_set_needs_one_pickle(lab):
    (lab / "a.csv").write_text("a")
    for sources in (["a.csv"], [PICKLE, "a.csv"], ["nothing.pkl"]):
        with pytest.raises(WrongUseError, match="about one ThoughtViz pickle"):
            data_import.main([*sources, "--set", "char", "--out", "x"])


def test_never_over_an_existing_folder(lab):
    (lab / "data" / "char").mkdir(parents=True)
    with pytest.raises(WrongUseError, match="must not exist"):
        call("--set", "char")


def test_a_hostile_pickle_ends_in_a_sentence(lab, capsys):
    (lab / PICKLE).write_bytes(b"cos\nsystem\n(S'touch marker'\ntR.")
    for words in (["inspect", PICKLE], ["import", PICKLE, "--set", "char", "--out", "x"]):
        assert main(["data", *words]) == 1
        assert "a call for 'os.system'" in capsys.readouterr().err
    assert not (lab / "marker").exists()


TRAIN = ["train", "eeg2image_2023", "smoke", "--data", "data/char", "--out", "run"]


def test_doubles_across_the_halves_are_refused(lab, make_windows, capsys):
    arrays = make_windows(120, 40)
    arrays["x_test"][3] = arrays["x_train"][7]
    (lab / PICKLE).write_bytes(pickle.dumps(arrays))
    call("--set", "char", "--images", "pictures")
    assert "doubles 1 windows of x_test are in x_train as well" in capsys.readouterr().out
    assert main(TRAIN) == 1
    assert "1 test trials have the same samples as training trials" in capsys.readouterr().err


@pytest.mark.slow
def test_a_pickle_trains_on_the_published_split(lab, capsys):
    call("--set", "char", "--images", "pictures")
    assert main([*TRAIN, "--compare-encoder", "None"]) == 0
    split = json.loads((lab / "run" / "split.json").read_text())
    assert split["unit"] == "published half"
    sizes = [(fold["key"], len(fold["train"]), len(fold["test"])) for fold in split["folds"]]
    assert sizes == [("x_test", 120, 40)]
    scores = json.loads((lab / "run" / "scores.json").read_text())
    assert {score["split"] for score in scores if score["section"] == "decoding"} == {
        "published split"
    }
    assert all("doubt: the source does not say" in score["note"] for score in scores)
    report = (lab / "run" / "report.html").read_text()
    assert "A leak cannot be excluded" in report
    assert "µV" not in report
    capsys.readouterr()
    assert main(["generate", "run", "--signals", "data/char", "--out", "drawn"]) == 0
    assert main(["generate", "run", "--signals", PICKLE, "--out", "again"]) in (1, 2)
