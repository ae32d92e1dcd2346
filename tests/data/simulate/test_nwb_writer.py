import builtins

import h5py
import numpy as np
import pandas as pd
import pynwb
import pytest

from phosphene.data.simulate.nwb_writer import (
    Electrodes,
    ProbeSignal,
    write_probe,
    write_session,
)

ELECTRODES = Electrodes(
    location=("CA1", "VISp", "VISp"), vertical=np.array([200, 490, 530]), horizontal=np.arange(3)
)
SIGNAL = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)


def pieces(size=300):
    return ((start, SIGNAL[:, start : start + size]) for start in range(0, 1000, size))


@pytest.fixture(scope="module")
def probe_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("probe") / "probe_7_lfp.nwb"
    write_probe(
        path,
        ProbeSignal(pieces(), 1000, 3),
        timestamps=2.5 + np.arange(1000) / 1249.998,
        electrodes=ELECTRODES,
        identifier="12",
        probe=7,
        description="LFP of a test",
    )
    return path


@pytest.fixture(scope="module")
def session_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("session") / "session.nwb"
    starts = 5 + 0.25 * np.arange(4)
    showings = pd.DataFrame(
        {
            "start_time": starts,
            "stop_time": starts + 0.25,
            "stimulus_block": [0.0, 0.0, 1.0, 1.0],
            "stimulus_index": 0.0,
            "frame": [3.0, -1.0, 0.0, 3.0],
        }
    )
    write_session(
        path,
        showings=showings,
        rests=pd.DataFrame({"start_time": [0.0], "stop_time": [5.0]}),
        frames=np.arange(0, 6, 0.05),
        electrodes=ELECTRODES,
        identifier="12",
        description="a test",
    )
    return path


def test_pynwb_reads_the_signal_back(probe_file):
    with pynwb.NWBHDF5IO(str(probe_file), "r") as reader:
        file = reader.read()
        series = file.acquisition["probe_7_lfp"].electrical_series["probe_7_lfp_data"]
        np.testing.assert_array_equal(series.data[:], SIGNAL.T)
        assert series.data.dtype == np.float32
        assert series.conversion == 1.0
        assert series.unit == "volts"
        assert series.timestamps[0] == 2.5
        table = series.electrodes.to_dataframe()
    assert list(table["location"]) == ["CA1", "VISp", "VISp"]
    assert list(table["probe_vertical_position"]) == [200, 490, 530]
    assert list(table["local_index"]) == [0, 1, 2]
    assert table["valid_data"].all()
    assert set(table["probe_id"]) == {7}
    assert {"probe_horizontal_position", "x", "y", "z", "imp", "filtering"} <= set(table.columns)


def test_paths_inside_are_those_of_the_published_files(probe_file):
    """As read by allensdk's EcephysNwbSessionApi.get_lfp and by the Allen Institute's users."""
    with h5py.File(probe_file) as file:
        data = file["acquisition/probe_7_lfp/probe_7_lfp_data/data"]
        assert data.shape == (1000, 3)
        assert file["acquisition/probe_7_lfp"].attrs["neurodata_type"] == "LFP"
        link = file["acquisition"].get("probe_7_lfp_data", getlink=True)
        assert isinstance(link, h5py.SoftLink)
        assert file["identifier"].asstr()[()] == "7"
        assert file["general/session_id"].asstr()[()] == "12"
        assert "local_index" in file["general/extracellular_ephys/electrodes"]


def test_pynwb_reads_the_showings_back(session_file):
    with pynwb.NWBHDF5IO(str(session_file), "r") as reader:
        file = reader.read()
        scenes = file.intervals["natural_scenes_presentations"].to_dataframe()
        rests = file.intervals["spontaneous_presentations"].to_dataframe()
        assert file.identifier == "12"
        first = scenes["timeseries"].iloc[1][0]
        assert (first.idx_start, first.count) == (105, 5)  # the monitor's frames of 0.05 s
    assert list(scenes["frame"]) == [3.0, -1.0, 0.0, 3.0]
    assert list(scenes["start_time"]) == [5.0, 5.25, 5.5, 5.75]
    assert list(scenes["stimulus_block"]) == [0.0, 0.0, 1.0, 1.0]
    assert set(scenes["stimulus_name"]) == {"natural_scenes"}
    assert list(scenes["tags"].iloc[0]) == ["stimulus_time_interval"]
    assert set(rests["stimulus_name"]) == {"spontaneous"}
    assert "frame" not in rests


def test_columns_have_the_types_of_the_published_files(session_file):
    with h5py.File(session_file) as file:
        table = file["intervals/natural_scenes_presentations"]
        for name in ("start_time", "stop_time", "frame", "stimulus_block", "stimulus_index"):
            assert table[name].dtype == np.float64
            assert table[name].shape == (4,)


def test_files_agree_with_the_schema(probe_file, session_file):
    for path in (probe_file, session_file):
        result = pynwb.validate(path=str(path))
        errors = result[0] if isinstance(result, tuple) else result
        assert not errors


def test_pieces_are_written_as_they_are_drawn(tmp_path):
    asked = []

    def watched():
        for start, piece in pieces(100):
            asked.append(start)
            yield start, piece.copy()

    write_probe(
        tmp_path / "probe.nwb",
        ProbeSignal(watched(), 1000, 3),
        timestamps=np.arange(1000.0),
        electrodes=ELECTRODES,
        identifier="1",
        description="a test",
    )
    assert asked == list(range(0, 1000, 100))


def test_without_pynwb_the_way_to_get_it_is_told(tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name == "pynwb":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ValueError, match="pip install pynwb"):
        write_probe(
            tmp_path / "probe.nwb",
            ProbeSignal(pieces(), 1000, 3),
            timestamps=np.arange(1000.0),
            electrodes=ELECTRODES,
            identifier="1",
            description="a test",
        )
    assert not list(tmp_path.iterdir())
