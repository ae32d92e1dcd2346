"""Any number of channels and any common sampling rate, from files to pictures."""

import numpy as np
import pytest
from PIL import Image

from phosphene.cli.main import main as phosphene

RATES = (128, 250, 500, 512, 1000)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a function that fills the current folder with EDF files and pictures."""
    import mne

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def lab(n_chans, sfreq, *, n_recordings=2, seconds=24):
        for name in ("cat", "dog"):
            folder = tmp_path / "pictures" / name
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(6):
                pixels = rng.integers(0, 256, (16, 16), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
        for number in range(n_recordings):
            names = [f"E{n + 1}" for n in range(n_chans)]
            info = mne.create_info(names, float(sfreq), "eeg")
            signal = rng.normal(0, 10e-6, (n_chans, seconds * sfreq))
            raw = mne.io.RawArray(signal, info, verbose="error")
            onsets = np.arange(1.0, seconds - 1.2)
            raw.set_annotations(mne.Annotations(onsets, 0.0, ["cat", "dog"] * (len(onsets) // 2)))
            path = tmp_path / "raw" / f"run{number}.edf"
            path.parent.mkdir(exist_ok=True)
            raw.export(path, physical_range="channelwise", overwrite=True, verbose="error")
        return tmp_path

    return lab


def data_import(*words, out="data"):
    words = ["--out", out, "--events", "cat=cat", "dog=dog", "--subject", "s", *words]
    assert phosphene(["data", "import", "raw", "--images", "pictures", *words]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("n_chans", "sfreq"), [(1, 512), (64, 500), (128, 1000)])
def test_channels_of_any_number_train_and_draw(lab, n_chans, sfreq):
    folder = lab(n_chans, sfreq)
    assert phosphene(["data", "inspect", "raw", "--json"]) == 0
    data_import()
    assert phosphene(["data", "inspect", "data"]) == 0
    train = ["train", "eeg2image_2023", "smoke", "--data", "data", "--out", "run"]
    assert phosphene(train) == 0
    assert (folder / "run" / "report.html").is_file()
    words = ["--signals", "raw/run0.edf", "--n-draws", "1", "--n-trials", "3", "--out", "out"]
    assert phosphene(["generate", "run", *words]) == 0
    assert len(list((folder / "out" / "pictures").iterdir())) == 3


@pytest.mark.parametrize("sfreq", RATES)
def test_rates_of_any_kind_suit_the_quick_preset(lab, sfreq):
    """With the default of 128 Hz, and as recorded."""
    import torch

    from phosphene.data.dataset import load_dataset
    from phosphene.export.networks import build_network
    from phosphene.recipes.eeg2image_2023.config import quick
    from phosphene.recipes.eeg2image_2023.run import encoder_spec, published_encoder

    folder = lab(3, sfreq, seconds=12)
    data_import()
    data_import("--resample", "None", out="as_recorded")
    for name, rate in (("data", 128), ("as_recorded", sfreq)):
        trials = load_dataset(folder / name).trials
        assert trials.sfreq == rate
        assert trials.n_times == round(0.8 * rate)
        for config in (quick(), published_encoder(quick())):
            network = build_network(encoder_spec(config, trials)).eval()
            with torch.no_grad():
                features = network(torch.from_numpy(np.array(trials.epochs[:4])) * 1e5)
            assert features.isfinite().all()
            assert features.std() > 0
