import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from phosphene.cli import data_import
from phosphene.cli.wrong_use import WrongUseError
from phosphene.data.dataset import load_dataset, load_recordings


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder with two recordings of a Muse and with pictures of two classes, made current."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        table = pd.DataFrame({"timestamps": np.arange(5120) / 256})
        for channel in ("TP9", "AF7", "AF8", "TP10", "Right AUX"):
            table[channel] = rng.normal(30, 10, 5120).round(3)
        codes = np.zeros(5120, dtype=int)
        codes[200::300] = [1 + i % 2 for i in range(len(codes[200::300]))]
        table["Marker0"] = codes
        table["picture"] = np.where(codes == 1, "h_3.png", "f_3.png")
        path = tmp_path / "raw" / "subject01" / "session1" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False, float_format="%.4f")
    for name in ("houses/h_1", "houses/h_3", "faces/f_1", "faces/f_3"):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (9, 9, 9)).save(path)
    (tmp_path / "pictures" / "LICENSE").write_text("CC0")
    return tmp_path


EVENTS = ["--events", "1=houses", "2=faces"]
PICTURES = ["--images", "pictures", "--shown", "*3.png"]


def call(*words):
    data_import.main(["raw", "--out", "data/set", *words])


def test_makes_a_data_set_and_names_the_next_command(lab, capsys):
    call(*PICTURES, *EVENTS)
    dataset = load_dataset(lab / "data" / "set")
    assert dataset.trials.classes == ("houses", "faces")
    assert dataset.trials.epochs.shape[1:] == (4, 102)
    assert set(dataset.trials.table["subject"]) == {"subject01"}
    assert dataset.images.classes == ("houses", "faces")
    assert dataset.images.shown.sum() == 2
    assert dataset.pairing.kind == "class-only"
    assert dataset.info["licence"] == "CC0"
    assert dataset.info["events"] == {"1": "houses", "2": "faces"}
    assert str(lab) not in json.dumps(dataset.info)
    assert [r.source for r in load_recordings(lab / "data" / "set")] == ["a.csv", "b.csv"]
    out = capsys.readouterr().out
    assert "2 recordings" in out
    assert out.endswith("next    phosphene data inspect data/set\n")


def test_preprocessing_options_reach_the_data(lab):
    call(*EVENTS, "--tmin", "-0.1", "--tmax", "0.5", "--resample", "None", "--band", "2", "20")
    trials = load_dataset(lab / "data" / "set").trials
    assert (trials.sfreq, trials.tmin, trials.n_times) == (256, -0.1, 154)
    assert trials.preprocessing["settings"]["band"] == [2.0, 20.0]
    assert trials.preprocessing["settings"]["reject"] == 400e-6


def test_named_pictures_make_it_paired(lab):
    call(*PICTURES, *EVENTS, "--stimulus-column", "picture")
    dataset = load_dataset(lab / "data" / "set")
    assert dataset.pairing.kind == "paired"
    assert set(dataset.trials.table["stimulus"]) == {"h_3.png", "f_3.png"}


def test_unseen_pictures_take_prefixes_new_names_or_names_of_their_own(lab, capsys):
    rng = np.random.default_rng(0)
    for folder, names in (
        ("shown", ("target-1", "nontarget-1")),
        ("flat", ("target-7", "nontarget-8", "nontarget-9")),
        ("folders/cat", ("a",)),
        ("folders/bird", ("b",)),
    ):
        (lab / folder).mkdir(parents=True)
        for name in names:
            pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(lab / folder / f"{name}.png")
    (lab / "cifar").mkdir()
    records = rng.integers(0, 256, (6, 3073), dtype=np.uint8)
    records[:, 0] = (0, 0, 1, 1, 2, 2)
    records.tofile(lab / "cifar/data_batch_1.bin")
    (lab / "cifar/batches.meta.txt").write_text("bird\ncat\ndog\n")
    words = ["--images", "shown", "--class-from", "prefix", "--events", "1=dog", "2=cat"]
    words += ["--class-names", "target=cat", "nontarget=dog", "--unseen-images"]
    counts = {"flat": (1, 2), "folders": (1, 0), "cifar": (2, 2)}
    for folder, (n_cats, n_dogs) in counts.items():
        data_import.main(["raw", "--out", f"data/{folder}", *words, folder])
        images = load_dataset(lab / "data" / folder).images
        unseen = images.table[~images.shown]
        assert (unseen["class_name"] == "cat").sum() == n_cats
        assert (unseen["class_name"] == "dog").sum() == n_dogs
    out = capsys.readouterr().out
    assert "5 pictures of 40 x 40, 2 of them shown" in out
    assert "6 pictures of 32 x 32, 2 of them shown" in out
    assert "all became 32 x 32, as large as the smallest unseen pictures" in out
    with pytest.raises(WrongUseError, match="nothing at absent"):
        call(*words, "absent")


def test_says_what_was_done_to_the_pictures(lab, capsys):
    Image.new("RGBA", (50, 40), (0, 0, 0, 0)).save(lab / "pictures/houses/h_1.png")
    call(*PICTURES, *EVENTS)
    out = capsys.readouterr().out
    assert "4 pictures of 20 x 20, 2 of them shown" in out
    assert "below the 128 asked for, for faces/f_1.png is 20 x 20" in out
    assert "1 picture is transparent in places, which became white (houses/h_1.png)" in out


def test_codes_without_a_class_are_left_out(lab, capsys):
    path = lab / "raw/subject01/session1/a.csv"
    table = pd.read_csv(path)
    table.loc[[500, 1800], "Marker0"] = 9  # no class
    table.to_csv(path, index=False)
    call(*EVENTS)
    assert "codes 9 have no class" in capsys.readouterr().out


def test_leaves_channels_out(lab):
    call(*EVENTS, "--drop-channels", "AF7", "AF8")
    assert load_dataset(lab / "data" / "set").trials.ch_names == ("TP9", "TP10")


def test_a_channel_that_one_file_lacks_can_be_left_out_of_all(lab):
    path = lab / "raw/subject01/session1/b.csv"
    pd.read_csv(path).drop(columns="TP10").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"lacks TP10.*--drop-channels"):
        call(*EVENTS)
    call(*EVENTS, "--drop-channels", "TP10")
    assert load_dataset(lab / "data" / "set").trials.ch_names == ("TP9", "AF7", "AF8")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--events", "1=house", "2=faces", *PICTURES], "did you mean 'houses'"),
        (["--events", "1=houses"], "at least 2 classes"),
        (["--events", "1=houses", "faces"], "pairs like 1=houses"),
        (["--events", "1=houses", "1=faces"], "names '1' twice"),
        ([*EVENTS, "--shown", "*"], "add --images"),
        ([*EVENTS, "--class-names", "a=b"], "add --images"),
    ],
)
def test_wrong_use_writes_nothing(lab, words, match):
    with pytest.raises(WrongUseError, match=match):
        call(*words)
    assert not (lab / "data").exists()


def spoil(column, value, rows=slice(None)):
    def change(lab):
        path = lab / "raw/subject01/session1/b.csv"
        table = pd.read_csv(path)
        table[column] = table[column].astype(object)
        table.loc[table.index[rows], column] = value
        table.to_csv(path, index=False)

    return change


def cut(lab):
    path = lab / "raw/subject01/session1/b.csv"
    path.write_bytes(path.read_bytes()[:-50])


def copy(lab):
    folder = lab / "raw/subject01/session1"
    (folder / "c.csv").write_bytes((folder / "a.csv").read_bytes())


@pytest.mark.parametrize(
    ("change", "words", "match"),
    [
        (spoil("TP9", 7), EVENTS, r"TP9 of b\.csv is constant.*--drop-channels TP9"),
        (spoil("TP9", np.nan), EVENTS, r"TP9 in line 2 of b\.csv.*--drop-channels 'TP9'"),
        (spoil("AF7", "x", slice(10, 11)), EVENTS, r"AF7 in line 12 of b\.csv is 'x'"),
        (spoil("Marker0", 0), EVENTS, r"Marker0 of b\.csv is 0"),
        (cut, EVENTS, r"b\.csv has .*cut off"),
        (copy, EVENTS, r"a\.csv.*c\.csv.*same signal"),
        (lambda lab: None, [*EVENTS, "--drop-channels", "TP11"], "Did you mean 'TP10'"),
        (lambda lab: None, ["--events", "1=houses", "7=faces"], "'faces'.*has none"),
        (lambda lab: (lab / "pictures/faces/x.txt").touch(), [*PICTURES, *EVENTS], r"x\.txt"),
        (lambda lab: None, ["--images", "pictures", "--shown", "h*", *EVENTS], "class 'faces'"),
    ],
)
def test_bad_data_are_refused_and_nothing_is_written(lab, change, words, match):
    change(lab)
    before = {p: p.read_bytes() for p in lab.rglob("*") if p.is_file()}
    with pytest.raises(ValueError, match=match):
        call(*words)
    assert {p: p.read_bytes() for p in lab.rglob("*") if p.is_file()} == before


def test_an_existing_folder_is_left_alone(lab):
    (lab / "data/set").mkdir(parents=True)
    with pytest.raises(WrongUseError, match="data/set does"):
        call(*EVENTS)
    assert list((lab / "data/set").iterdir()) == []


def test_unknown_options_end_with_code_2(lab, capsys):
    with pytest.raises(SystemExit) as caught:
        call(*EVENTS, "--bandd", "1", "2")
    assert caught.value.code == 2
    assert "--band" in capsys.readouterr().err


def lda_auc(trials):
    """AUC of shrinkage LDA on every second sample, mean over recordings left out in turn."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.metrics import roc_auc_score

    x = trials.epochs[:, :, ::2].reshape(len(trials), -1).astype(float) * 1e6
    y, group = trials.labels, trials.table["recording"].to_numpy(dtype=str)
    scores = []
    for name in np.unique(group):
        test = group == name
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x[~test], y[~test])
        scores.append(roc_auc_score(y[test], model.decision_function(x[test])))
    return float(np.mean(scores))


@pytest.mark.data
def test_real_faces_and_houses_can_be_decoded(real_data, tmp_path):
    source = real_data / "muse-visual"
    out = tmp_path / "n170"
    pictures = ["--images", str(source / "stimuli/face_house"), "--shown", "*3.jpg"]
    data_import.main([str(source / "N170/subject1"), "--out", str(out), *pictures, *EVENTS])
    dataset = load_dataset(out)
    assert len(dataset.trials) + len(dataset.rejected) == 1174
    assert dataset.trials.table["recording"].nunique() == 6
    assert lda_auc(dataset.trials) == pytest.approx(0.685, abs=0.01)


@pytest.mark.data
def test_real_duplicates_are_refused(real_data, tmp_path):
    source = real_data / "muse-visual/N170/subject3"
    with pytest.raises(ValueError, match=r"session1.*session2.*same signal"):
        data_import.main([str(source), "--out", str(tmp_path / "x"), *EVENTS])


def test_what_was_done_while_reading_is_recorded(lab):
    words = ["--reject", "None", "--scale-signals", "1e-3", "--drop-channels", "AF7", "AF8"]
    call(*EVENTS, *words)
    said = load_dataset(lab / "data" / "set").info["import_options"]
    assert said["scale_signals"] == 1e-3
    assert said["drop_channels"] == ["AF7", "AF8"]
    assert said["rename_channels"] == []
    assert said["events_from"] is None
    assert said["image_size"] == 128


def test_a_wrong_unit_can_be_put_right(lab):
    words = ["--events", "1=houses", "2=faces", "--reject", "None"]
    for out, factor in (("as_it_is", "1"), ("scaled", "1e-3")):
        data_import.main(["raw", "--out", out, *words, "--scale-signals", factor])
    plain, scaled = (load_dataset(lab / name).trials for name in ("as_it_is", "scaled"))
    np.testing.assert_allclose(scaled.epochs * 1e3, plain.epochs, rtol=1e-3, atol=1e-9)
