"""Wrong input gets one clear error, exit code 1 or 2, and overwrites nothing."""

import hashlib
import shutil
import struct

import numpy as np
import pandas as pd
import pytest

from phosphene.cli.main import main

RECORDING = "raw/subject01/session1/b.csv"
EVENTS = ["--events", "1=houses", "2=faces"]
IMPORT = ["data", "import", "raw", "--out", "new", "--images", "pictures", *EVENTS]
TRAIN = ["--data", "data", "--out", "new"]
GENERATE = ["generate", "bundle", "--signals", RECORDING, "--out", "new"]


@pytest.fixture
def own_lab(lab, tmp_path, monkeypatch):
    """A copy of the lab to spoil, made the current folder."""
    folder = shutil.copytree(lab, tmp_path / "lab")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refuse(own_lab, tmp_path, capsys):
    """Call the command line; check that it refuses, touches nothing and speaks once."""

    def call(words, *, code, says):
        before = contents(tmp_path)
        assert main(words) == code
        out, error = capsys.readouterr()
        assert contents(tmp_path) == before
        assert out == ""
        assert "Traceback" not in error
        assert "This is a defect" not in error
        assert "done in" not in error
        text = " ".join(error.replace("│", " ").split())
        for part in says:
            assert part in text
        assert error.count("phosphene: ") + error.count("For full helptext") == 1  # one message

    return call


def contents(folder):
    """Return what lies in a folder, hidden files included."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def edit(change):
    """Return a function that changes the table of one recording."""

    def spoil(folder):
        table = pd.read_csv(folder / RECORDING)
        change(table)
        table.to_csv(folder / RECORDING, index=False)

    return spoil


def cut_csv(folder):
    path = folder / RECORDING
    path.write_bytes(path.read_bytes()[:-40])


def write_idx(folder, *, n_bytes):
    """Replace the pictures by MNIST's files, of which the first is cut off."""
    shutil.rmtree(folder / "pictures")
    (folder / "pictures").mkdir()
    pixels = struct.pack(">4I", 0x803, 20, 8, 8) + bytes(range(64)) * 20
    labels = struct.pack(">2I", 0x801, 20) + bytes([0, 1] * 10)
    (folder / "pictures" / "train-images-idx3-ubyte").write_bytes(pixels[:n_bytes])
    (folder / "pictures" / "train-labels-idx1-ubyte").write_bytes(labels)


def make_constant(table):
    table["AF7"] = 3.0


def make_nan(table):
    table.loc[700:720, "AF7"] = np.nan


def lose_a_class(table):
    table.loc[table["Marker0"] == 2, "Marker0"] = 0


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut_csv, ["fields as its header", "of b.csv", "cut off", "copy the file again"]),
        (edit(make_nan), ["must be a number", "AF7 in line 702 of b.csv", "--drop-channels"]),
        (edit(make_constant), ["AF7 of b.csv is constant", "at 3 uV", "--drop-channels AF7"]),
        (
            lambda folder: (folder / "pictures" / "faces" / "notes.txt").write_text("mine"),
            ["notes.txt", "faces"],
        ),
        (
            lambda folder: (folder / "pictures" / "faces" / "7.png").write_text("no picture"),
            ["7.png"],
        ),
    ],
    ids=["cut CSV", "NaN", "constant", "text file", "text as PNG"],
)
def test_import_refuses_spoilt_files(refuse, own_lab, spoil, says):
    spoil(own_lab)
    refuse(IMPORT, code=1, says=says)


@pytest.mark.parametrize(
    ("n_bytes", "says"),
    [
        (200, ["announces 1280 bytes", "only 184", "download it again"]),
        (10, ["train-images-idx3-ubyte", "download it again"]),
    ],
)
def test_import_refuses_a_cut_idx_file(refuse, own_lab, n_bytes, says):
    write_idx(own_lab, n_bytes=n_bytes)
    refuse([*IMPORT[:-2], "1=0", "2=1"], code=1, says=says)


def test_import_refuses_a_class_without_trials(refuse, own_lab):
    for name in ("a.csv", "b.csv"):
        path = own_lab / "raw/subject01/session1" / name
        table = pd.read_csv(path)
        lose_a_class(table)
        table.to_csv(path, index=False)
    refuse(IMPORT, code=1, says=["every class needs a trial", "'faces'", "correct --events"])


def test_import_refuses_a_class_whose_trials_are_all_rejected(refuse):
    says = ["every class needs a trial", "were rejected", "raise --reject"]
    refuse([*IMPORT, "--reject", "1e-9"], code=1, says=says)


def test_import_refuses_a_class_without_pictures(refuse, own_lab):
    shutil.rmtree(own_lab / "pictures" / "faces")
    refuse(IMPORT, code=2, says=["classes of the pictures, houses", "'faces'", "--class-names"])


def test_import_does_not_overwrite(refuse):
    words = ["data" if word == "new" else word for word in IMPORT]
    refuse(words, code=2, says=["`--out` must not exist", "data", "choose another name"])


def test_generate_refuses_another_number_of_channels(refuse):
    refuse(
        [*GENERATE, "--drop-channels", "TP10"],
        code=1,
        says=[
            "the 4 channels that the model was trained on",
            "b.csv lacks TP10",
            "Record TP10 too",
        ],
    )


def test_generate_refuses_a_data_set_with_another_number_of_channels(refuse, capsys):
    words = ["--drop-channels", "TP10", *EVENTS]
    assert main(["data", "import", "raw", "--out", "three", *words]) == 0
    capsys.readouterr()
    words = ["three" if word == RECORDING else word for word in GENERATE]
    refuse(words, code=1, says=["trained on", "got 3", "Record TP10 too"])


def test_generate_refuses_another_rate(refuse, capsys):
    assert main(["data", "import", "raw", "--out", "fast", "--resample", "256", *EVENTS]) == 0
    capsys.readouterr()
    words = ["fast" if word == RECORDING else word for word in GENERATE]
    refuse(words, code=1, says=["102 samples at 128 Hz", "at 256 Hz", "--resample 128"])


@pytest.mark.parametrize("spoil", [cut_csv, edit(make_nan), edit(make_constant)])
def test_generate_refuses_spoilt_recordings(refuse, own_lab, spoil):
    spoil(own_lab)
    refuse(GENERATE, code=1, says=["b.csv"])


def test_generate_refuses_a_cut_bundle(refuse, own_lab):
    path = own_lab / "bundle" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    refuse(GENERATE, code=1, says=["whole safetensors file", "Copy it again"])


def test_generate_does_not_overwrite(refuse):
    words = ["data" if word == "new" else word for word in GENERATE]
    refuse(words, code=2, says=["`--out` must be new or empty", "choose another name"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "eeg2image_2032", *TRAIN], ["`recipe`", "Did you mean 'eeg2image_2023'"]),
        (["train", "eeg2image_2023", "quik", *TRAIN], ["`preset`", "Did you mean 'quick'"]),
        (["train", "eeg2image_2023", "quick", *TRAIN, "--image-sise", "32"], ["--image-size"]),
        (["train", "eeg2image_2023", "quick", *TRAIN, "--n-noise", "many"], ["--n-noise", "many"]),
        (["train", "eeg2image_2023", "quick", *TRAIN, "--encoder", "cnn"], ["compact_cnn", "cnn"]),
        (["train", "eeg2image_2023", "quick", "--out", "new"], ["--data"]),
        (["tarin", "eeg2image_2023", *TRAIN], ["Did you mean 'train'"]),
        ([*IMPORT, "--bnad", "1", "30"], ["--bnad", "--band"]),
        ([*IMPORT[:-1], "faces"], ["1=houses 2=faces"]),
        ([*GENERATE, "--n-darws", "3"], ["--n-draws"]),
    ],
)
def test_unknown_words_are_refused_with_the_nearest(refuse, words, says):
    refuse(words, code=2, says=says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--data", "raw", "--out", "new"], ["must be a data set folder", "phosphene data import"]),
        (["--data", "data", "--out", "bundle"], ["needs an empty folder", "another folder"]),
        ([*TRAIN, "--n-folds", "7"], ["from 2 to the 2 units", "got 7"]),
        ([*TRAIN, "--split-unit", "subject"], ["at least 2 units", "choose another unit"]),
    ],
)
def test_train_refuses_before_it_begins(refuse, words, says):
    preset = ["train", "eeg2image_2023", "smoke", "--n-folds", "None"]
    refuse([*preset, *words], code=1, says=says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--image-size", "24"], ["`image_size`", "power of two", "got 24", "Take 16, 32"]),
        (["--generator-steps", "0"], ["`generator_steps` must be at least 1", "got 0"]),
        (["--class-pull", "2"], ["`class_pull` must be", "at most 1", "got 2.0"]),
        (["--beta1", "1"], ["`beta1` must be at least 0 and below 1", "got 1.0"]),
    ],
)
def test_train_refuses_settings_out_of_range(refuse, words, says):
    refuse(["train", "eeg2image_2023", "smoke", *TRAIN, *words], code=2, says=says)


def test_train_refuses_a_cut_data_set(refuse, own_lab):
    path = next((own_lab / "data" / "epochs").iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    refuse(
        ["train", "eeg2image_2023", "smoke", *TRAIN],
        code=1,
        says=["must have", "bytes", "import it again"],
    )
