import numpy as np
import pytest

from phosphene.reporting.signal_contents import read_signals, system_order
from phosphene.run_dir import RunDir

INDEX = "folds/pictures/summaries/index.json"


def test_other_runs_hold_no_signals(finished_run, tmp_path):
    assert read_signals(finished_run) is None
    assert read_signals(RunDir.create(tmp_path / "run")) is None


def test_summaries_are_found_by_system_and_set(make_signal_run):
    signals = read_signals(make_signal_run(noise=0.0, GAN=0.5, mine=0.7, autoencoder=0.9))
    order = ["autoencoder", "mine", "GAN", "noise"]
    assert [s.system for s in signals.systems(of="test")] == order
    assert signals.real(of="train").quantiles.shape == (5, 6, 40)
    assert signals.real(of="picture", picture="natural_scene_043").picture == "natural_scene_043"
    assert signals.real(of="all") is None
    assert [(real.of, made.system) for real, made in signals.compared()][3:5] == [
        ("test", "noise"),
        ("train", "autoencoder"),
    ]


def test_own_systems_follow_the_autoencoder():
    names = ["noise", "zeta", "alpha", "GAN", "autoencoder"]
    assert sorted(names, key=system_order) == ["autoencoder", "alpha", "zeta", "GAN", "noise"]


def test_parts_are_read_before_there_are_summaries(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_arrays("folds/pictures/progress.npz", {"steps": np.arange(3)})
    signals = read_signals(run)
    assert signals.summaries == ()
    np.testing.assert_array_equal(signals.progress["steps"], [0, 1, 2])


@pytest.mark.parametrize("file", ["../real.npz", "a/../0.npz", "/etc/passwd", "..\\0.npz"])
def test_the_index_names_files_beside_it(make_signal_run, file):
    run = make_signal_run()
    index = run.read_json(INDEX)
    index[0]["file"] = file
    run.write_json(INDEX, index)
    with pytest.raises(ValueError, match="must name files beside it"):
        read_signals(run)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"file": 3, "system": "", "set": ""}, r"`0.file` .* must be text"),
        ({"file": "0.npz", "system": "GAN"}, "must hold `0.set`"),
    ],
)
def test_an_index_of_another_form_is_refused(make_signal_run, entry, message):
    run = make_signal_run()
    run.write_json(INDEX, [entry])
    with pytest.raises(ValueError, match=message):
        read_signals(run)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"quantiles": np.zeros((5, 6))}, "`quantiles` .* must have 3 axes; got 2"),
        ({"quantiles": np.zeros((4, 6, 40))}, r"`quantiles` .* shape \(5, 6, 40\)"),
        ({"correlation": np.zeros((6, 5))}, r"`correlation` .* shape \(6, 6\)"),
        ({"spectrum_sd": np.zeros((6, 2))}, "`spectrum_sd`"),
        ({"examples": np.zeros((3, 6, 41))}, "`examples`"),
        ({"correlation": np.full((6, 6), np.nan)}, "correlation of .* finite"),
    ],
)
def test_arrays_of_other_axes_are_refused(make_signal_run, changed, message):
    run = make_signal_run()
    name = "folds/pictures/summaries/0.npz"
    run.write_arrays(name, {**run.read_arrays(name), **changed})
    with pytest.raises(ValueError, match=message):
        read_signals(run)


def test_summaries_of_other_channels_are_refused(make_signal_run):
    run, other = make_signal_run(), make_signal_run(n_chans=5)
    name = "folds/pictures/summaries/0.npz"
    run.write_arrays(name, other.read_arrays(name))
    with pytest.raises(ValueError, match="same channels and samples"):
        read_signals(run)
