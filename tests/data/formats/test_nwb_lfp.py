import errno
import os
import shutil

import h5py
import numpy as np
import pytest

from phosphene.data.formats.nwb_lfp import is_nwb, read_nwb_lfp, read_probe
from phosphene.data.preprocessing import LFP_WINDOW
from phosphene.data.showings import GREY, SHOWN, cut_showings, picture_split

SERIES = "acquisition/probe_7_lfp/probe_7_lfp_data"
TABLE = "general/extracellular_ephys/electrodes"
SHOWINGS = "intervals/natural_scenes_presentations"


@pytest.fixture
def files(lfp_session, tmp_path):
    """Copies to spoil: session and probe."""
    for name in ("session.nwb", "probe_7_lfp.nwb"):
        shutil.copy(lfp_session / name, tmp_path)
    return tmp_path / "session.nwb", tmp_path / "probe_7_lfp.nwb"


def change(path, do):
    with h5py.File(path, "r+") as file:
        do(file)


def replaced(name, values, **attrs):
    """Put other values in the place of an array, with its attributes."""

    def do(file):
        kept = dict(file[name].attrs) if name in file else {}
        if name in file:
            del file[name]
        file[name] = values
        for key, value in {**kept, **attrs}.items():
            file[name].attrs[key] = value

    return do


def test_reads_the_area_from_the_surface_down(lfp_session):
    recording, columns, n_columns = read_probe(
        lfp_session / "session.nwb", lfp_session / "probe_7_lfp.nwb", area="VISp"
    )
    assert (columns, n_columns) == ([5, 4, 3, 2], 8)  # column 6 is not valid
    assert recording.ch_names == ("VISp 20", "VISp 16", "VISp 12", "VISp 8")
    written = np.load(lfp_session / "signal.npy")
    assert isinstance(recording.signal, np.memmap)
    np.testing.assert_array_equal(recording.signal, written[:, columns].T)
    assert recording.sfreq == 1250.0
    assert recording.sfreq_measured == pytest.approx(1249.998, abs=1e-5)
    assert (recording.subject, recording.session) == ("m1", "42")
    assert (recording.recording, recording.source) == ("probe_7_lfp", "probe_7_lfp.nwb")
    assert recording.gaps == ()
    assert recording.meas_note == (
        "channels in VISp, from the surface down; 4 other channels were left out"
    )


def test_reads_the_showings_at_the_nearest_sample(lfp_session):
    session, probe = lfp_session / "session.nwb", lfp_session / "probe_7_lfp.nwb"
    events = read_nwb_lfp(session, probe).events
    with h5py.File(session) as file:
        onsets, frames = file[f"{SHOWINGS}/start_time"][()], file[f"{SHOWINGS}/frame"][()]
    with h5py.File(probe) as file:
        times = file[f"{SERIES}/timestamps"][()]
    nearest = [int(np.abs(times - onset).argmin()) for onset in onsets]
    assert events["sample"].tolist() == nearest
    assert events["code"].tolist() == [GREY if frame < 0 else SHOWN for frame in frames]
    assert events["stimulus"].tolist() == [
        "" if frame < 0 else f"natural_scene_{int(frame):03d}" for frame in frames
    ]
    assert events["block"].tolist() == ["2"] * 24 + ["5"] * 24


def test_showings_are_cut_and_split_by_picture(lfp_session):
    recording = read_nwb_lfp(lfp_session / "session.nwb", lfp_session / "probe_7_lfp.nwb")
    trials, rejected = cut_showings(recording, LFP_WINDOW)
    assert trials.epochs.shape == (40, 7, 313)
    assert len(rejected) == 0
    split = picture_split(trials, seed=0)
    assert len(split.folds[0].test) == 8
    assert "share their first or last sample" in split.doubt


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"channels": (850_000, 850_024)}, ("VISp 24", "CA1 0")),
        ({"channels": (850_012,), "area": "VISp"}, ("VISp 12",)),
        ({"max_channels": 3}, ("28", "VISp 12", "CA1 0")),
        ({"area": "CA1", "max_channels": 9}, ("CA1 4", "CA1 0")),
    ],
)
def test_channels_can_be_chosen(lfp_session, options, names):
    session, probe = lfp_session / "session.nwb", lfp_session / "probe_7_lfp.nwb"
    assert read_nwb_lfp(session, probe, **options).ch_names == names


def test_the_memory_map_lies_where_asked_and_is_gone_with_the_recording(lfp_session, tmp_path):
    session, probe = lfp_session / "session.nwb", lfp_session / "probe_7_lfp.nwb"
    recording = read_nwb_lfp(session, probe, folder=tmp_path)
    assert recording.signal.shape == (7, 20_000)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        read_nwb_lfp(session, probe, folder=tmp_path / "nowhere")


def test_a_full_disk_is_said_before_anything_is_written(lfp_session, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ValueError, match=r"0\.0 GB on the disk, twice"):
        read_nwb_lfp(lfp_session / "session.nwb", lfp_session / "probe_7_lfp.nwb")


@pytest.mark.parametrize(
    ("chunks", "block"), [((20_000, 1), 1), ((999, 3), 1), ((7, 8), 50_000), (None, 50_000)]
)
def test_any_layout_of_chunks_gives_the_same_signal(files, monkeypatch, chunks, block):
    from phosphene.data.formats import nwb_lfp

    monkeypatch.setattr(nwb_lfp, "BLOCK_BYTES", block)
    before = read_nwb_lfp(*files).signal

    def rewrite(file):
        values, attrs = file[f"{SERIES}/data"][()], dict(file[f"{SERIES}/data"].attrs)
        del file[f"{SERIES}/data"]
        packed = {} if chunks is None else {"compression": "gzip", "chunks": chunks}
        data = file.create_dataset(f"{SERIES}/data", data=values, **packed)
        data.attrs.update(attrs)

    change(files[1], rewrite)
    np.testing.assert_array_equal(read_nwb_lfp(*files).signal, before)


def test_integers_become_volts(files):
    counts = np.random.default_rng(0).integers(-900, 900, (20_000, 8)).astype(np.int16)
    change(files[1], replaced(f"{SERIES}/data", counts, conversion=2e-7, offset=1e-3))
    factors = np.linspace(1, 2, 8)
    change(files[1], replaced(f"{SERIES}/channel_conversion", factors))
    recording, columns, _ = read_probe(*files)
    expected = (counts * 2e-7 * factors + 1e-3)[:, columns].T
    np.testing.assert_allclose(recording.signal, expected, rtol=1e-6)


def test_a_rate_stands_for_time_stamps(files):
    def rate_instead(file):
        del file[f"{SERIES}/timestamps"]
        file[f"{SERIES}/starting_time"] = 12.3
        file[f"{SERIES}/starting_time"].attrs["rate"] = 1250.0

    change(files[1], rate_instead)
    recording = read_nwb_lfp(*files)
    assert (recording.sfreq, recording.sfreq_measured) == (1250.0, None)


def test_gaps_reject_the_showings_that_span_them_and_lose_those_within(files):
    times = 12.3 + np.arange(20_000) / 1249.998
    times[3000:] += 0.6  # two showings begin in the gap, one spans its start
    change(files[1], replaced(f"{SERIES}/timestamps", times))
    recording = read_nwb_lfp(*files)
    assert recording.gaps == (3000,)
    assert len(recording.events) == 46
    assert "2 showings began in a gap" in recording.meas_note
    trials, rejected = cut_showings(recording, LFP_WINDOW)
    assert set(rejected["reason"]) == {"gap in the time stamps"}
    for row in trials.table.itertuples():
        assert not row.start < 3000 < row.stop


def test_samples_without_a_time_are_left_out(files):
    times = 12.3 + np.arange(20_000) / 1249.998
    times[:500] = -1
    change(files[1], replaced(f"{SERIES}/timestamps", times))
    recording = read_nwb_lfp(*files)
    assert recording.n_samples == 19_500
    assert "the first 500 samples have no time" in recording.meas_note
    with h5py.File(files[1]) as file:
        np.testing.assert_array_equal(recording.signal[-1], file[f"{SERIES}/data"][500:, 0])


def test_showings_in_invalid_times_are_rejected(files):
    def invalidate(file):
        table = file["intervals"].create_group("invalid_times")
        table["start_time"], table["stop_time"] = [13.0, 15.0], [14.0, 15.1]
        table.create_dataset("tags", data=["probeC", "probeA"], dtype=h5py.string_dtype())
        table["tags_index"] = np.array([1, 2])

    change(files[0], invalidate)
    recording = read_nwb_lfp(*files)
    assert "1 stretches are marked invalid" in recording.meas_note
    trials, rejected = cut_showings(recording, LFP_WINDOW)
    onsets = 12.3 + trials.table["onset"].to_numpy()
    assert not ((onsets + 0.25 > 13.0) & (onsets < 14.0)).any()
    assert ((onsets > 14.9) & (onsets < 15.1)).any()  # another probe's
    assert 3 <= len(rejected) <= 5


def test_knows_nwb_by_its_name(tmp_path):
    assert is_nwb(tmp_path / "a.NWB")
    assert not is_nwb(tmp_path / "a.edf")


def without(name):
    return lambda file: file.pop(name)


def as_raw_data(file):
    file[SERIES].parent.attrs["neurodata_type"] = "FilteredEphys"


def second_series(file):
    file.copy(SERIES, "acquisition/probe_7_lfp/again")


def other_session(file):
    del file["general/session_id"]
    file["general/session_id"] = "43"


N = 20_000
SPOILT_PROBES = [
    (without("acquisition/probe_7_lfp"), "holds one LFP series .* has none"),
    (as_raw_data, "holds one LFP series .* has none"),
    (second_series, r"has 2: .*again"),
    (without(f"{SERIES}/data"), "holds none"),
    (replaced(f"{SERIES}/data", np.zeros((N, 8), "S3")), "must be numbers with 2 axes"),
    (replaced(f"{SERIES}/data", np.zeros(N)), "must be numbers with 2 axes"),
    (replaced(f"{SERIES}/data", np.zeros((0, 8))), "holds none"),
    (lambda f: f[f"{SERIES}/data"].attrs.update(unit="microvolts"), "says 'microvolts'"),
    (lambda f: f[f"{SERIES}/data"].attrs.update(conversion=0.0), "finite factors other than 0"),
    (without(f"{SERIES}/timestamps"), "neither"),
    (replaced(f"{SERIES}/timestamps", np.arange(N - 1) / 1250), "19999 for 20000 samples"),
    (replaced(f"{SERIES}/timestamps", np.full(N, np.nan)), "must be finite"),
    (replaced(f"{SERIES}/timestamps", np.full(N, -1.0)), "at least 3 samples"),
    (replaced(f"{SERIES}/timestamps", np.arange(N)[::-1] / 1250), "rise evenly"),
    (replaced(f"{SERIES}/timestamps", 99 + np.arange(N) / 1250), r"lie in the recording, 99\.0"),
    (replaced(f"{SERIES}/timestamps", np.arange(N) / 1250), "48 of 48|of 48 in session.nwb do not"),
    (without(TABLE), "names its electrodes"),
    (without(f"{SERIES}/electrodes"), "names its electrodes"),
    (replaced(f"{SERIES}/electrodes", np.arange(7)), "electrode of its own"),
    (replaced(f"{SERIES}/electrodes", np.zeros(8, int)), "electrode of its own"),
    (replaced(f"{SERIES}/electrodes", np.arange(1, 9)), "rows of a table of 8"),
    (replaced(f"{TABLE}/valid_data", np.zeros(8, bool)), "none of 8 is valid"),
    (other_session, "of session 42, .* of 43"),
]


@pytest.mark.parametrize(("spoil", "match"), SPOILT_PROBES)
def test_refuses_probe_files(files, spoil, match):
    change(files[1], spoil)
    with pytest.raises(ValueError, match=match):
        read_nwb_lfp(*files)


SPOILT_SESSIONS = [
    (without(SHOWINGS), "holds no stimuli"),
    (without("intervals"), "holds no stimuli"),
    (lambda f: f.move(SHOWINGS, "intervals/flashes_presentations"), "it holds flashes"),
    (without(f"{SHOWINGS}/frame"), "lacks some"),
    (replaced(f"{SHOWINGS}/frame", np.zeros(3)), "lacks some"),
    (replaced(f"{SHOWINGS}/frame", np.full(48, 1.5)), "48 of 48 .* have not"),
    (replaced(f"{SHOWINGS}/frame", np.full(48, -2.0)), "48 of 48 .* have not"),
    (replaced(f"{SHOWINGS}/start_time", np.full(48, np.nan)), "48 of 48 .* have not"),
    (
        replaced(f"{SHOWINGS}/start_time", 27.5 + np.arange(48) / 4),
        r"12\.300 to 28\.299 s; 44 of 48 .* first at 28\.500",
    ),
]


@pytest.mark.parametrize(("spoil", "match"), SPOILT_SESSIONS)
def test_refuses_session_files(files, spoil, match):
    change(files[0], spoil)
    with pytest.raises(ValueError, match=match):
        read_nwb_lfp(*files)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"area": "VISpp"}, "Did you mean 'VISp'"),
        ({"channels": (1,)}, "ids of electrodes"),
        ({"channels": (850_000,), "area": "VISp"}, "ids of electrodes"),
        ({"channels": ()}, "got none"),
        ({"stimulus": "gabors"}, "it holds natural_scenes"),
        ({"max_channels": 0}, "greater than 0"),
    ],
)
def test_refuses_options(lfp_session, options, match):
    session, probe = lfp_session / "session.nwb", lfp_session / "probe_7_lfp.nwb"
    with pytest.raises(ValueError, match=match):
        read_nwb_lfp(session, probe, **options)
