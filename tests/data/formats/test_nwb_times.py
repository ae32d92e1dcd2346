import h5py
import numpy as np
import pytest

from phosphene.data.formats.nwb_times import SampleTimes, gaps_of, read_invalid, read_times


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        file.create_group("s")
        yield file


@pytest.mark.parametrize(
    ("rate", "sfreq"),
    [(1249.98, 1250.0), (1250.0, 1250.0), (1017.2526, 1017.2526), (500.04, 500.0)],
)
def test_a_clock_near_a_whole_rate_has_that_rate(file, rate, sfreq):
    file["s/timestamps"] = 5 + np.arange(2000) / rate
    times = read_times(file["s"], n_samples=2000)
    assert times.measured == pytest.approx(rate, rel=1e-7)
    assert times.sfreq == pytest.approx(sfreq, rel=1e-7)


def test_jitter_is_no_gap_and_gaps_do_not_change_the_rate(file):
    stamps = np.arange(3000) / 1000 + np.random.default_rng(0).uniform(-1e-4, 1e-4, 3000)
    stamps[1000:] += 0.001
    stamps[2500:] += 60
    file["s/timestamps"] = stamps
    times = read_times(file["s"], n_samples=3000)
    assert times.gaps == (1000, 2500)
    assert times.sfreq == 1000


def test_nearest_agrees_with_a_slow_search():
    rng = np.random.default_rng(0)
    times = SampleTimes(np.sort(rng.uniform(0, 9, 50)), 0, 5.0, None, ())
    asked = rng.uniform(-1, 10, 200)
    sample, distance = times.nearest(asked)
    apart = np.abs(times.times - asked[:, None])
    assert sample.tolist() == apart.argmin(axis=1).tolist()
    np.testing.assert_allclose(distance, apart.min(axis=1))


@pytest.mark.parametrize("step", [-0.5, 0.0, 0.1])
def test_refuses_stamps_that_stand_still_or_fall(file, step):
    stamps = np.arange(100) / 100
    stamps[40:] -= (1 - step) / 100
    file["s/timestamps"] = stamps
    with pytest.raises(ValueError, match=r"at sample 40, others are 0\.010000 s apart"):
        read_times(file["s"], n_samples=100)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_refuses_rates_that_are_none(file, rate):
    file["s/starting_time"] = 1.0
    file["s/starting_time"].attrs["rate"] = rate
    with pytest.raises(ValueError, match="greater than 0"):
        read_times(file["s"], n_samples=10)


def test_invalid_stretches_of_this_probe_become_gaps(file):
    assert read_invalid(file, {"probeA"}) == []
    table = file.create_group("intervals/invalid_times")
    table["start_time"], table["stop_time"] = [0.5, 2.0, 3.0], [1.0, 2.1, 4.0]
    assert len(read_invalid(file, {"probeA"})) == 3  # without tags they hold for all
    table.create_dataset("tags", data=["probeA", "x", "probeB"], dtype=h5py.string_dtype())
    table["tags_index"] = np.array([2, 2, 3])
    stretches = read_invalid(file, {"probeA", "all_probes"})
    assert stretches == [(0.5, 1.0), (2.0, 2.1)]
    times = SampleTimes(np.arange(500) / 100, 0, 100.0, None, (300,))
    gaps = gaps_of(times, stretches)
    assert gaps == (50, 60, 70, 80, 90, 100, 200, 210, 300)
    del table["stop_time"]
    with pytest.raises(ValueError, match="lack some"):
        read_invalid(file, {"probeA"})
