import json
import shutil

import pandas as pd
import pytest

from phosphene.cli.generate import GenerateOptions, generate
from phosphene.cli.main import main as phosphene
from phosphene.cli.signals import with_onsets
from phosphene.cli.wrong_use import WrongUseError
from phosphene.data.formats import read_recording

FILE = "raw/subject01/session1/a.csv"


@pytest.fixture
def edf(lab, tmp_path):
    """Write the lab's recording as EDF, changed by a function of the MNE Raw; return the path."""
    mne = pytest.importorskip("mne")

    def edf(change=lambda raw: raw, *, events=True):
        recording = read_recording(lab / FILE)
        info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg")
        raw = mne.io.RawArray(recording.signal.astype("float64"), info, verbose="error")
        if events:
            onsets = recording.events["sample"] / recording.sfreq
            raw.set_annotations(mne.Annotations(onsets, 0.0, recording.events["code"]))
        path = tmp_path / "new.edf"
        raw = change(raw)
        raw.export(path, physical_range="channelwise", overwrite=True, verbose="error")
        return path

    return edf


def call(lab, tmp_path, path, *words):
    """Generate from the lab's bundle; return exit code and table, None where there is none."""
    out = tmp_path / "out"
    words = ["--signals", str(path), "--n-draws", "1", "--out", str(out), *words]
    code = phosphene(["generate", str(lab / "bundle"), *words])
    table = out / "decoded.csv"
    return code, pd.read_csv(table) if table.is_file() else None


def test_an_edf_file_decodes_as_the_csv_file_does(lab, edf, tmp_path):
    code, table = call(lab, tmp_path, edf(), "--events", "1=houses", "2=faces")
    assert code == 0
    options = GenerateOptions(
        bundle=lab / "bundle",
        signals=lab / FILE,
        out=tmp_path / "csv",
        n_draws=1,
        events=("1=houses", "2=faces"),
    )
    expected = generate(options)
    assert (table["shown"] == expected["shown"]).all()
    gap = (table["p(houses)"] - expected["p(houses)"]).abs()
    assert gap.max() < 0.02  # EDF rounds to 16 bits


def test_order_and_extra_channels_change_nothing_and_are_announced(lab, edf, tmp_path, capsys):
    def change(raw):
        extra = raw.copy().pick(["AF7"]).rename_channels({"AF7": "Cz"})
        return raw.add_channels([extra]).reorder_channels(["Cz", "TP10", "AF7", "TP9", "AF8"])

    _, plain = call(lab, tmp_path, edf())
    shutil.rmtree(tmp_path / "out")
    capsys.readouterr()
    _, changed = call(lab, tmp_path, edf(change))
    out = capsys.readouterr().out
    pd.testing.assert_frame_equal(plain, changed)
    assert "channels put in the model's order, by name\n" in out
    assert "channels that the model does not know left out: Cz\n" in out


def test_another_rate_is_resampled(lab, edf, tmp_path):
    _, plain = call(lab, tmp_path, edf())
    shutil.rmtree(tmp_path / "out")
    _, other = call(lab, tmp_path, edf(lambda raw: raw.resample(200, verbose="error")))
    assert (plain["onset_s"] - other["onset_s"]).abs().max() <= 0.5 / 200 + 1e-9
    assert (plain["p(houses)"] - other["p(houses)"]).abs().mean() < 0.1


@pytest.mark.parametrize(
    ("change", "words", "match"),
    [
        (lambda raw: raw.pick(["AF7", "AF8"]), [], "lacks TP9, TP10 and has AF7, AF8"),
        (
            lambda raw: raw.rename_channels(lambda name: f"{name}-REF"),
            [],
            "--rename-channels TP9-REF=TP9 AF7-REF=AF7",
        ),
        (lambda raw: raw.resample(50, verbose="error"), [], "has 50 Hz"),
        (lambda raw: raw.crop(0, 2 - 1 / 256), [], "at least 3 s"),
        (lambda raw: raw, ["--scale-signals", "1e6"], "--scale-signals 1e-6"),
        (lambda raw: raw, ["--montage", "biosemi16"], "electrode of the montage biosemi16"),
        (lambda raw: raw, ["--onsets", "2"], "`--onsets` is for recordings without events"),
        (lambda raw: raw, ["--rename-channels", "TP9"], "'EEG Fp1=Fp1'"),
    ],
)
def test_what_does_not_match_is_refused_with_a_way_out(
    lab, edf, tmp_path, capsys, change, words, match
):
    code, table = call(lab, tmp_path, edf(change), *words)
    assert code in (1, 2)
    assert match in capsys.readouterr().err
    assert table is None


def test_the_option_that_a_refusal_names_makes_it_match(lab, edf, tmp_path):
    path = edf(lambda raw: raw.rename_channels(lambda name: f"{name}-REF"))
    renames = [f"{name}-REF={name}" for name in ("TP9", "AF7", "AF8", "TP10")]
    assert call(lab, tmp_path, path, "--rename-channels", *renames)[0] == 0


def test_a_wrong_unit_is_put_right_by_the_factor_that_is_named(lab, edf, tmp_path, capsys):
    path = edf(lambda raw: raw.apply_function(lambda x: x * 1e3))
    assert call(lab, tmp_path, path)[0] == 1
    assert "--scale-signals 1e-3" in capsys.readouterr().err
    assert call(lab, tmp_path, path, "--scale-signals", "1e-3")[0] == 0


def test_without_events_the_times_can_be_given(lab, edf, tmp_path, capsys):
    path = edf(events=False)
    assert call(lab, tmp_path, path)[0] == 1
    assert "--onsets 2.5 4.0" in capsys.readouterr().err
    code, table = call(lab, tmp_path, path, "--onsets", "2.5", "7")
    assert code == 0
    assert table["onset_s"].tolist() == [2.5, 7.0]
    shutil.rmtree(tmp_path / "out")
    assert call(lab, tmp_path, path, "--onsets", "2.5", "700")[0] == 1
    assert "got 700" in capsys.readouterr().err


def test_onsets_are_about_one_recording(lab, tmp_path, capsys):
    assert call(lab, tmp_path, lab / "raw", "--onsets", "2.5")[0] == 2
    assert "got 2 recordings" in capsys.readouterr().err


def test_onsets_are_never_added_to_events(lab):
    with pytest.raises(WrongUseError, match="recordings without events"):
        with_onsets(read_recording(lab / FILE), (1.0,))


def test_a_bundle_that_knows_its_montage_refuses_another(lab, tmp_path, edf, capsys):
    bundle = shutil.copytree(lab / "bundle", tmp_path / "bundle")
    spec = json.loads((bundle / "spec.json").read_text())
    (bundle / "spec.json").write_text(json.dumps({**spec, "montage": "easycap-M1"}))
    words = ["--signals", str(lab / FILE), "--out", str(tmp_path / "out")]
    assert phosphene(["generate", str(bundle), *words]) == 1
    assert "as in the montage easycap-M1" in capsys.readouterr().err


def test_a_data_set_in_another_unit_is_refused(lab, tmp_path, capsys):
    weights = tmp_path / "bundle" / "weights.safetensors"
    shutil.copytree(lab / "bundle", tmp_path / "bundle")
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights)
    tensors["scaler.scale"] = tensors["scaler.scale"] * 1e6
    save_file(tensors, weights)
    words = ["--signals", str(lab / "data"), "--out", str(tmp_path / "out")]
    assert phosphene(["generate", str(tmp_path / "bundle"), *words]) == 1
    assert "about as strong as the training trials" in capsys.readouterr().err
