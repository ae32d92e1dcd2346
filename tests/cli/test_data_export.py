import shlex
import subprocess
import sys

import mne
import numpy as np
import pytest

from phosphene.cli import data_export
from phosphene.cli.wrong_use import WrongUseError
from phosphene.data.dataset import load_dataset


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # in mne.read_epochs
def test_writes_epochs_and_names_the_next_command(lab, tmp_path, capsys):
    path = tmp_path / "own lab-epo.fif"
    data_export.main([str(lab / "data"), "--out", str(path), "--margin"])
    trials = load_dataset(lab / "data").trials
    epochs = mne.read_epochs(path, verbose="error")
    np.testing.assert_array_equal(epochs.get_data().astype(np.float32), trials.epochs_with_margin)
    assert set(epochs.event_id) == {"houses", "faces"}
    assert epochs.get_montage() is not None  # a Muse's channels are electrodes of the 10-20 system
    out = capsys.readouterr().out
    assert f"{len(trials)} epochs of 4 channels, -0.2031 to" in out
    words = shlex.split(out.splitlines()[-1].removeprefix("next    python "))
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    assert "EpochsFIF" in done.stdout


def test_refuses_other_names_and_existing_files(lab, tmp_path):
    with pytest.raises(WrongUseError, match=r"called \.\.\.-epo\.fif"):
        data_export.main([str(lab / "data"), "--out", str(tmp_path / "x.edf")])
    (tmp_path / "x-epo.fif").touch()
    with pytest.raises(ValueError, match="written once"):
        data_export.main([str(lab / "data"), "--out", str(tmp_path / "x-epo.fif")])
    with pytest.raises(ValueError, match="data set is a folder"):
        data_export.main([str(lab / "raw"), "--out", str(tmp_path / "y-epo.fif")])
