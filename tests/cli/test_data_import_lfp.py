import importlib.util
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phosphene.cli import data_import, data_import_lfp, data_inspect
from phosphene.cli.wrong_use import WrongUseError
from phosphene.data.dataset import load_dataset, load_extra, load_recordings
from phosphene.data.windows import Windows

CONFTEST = Path(__file__).resolve().parents[1] / "data" / "formats" / "conftest.py"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The session that the readers are tested with, and true responses."""
    spec = importlib.util.spec_from_file_location("formats_conftest", CONFTEST)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = module.write_lfp_session(tmp_path_factory.mktemp("lfp"))
    responses = np.random.default_rng(1).normal(size=(5, 8, 313)).astype(np.float32)
    names = np.array([f"natural_scene_{i:03d}" for i in range(5)])
    np.savez(folder / "truth.npz", responses=responses[::-1], stimulus=names[::-1], sfreq=1250.0)
    np.save(folder / "responses.npy", responses)
    return folder


def words(session, out, *more):
    given = ["session.nwb", "--probe", "probe_7_lfp.nwb", "--images", "pictures"]
    paths = [word if word.startswith("--") else str(session / word) for word in given]
    return [*paths, "--out", str(out), *more]


def test_makes_a_data_set_and_names_the_next_command(session, tmp_path, capsys):
    out = tmp_path / "my data" / "v1"
    more = ("--area", "VISp", "--true-responses", str(session / "truth.npz"))
    data_import_lfp.main(words(session, out, *more))
    printed = capsys.readouterr().out
    assert "1 recording, 0.3 minutes at 1250 Hz (measured 1249.998), 4 of 8 channels, 0 gaps" in (
        printed
    )
    assert "40 trials (40 natural scene) of 4 channels x 313 samples at 1250 Hz" in printed
    assert "shown   5 pictures, 8 times each, in 2 blocks" in printed
    assert "5 pictures of 24 x 18, grey" in printed
    assert "pairing paired: each trial names its picture" in printed
    command = printed.splitlines()[-1].removeprefix("next    ")
    assert shlex.split(command) == [
        *("phosphene", "train", "lfpgan_2020", "quick", "--data", str(out), "--out", "RUN")
    ]
    dataset = load_dataset(out)
    assert dataset.trials.ch_names == ("VISp 20", "VISp 16", "VISp 12", "VISp 8")
    assert dataset.trials.epochs.shape == (40, 4, 313)
    assert dataset.images.pixels.shape == (5, 18, 24, 1)
    assert dataset.info["import_options"]["area"] == "VISp"
    (recording,) = load_recordings(out)
    written = np.load(session / "signal.npy")[:, [5, 4, 3, 2]].T
    np.testing.assert_array_equal(recording.signal, written)
    assert len(Windows(recording.signal, n_times=313)) == 20_000 - 312
    responses = np.load(session / "responses.npy")
    np.testing.assert_array_equal(load_extra(out, "true_responses"), responses[:, [5, 4, 3, 2]])
    assert sorted(path.name for path in out.parent.iterdir()) == ["v1"]  # no temporary files


def test_inspect_shows_it_and_names_the_recipe(session, tmp_path, capsys):
    data_import_lfp.main(words(session, tmp_path / "v1"))
    capsys.readouterr()
    data_inspect.main([str(tmp_path / "v1")])
    printed = capsys.readouterr().out
    assert "40 trials of 7 channels x 313 samples" in printed
    assert "1 recording of 0.3 minutes" in printed
    assert (tmp_path / "v1.png").is_file()
    assert "eeg" not in printed.splitlines()[-1]


def test_windows_and_channels_can_be_chosen(session, tmp_path):
    more = (
        "--channels",
        "850008",
        "850020",
        "--tmin",
        "0.05",
        "--tmax",
        "0.2",
        "--band",
        "2",
        "90",
    )
    data_import_lfp.main(words(session, tmp_path / "v1", *more))
    trials = load_dataset(tmp_path / "v1").trials
    assert (trials.ch_names, trials.n_times) == (("VISp 20", "VISp 8"), 188)
    assert trials.preprocessing["settings"]["band"] == [2.0, 90.0]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (("--tmax", "0.3"), "at most 0.2496 s"),
        (("--area", "V1"), "`area` must be one of 'CA1', 'VISp'"),
        (("--stimulus", "gabors"), "it holds natural_scenes"),
        (("--true-responses", "{session}/truth.npz", "--tmax", "0.2"), "time=250"),
    ],
)
def test_refuses_and_leaves_nothing(session, tmp_path, more, match):
    more = [word.format(session=session) for word in more]
    with pytest.raises(ValueError, match=match):
        data_import_lfp.main(words(session, tmp_path / "v1", *more))
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_missing_picture(session, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (0, 1, 2, 4):
        Image.new("L", (4, 4)).save(folder / f"natural_scene_{number}.png")
    given = words(session, tmp_path / "v1", "--images", str(folder))
    with pytest.raises(ValueError, match=r"lacks 1 of 5, the first for natural_scene_003"):
        data_import_lfp.main(given)


def test_refuses_an_existing_folder_before_reading(tmp_path):
    with pytest.raises(WrongUseError, match="must not exist yet"):
        data_import_lfp.main(words(tmp_path, tmp_path))


def test_data_import_sends_nwb_here(session, tmp_path):
    given = [str(session / "probe_7_lfp.nwb"), "--out", str(tmp_path / "x")]
    with pytest.raises(WrongUseError, match=r"phosphene data import-lfp .*probe_7_lfp\.nwb"):
        data_import.main([*given, "--events", "1=a", "2=b"])
