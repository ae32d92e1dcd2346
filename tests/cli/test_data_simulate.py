import json

import numpy as np
import pytest
from PIL import Image

from phosphene.cli.data_simulate import main, simulate_dataset
from phosphene.cli.main import main as phosphene
from phosphene.data.dataset import load_dataset, load_recordings
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.simulate.settings import EEGSimulation

FEW = ["--n-trials", "80", "--n-subjects", "2", "--n-recordings", "2"]


@pytest.fixture(autouse=True)
def _cache_in_temporary_folder(monkeypatch, tmp_path_factory):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.getbasetemp()))


def test_writes_a_data_set_that_says_how_it_was_made(tmp_path, capsys):
    main(["--out", str(tmp_path / "data"), "--ceiling", "0.9", "--image-size", "16", *FEW])
    dataset = load_dataset(tmp_path / "data")
    assert dataset.trials.epochs.shape == (80, 14, 77)
    assert dataset.images.pixels.shape == (1797, 16, 16, 1)
    assert dataset.pairing.kind == "paired"
    assert dataset.info["origin"] == "simulated"
    assert dataset.info["ceiling"]["accuracy"] == pytest.approx(0.9, abs=2e-3)
    assert dataset.info["simulation"]["n_trials"] == 80
    assert dataset.info["simulation"]["effect"] != 1.0
    assert len(load_recordings(tmp_path / "data")) == 4
    out, err = capsys.readouterr()
    assert "ceiling    0.900 [" in out
    assert "phosphene train eeg2image_2023 --data" in out
    assert "simulating" in err


def test_settings_in_info_make_the_same_data_again(tmp_path):
    simulation = EEGSimulation(n_trials=20, n_subjects=1, n_recordings=2, ceiling=0.8)
    first = simulate_dataset(simulation, out=tmp_path / "first")
    saved = json.loads((tmp_path / "first" / "info.json").read_text())["simulation"]
    again = EEGSimulation(**{**saved, "interval": tuple(saved["interval"])})
    second = simulate_dataset(again, out=tmp_path / "second")
    assert first.data_hash == second.data_hash


def test_takes_own_pictures_and_epochs(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for index in range(5):
            pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{index}.png")
    own = ["--images", str(tmp_path / "pictures"), "--image-size", "12", "--tmax", "0.5"]
    main(["--out", str(tmp_path / "data"), "--montage", "muse", *own, *FEW])
    dataset = load_dataset(tmp_path / "data")
    assert dataset.trials.classes == ("cat", "dog")
    assert dataset.trials.epochs.shape == (80, 4, 64)
    assert dataset.images.pixels.shape == (10, 12, 12, 3)
    assert dataset.images.shown.sum() == 6
    assert dataset.pairing.kind == "paired"


def test_existing_folder_is_refused_before_any_work(tmp_path):
    with pytest.raises(ValueError, match="choose another --out"):
        simulate_dataset(EEGSimulation(), out=tmp_path, epochs=Preprocessing())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--ceilling", "0.9"], 2, "--ceiling"),
        (["--order", "block"], 2, "blocked"),
        (["--effect", "-1"], 2, "must not be negative"),
        (["--montage", "emotive14"], 1, "Did you mean 'emotiv14'"),
        (["--ceiling", "0.05"], 1, "between chance"),
        (["--images", "nowhere"], 1, "nothing at nowhere"),
    ],
)
def test_wrong_use_writes_nothing(tmp_path, capfd, options, code, says):
    assert phosphene(["data", "simulate", "--out", str(tmp_path / "data"), *options]) == code
    assert says in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
