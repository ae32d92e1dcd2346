import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from phosphene.cli import signals
from phosphene.cli.data_import import ImportOptions, import_dataset
from phosphene.cli.generate import GenerateOptions, generate
from phosphene.cli.main import main as phosphene
from phosphene.cli.signals import evenly_spread, with_onsets
from phosphene.cli.wrong_use import WrongUseError
from phosphene.data.dataset import load_dataset, save_dataset
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


@pytest.fixture
def fif(edf, tmp_path):
    """Write the lab's recording as FIF with channels that are marked as bad; return the path."""

    def fif(*bads, change=lambda raw: raw, events=True):
        import mne

        raw = mne.io.read_raw(edf(change, events=events), verbose="error")
        raw.info["bads"] = list(bads)
        raw.save(tmp_path / "new_raw.fif", overwrite=True, verbose="error")
        return tmp_path / "new_raw.fif"

    return fif


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


def double(code):
    """Write another event at the sample of the first one."""

    def double(raw):
        first = raw.annotations[0]
        raw.annotations.append(first["onset"], 0.0, code or first["description"])
        return raw

    return double


def test_only_events_that_are_chosen_count_where_two_are_at_one_sample(lab, edf, tmp_path, capsys):
    words = ["--events", "1=houses", "2=faces"]
    _, plain = call(lab, tmp_path, edf(), *words)
    shutil.rmtree(tmp_path / "out")
    path = edf(double("stimulus"))
    code, table = call(lab, tmp_path, path, *words)
    assert code == 0
    pd.testing.assert_frame_equal(table, plain)
    shutil.rmtree(tmp_path / "out")
    capsys.readouterr()
    assert call(lab, tmp_path, path)[0] == 1
    said = capsys.readouterr().err
    assert "at 0.781 s new.edf has 1 and stimulus; name the codes" in said
    assert "--events 1=houses" in said


@pytest.mark.parametrize(
    ("code", "words", "match"),
    [
        ("2", ["--events", "1=houses", "2=faces"], "has 1 and 2; name the codes"),
        (None, [], "new.edf has 1 twice; remove one of them"),
    ],
)
def test_two_chosen_events_at_one_sample_are_refused(
    lab, edf, tmp_path, capsys, code, words, match
):
    assert call(lab, tmp_path, edf(double(code)), *words)[0] == 1
    assert match in capsys.readouterr().err


def test_onsets_serve_a_muse_recording_without_a_column_of_markers(lab, tmp_path, capsys):
    path = tmp_path / "new.csv"
    pd.read_csv(lab / FILE).drop(columns="Marker0").to_csv(path, index=False)
    assert call(lab, tmp_path, path)[0] == 1
    said = capsys.readouterr().err
    assert "lacks Marker0" in said
    assert "--onsets 2.5 4.0" in said
    code, table = call(lab, tmp_path, path, "--onsets", "2.5", "7")
    assert code == 0
    assert table["onset_s"].tolist() == [2.5, 7.0]
    shutil.rmtree(tmp_path / "out")
    assert call(lab, tmp_path, path, "--onsets", "2.5", "2.501")[0] == 2
    assert "got 2.5 twice" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--onsets", "2.5", "7"]])
def test_channels_marked_as_bad_are_refused(lab, fif, tmp_path, capsys, words):
    path = fif("AF7", events=not words)
    assert call(lab, tmp_path, path, *words)[0] == 1
    said = capsys.readouterr().err
    assert "new_raw.fif marks AF7; the model needs AF7; remove the mark" in said

    def renamed(raw):
        return raw.rename_channels({"AF7": "Fp1"})

    path = fif("Fp1", change=renamed, events=not words)
    assert call(lab, tmp_path, path, *words, "--rename-channels", "Fp1=AF7")[0] == 1
    assert "marks Fp1; the model needs Fp1" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--onsets", "2.5", "7"]])
def test_bad_channels_that_the_model_does_not_know_can_be_dropped(
    lab, fif, tmp_path, capsys, words
):
    def add(raw):
        return raw.add_channels([raw.copy().pick(["AF7"]).rename_channels({"AF7": "Cz"})])

    path = fif("Cz", change=add, events=not words)
    assert call(lab, tmp_path, path, *words)[0] == 1
    assert "leave them out with --drop-channels Cz" in capsys.readouterr().err
    assert call(lab, tmp_path, path, *words, "--drop-channels", "Cz")[0] == 0


def test_with_onsets_what_is_read_must_be_chosen_too(lab, edf, tmp_path, capsys):
    def change(raw):
        return raw.set_channel_types(dict.fromkeys(raw.ch_names, "ecog"), verbose="error")

    path = edf(change, events=False)
    import mne

    raw = change(mne.io.read_raw(path, verbose="error").load_data())
    path = tmp_path / "new_raw.fif"
    raw.save(path, verbose="error")
    assert call(lab, tmp_path, path, "--onsets", "2.5")[0] == 1
    assert "give for instance --channel-types ecog" in capsys.readouterr().err
    words = ["--onsets", "2.5", "--channel-types", "ecog"]
    assert call(lab, tmp_path, path, *words)[0] == 0


@pytest.fixture
def rescaled_bundle(lab, tmp_path):
    """Copy the lab's bundle, of signals that were so many times stronger."""
    from safetensors.torch import load_file, save_file

    bundle = tmp_path / "bundle"
    shutil.copytree(lab / "bundle", bundle)
    tensors = load_file(bundle / "weights.safetensors")
    tensors["scaler.scale"] = tensors["scaler.scale"] * 1e6
    tensors["scaler.mean"] = tensors["scaler.mean"] * 1e6
    save_file(tensors, bundle / "weights.safetensors")
    return bundle


def test_a_data_set_in_the_wrong_unit_is_refused_with_the_import_that_helps(lab, tmp_path, capsys):
    table = pd.read_csv(lab / FILE)
    table[["TP9", "AF7", "AF8", "TP10"]] *= 1e-3
    table.to_csv(tmp_path / "weak.csv", index=False)
    events = ("1=houses", "2=faces")
    weak = ImportOptions(sources=(tmp_path / "weak.csv",), out=tmp_path / "weak", events=events)
    import_dataset(weak)
    assert call(lab, tmp_path, tmp_path / "weak")[0] == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "about as strong as the training trials" in said
    assert "import them again with --scale-signals 1e3." in said
    import_dataset(replace(weak, out=tmp_path / "again", scale_signals=1e3))
    assert call(lab, tmp_path, tmp_path / "again")[0] == 0


def test_a_data_set_in_an_arbitrary_unit_is_measured_in_it(lab, rescaled_bundle, tmp_path, capsys):
    found = load_dataset(lab / "data")
    save_dataset(
        tmp_path / "windows",
        recordings=[],
        trials=replace(found.trials, unit="a.u."),
        images=None,
        pairing=found.pairing,
        rejected=found.rejected,
        info=found.info,
    )
    words = ["generate", str(rescaled_bundle), "--out", str(tmp_path / "out")]
    words += ["--signals", str(tmp_path / "windows")]
    assert phosphene(words) == 1
    assert "unit of the training trials, 'V'" in capsys.readouterr().err
    spec = json.loads((rescaled_bundle / "spec.json").read_text())
    (rescaled_bundle / "spec.json").write_text(json.dumps({**spec, "unit": "a.u."}))
    assert phosphene(words) == 1
    said = capsys.readouterr().err
    assert "a.u.; the training trials had" in said
    assert "uV" not in said
    assert "--scale-signals" not in said


def test_the_amplitude_of_a_large_data_set_is_measured_on_some_trials(lab, tmp_path, monkeypatch):
    measured = []

    def robust_sd(epochs):
        measured.append(np.array(epochs))
        return np.full(epochs.shape[1], 1e-5)

    monkeypatch.setattr("phosphene.data.amplitude.robust_sd", robust_sd)
    monkeypatch.setattr(signals, "N_MEASURED", 5)
    words = ["generate", str(lab / "bundle"), "--signals", str(lab / "data"), "--n-draws", "1"]
    assert phosphene([*words, "--out", str(tmp_path / "a")]) == 0
    assert phosphene([*words, "--out", str(tmp_path / "b"), "--n-trials", "3"]) == 0
    epochs = load_dataset(lab / "data").trials.epochs
    for found, most in zip(measured, (5, 3), strict=True):
        rows = np.linspace(0, len(epochs) - 1, most).round().astype(int)
        np.testing.assert_array_equal(found, epochs[rows])


def test_evenly_spread_rows():
    assert evenly_spread(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert evenly_spread(5, 3).tolist() == [0, 2, 4]
    assert evenly_spread(0, 3).tolist() == []
