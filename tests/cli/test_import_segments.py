import json
import shlex

import numpy as np
import pytest
import torch
from PIL import Image

from phosphene.cli import data_import, data_inspect
from phosphene.cli.wrong_use import WrongUseError
from phosphene.data.dataset import load_dataset
from phosphene.data.split_choice import choose_split


@pytest.fixture
def lab(tmp_path, monkeypatch, make_segments, make_splits):
    """A folder with segments, their splits and pictures, made current."""
    monkeypatch.chdir(tmp_path)
    content = make_segments()
    torch.save(content, "eeg.pth")
    torch.save(make_splits(), "splits.pth")
    for name in content["images"]:
        folder = tmp_path / "pictures" / name.split("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return tmp_path


def call(*words):
    data_import.main(["eeg.pth", "--out", "data/eeg", *words])


def test_the_inspected_command_runs_and_keeps_the_split(lab, capsys):
    data_inspect.main(["eeg.pth"])
    out = capsys.readouterr().out
    assert "48 segments of 500 to 500 samples" in out
    assert "people  24 of subject 1, 24 of subject 4" in out
    words = shlex.split(out.splitlines()[-1].removeprefix("next    "))
    assert words == shlex.split("phosphene data import eeg.pth --out data/eeg")
    data_import.main([*words[3:], "--split-file", "splits.pth"])
    out = capsys.readouterr().out
    assert "48 trials (16 n02106662, 16 n02124075, 16 n03445777) of 128 channels x 440" in out
    assert "split   1: 30 of 30 train, 6 of 6 validate, 12 of 12 test" in out
    assert "doubt   each person saw all pictures of a class in one block" in out
    dataset = load_dataset(lab / "data" / "eeg")
    split = choose_split(dataset.trials, unit="recording", info=dataset.info)
    assert [len(part) for part in (split.folds[0].train, split.folds[0].val)] == [30, 6]
    assert split.doubt == dataset.info["doubt"]
    data_inspect.main(["data/eeg", "--no-figure"])
    out = capsys.readouterr().out
    assert "phosphene train human_mind_2017 quick --data data/eeg" in out


def test_subject_filter_says_what_is_left_of_the_split(lab, capsys):
    call("--split-file", "splits.pth", "--subject-filter", "4")
    assert "split   0: 15 of 30 train, 3 of 6 validate, 6 of 12 test" in capsys.readouterr().out
    dataset = load_dataset(lab / "data" / "eeg")
    assert set(dataset.trials.table["subject"]) == {"4"}
    assert dataset.info["segments"]["subject_filter"] == 4


def test_pictures_are_paired_by_name(lab, capsys):
    call("--images", "pictures")
    assert "pairing paired" in capsys.readouterr().out
    dataset = load_dataset(lab / "data" / "eeg")
    assert dataset.trials.table["stimulus"][9] == "n02124075_1.png"
    assert dataset.images.classes == dataset.trials.classes


def test_inspection_as_json(lab, capsys):
    data_inspect.main(["eeg.pth", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["n_usable"] == 48
    assert found["next"].startswith("phosphene data import")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--events", "1=A"], "^--events is about recordings"),
        (["--tmax", "0.5", "--notch", "50"], "^--notch, --tmax is about"),
        (["--subject", "7"], "^--subject is about recordings"),
        (["--shown", "*1.png"], "`--shown` is about pictures"),
    ],
)
def test_options_that_segments_cannot_follow_are_refused(lab, words, match):
    with pytest.raises(WrongUseError, match=match):
        call(*words)
    assert not (lab / "data").exists()


def test_split_options_are_refused_without_segments(lab):
    with pytest.raises(WrongUseError, match="are about one"):
        data_import.main(["pictures", "--out", "x", "--subject-filter", "1"])
    (lab / "there").mkdir()
    with pytest.raises(WrongUseError, match="`--out` must not exist"):
        data_import.main(["eeg.pth", "--out", "there"])
