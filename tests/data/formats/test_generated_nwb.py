import sys
from dataclasses import replace

import numpy as np
import pynwb
import pytest

from phosphene.data.formats import generated_nwb
from phosphene.data.formats.generated_nwb import GeneratedLFP, write_generated_nwb


@pytest.fixture
def generated():
    windows = np.random.default_rng(0).normal(size=(3, 4, 2, 25)).astype(np.float32)
    return GeneratedLFP(
        windows=windows,
        volts=True,
        pictures=["a.png", "b.png", "c.png"],
        ch_names=["upper", "lower"],
        sfreq=1250.0,
        tmin=-0.01,
        area="VISp",
        source="Made by a test, seed 3.",
    )


@pytest.mark.parametrize("volts", [True, False])
@pytest.mark.parametrize("buffer", [1, 8 << 20])
def test_windows_come_back_end_to_end(generated, tmp_path, monkeypatch, volts, buffer):
    monkeypatch.setattr(generated_nwb, "BUFFER_BYTES", buffer)
    path = tmp_path / "generated.nwb"
    write_generated_nwb(path, replace(generated, volts=volts))
    with pynwb.NWBHDF5IO(str(path), "r") as reader:
        file = reader.read()
        module = file.processing["ecephys"]
        series = (module["LFP"] if volts else module)["generated_lfp"]
        assert isinstance(series, pynwb.ecephys.ElectricalSeries) == volts
        assert (series.unit, series.rate) == ("volts" if volts else "z-score", 1250.0)
        data = series.data[:]
        assert data.shape == (300, 2)
        table = file.intervals["generated_windows"].to_dataframe()
        assert len(table) == 12
        for row in table.itertuples():
            piece = data[round(row.start_time * 1250) : round(row.stop_time * 1250)]
            assert row.first_sample == round(row.start_time * 1250)
            assert row.picture == generated.pictures[row.picture_number]
            np.testing.assert_array_equal(piece.T, generated.windows[row.picture_number, row.draw])
        assert file.electrodes["channel_name"][:].tolist() == ["upper", "lower"]
        assert file.electrodes["location"][:].tolist() == ["VISp", "VISp"]
        assert "not a recording" in file.session_description
        assert "seed 3" in series.description
        assert ("Z-scored" in series.description) != volts
    assert pynwb.validate(path=str(path)) == []


def test_refuses_names_that_do_not_fit_and_no_windows(generated):
    with pytest.raises(ValueError, match="picture=2"):
        replace(generated, pictures=["a", "b"])
    with pytest.raises(ValueError, match="chan=1"):
        replace(generated, ch_names=["a"])
    with pytest.raises(ValueError, match="needs windows"):
        replace(generated, windows=generated.windows[:, :0])


def test_says_how_to_install_pynwb(generated, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(ValueError, match="pip install pynwb"):
        write_generated_nwb(tmp_path / "x.nwb", generated)
    assert list(tmp_path.iterdir()) == []
