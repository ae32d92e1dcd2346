import numpy as np
import pytest

from phosphene.data.formats.xdf import read_xdf

RNG = np.random.default_rng(0)
UV = RNG.normal(0, 20, (500, 3)).astype(np.float32)
TIMES = 1000 + np.arange(500) / 100


def signal(**changes):
    units = [("Cz", "microvolts"), ("Pz", "uV"), ("Oz", "microvolts")]
    stream = {
        "name": "Amp",
        "type": "EEG",
        "format": "float32",
        "rate": 100,
        "channels": [{"label": name, "unit": unit, "type": "EEG"} for name, unit in units],
        "times": TIMES,
        "values": UV,
    }
    return {**stream, **changes}


def marks(*, name="Marks", times=(1001.0, 1002.503, 1004.0), codes=("a", "b", "a"), **changes):
    stream = {"name": name, "type": "Markers", "format": "string", "rate": 0, "times": list(times)}
    return {**stream, "values": [(code,) for code in codes], **changes}


def test_reads_signal_markers_and_identity(write_xdf, tmp_path, recwarn):
    (tmp_path / "sub-3").mkdir()
    recording = read_xdf(write_xdf(signal(), marks(), name="sub-3/a.xdf"), montage="standard_1020")
    np.testing.assert_allclose(recording.signal, UV.T * 1e-6, rtol=1e-6)
    assert recording.ch_names == ("Cz", "Pz", "Oz")
    assert recording.sfreq == 100
    assert recording.sfreq_measured == pytest.approx(100, abs=0.01)
    assert recording.events["sample"].tolist() == [100, 250, 400]
    assert recording.events["code"].tolist() == ["a", "b", "a"]
    assert recording.recording == "sub-3_unknown_a"
    assert (recording.gaps, recording.meas_note, recording.montage) == ((), "", "standard_1020")
    assert not recwarn


def test_jittered_stamps_are_laid_on_a_grid_and_lost_samples_are_gaps(write_xdf):
    times = TIMES + np.where(np.arange(500) >= 300, 0.5, 0)
    jittered = times + RNG.uniform(0, 0.004, 500)
    marker = marks(times=(1001.0, 1003.2, 1004.5, 1000.0, 1009), codes="abcde")
    recording = read_xdf(write_xdf(signal(times=jittered), marker))
    assert recording.gaps == (300,)
    assert recording.events["sample"].tolist() == [0, 100, 400]  # 1003.2 fell into the gap
    assert recording.events["code"].tolist() == ["d", "a", "c"]
    assert "2 markers lie outside the signal" in recording.meas_note


def test_clocks_of_two_computers_are_put_on_one_time(write_xdf):
    clock = [(t, 0.0) for t in range(995, 1010)]
    other = [(t, -500.0) for t in range(1495, 1510)]  # markers were stamped 500 s later
    marker = marks(times=(1501.0, 1502.5, 1504.0))
    recording = read_xdf(write_xdf(signal(), marker, offsets=[clock, other]))
    assert recording.events["sample"].tolist() == [100, 250, 400]


def test_units_types_and_names_of_channels(write_xdf):
    channels = [
        {"label": "Cz", "unit": "millivolts", "type": "EEG"},
        {"label": "X", "unit": "g", "type": "ACC"},
        {"label": "Oz"},
    ]
    path = write_xdf(signal(channels=channels), marks())
    with pytest.raises(ValueError, match=r"Oz of a\.xdf has none; say it with --unit uV"):
        read_xdf(path)
    recording = read_xdf(path, unit="uV", rename_channels={"Oz": "O1"})
    assert recording.ch_names == ("Cz", "O1")
    np.testing.assert_allclose(recording.signal, UV.T[[0, 2]] * [[1e-3], [1e-6]], rtol=1e-6)
    assert read_xdf(path, drop_channels=["Oz"]).ch_names == ("Cz",)
    with pytest.raises(ValueError, match=r"X of a\.xdf has 'g'"):
        read_xdf(path, unit="uV", channel_types=["acc"])
    with pytest.raises(ValueError, match="keeps none"):
        read_xdf(path, drop_channels=["Cz", "Oz"])
    bare = write_xdf(signal(channels=[], n=3), marks())
    assert read_xdf(bare, unit="V").ch_names == ("channel 1", "channel 2", "channel 3")


def test_a_stream_without_units_can_be_inspected_and_says_the_option(write_xdf):
    path = write_xdf(signal(channels=[], n=3), marks())
    with pytest.raises(ValueError, match="say it with --unit uV"):
        read_xdf(path)
    looked_at = read_xdf(path, strict=False)
    np.testing.assert_allclose(looked_at.signal, UV.T * 1e-6, rtol=1e-6)
    assert "no unit of 3 channels, read as uV here" in looked_at.meas_note
    assert looked_at.import_options == ("--unit", "uV")
    assert read_xdf(path, unit="mV", strict=False).import_options == ()


def test_codes_that_are_numbers_stand_in_full(write_xdf):
    codes = (1_000_001, 1_000_002, 0.1234567)
    path = write_xdf(signal(), marks(format="double64", codes=codes))
    assert read_xdf(path).events["code"].tolist() == ["1000001", "1000002", "0.1234567"]


def test_no_marker_falls_on_stamps_that_stand_still(write_xdf):
    number = np.arange(500)
    times = TIMES + np.where(number >= 150, 5, 0) + np.where(number >= 153, 5, 0)
    times[150:153] = times[150]
    marker = marks(times=(times[150] + 0.01, times[40], times[400]))
    recording = read_xdf(write_xdf(signal(times=times), marker))
    assert recording.gaps == (150, 153)
    assert recording.events["sample"].tolist() == [40, 400]
    assert "1 markers lie outside" in recording.meas_note
    assert "1 pieces between gaps have time stamps that do not rise evenly" in recording.meas_note


def test_one_sample_before_a_gap_takes_no_marker_from_it(write_xdf):
    times = np.r_[TIMES[0] - 5, TIMES[1:]]
    recording = read_xdf(write_xdf(signal(times=times), marks(times=(995.3, 1001.0, 995.0))))
    assert recording.events["sample"].tolist() == [0, 100]


def test_chooses_among_streams(write_xdf):
    numbers = marks(name="Codes", format="int32", codes=(3, 4, 0))
    path = write_xdf(signal(), signal(name="Amp2", type="eeg"), marks(), numbers)
    with pytest.raises(ValueError, match="has Amp, Amp2; choose one with --stream Amp"):
        read_xdf(path)
    with pytest.raises(ValueError, match=r"Marks has 3 .*Codes has 2 .*--events-from Marks"):
        read_xdf(path, stream="Amp2")
    recording = read_xdf(path, stream="2", events_from="Codes")
    assert recording.events["code"].tolist() == ["3", "4"]
    assert read_xdf(path, stream="Amp", events_from="3").events["code"].tolist() == ["a", "b", "a"]
    looked_at = read_xdf(path, strict=False)
    assert looked_at.import_options == ("--stream", "Amp", "--events-from", "Marks")
    with pytest.raises(ValueError, match="Did you mean 'Amp2'"):
        read_xdf(path, stream="amp2")
    with pytest.raises(ValueError, match="Did you mean 'Codes'"):
        read_xdf(path, stream="Amp", events_from="codes")
    twins = write_xdf(signal(), signal(), marks())
    assert read_xdf(twins, stream="2").n_samples == 500
    with pytest.raises(ValueError, match="has 1, 2; choose"):
        read_xdf(twins)


@pytest.mark.parametrize(
    ("streams", "says"),
    [
        ([marks()], r"stream of numbers with a rate; a\.xdf has none among Marks"),
        ([signal()], r"a\.xdf has no marker during the signal in any stream"),
        ([signal(), marks(times=(9.0, 9.1, 9.2))], "no marker during the signal"),
        ([signal(times=np.where(TIMES == 1001, np.nan, TIMES)), marks()], "1 that are none"),
        ([signal(rate=50), marks()], "says 50 Hz, its time stamps 100.00 Hz"),
        ([signal(values=np.where(UV[7, 1] == UV, np.nan, UV)), marks()], "Pz of a.xdf is not at 1"),
        ([signal(values=UV * [0, 1, 1]), marks()], "Cz of a.xdf is constant"),
    ],
)
def test_refuses_what_cannot_be_cut(write_xdf, streams, says):
    path = write_xdf(*streams)
    with pytest.raises(ValueError, match=says):
        read_xdf(path)
