import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
from PIL import Image

from phosphene.data.simulate.lfp import (
    CLOCK_START,
    design_showings,
    make_model,
    make_pictures,
    simulate_session,
    stimulus_names,
)
from phosphene.data.simulate.lfp_background import PIECE
from phosphene.data.simulate.lfp_settings import LFPSimulation
from phosphene.data.simulate.oriented_filters import FEATURES, picture_features

SMALL = LFPSimulation(
    n_chans=8,
    spacing=1e-4,
    other_channels=2,
    n_pictures=6,
    picture_shape=(48, 60),
    n_repeats=10,
    n_blocks=2,
    rest=6.0,
)
SERIES = "acquisition/probe_0_lfp/probe_0_lfp_data"


def random_model(simulation):
    """Return a model for random features, without drawing pictures."""
    rng = np.random.default_rng(0)
    return make_model(simulation, rng.normal(size=(simulation.n_pictures, len(FEATURES))))


def windows_of(model):
    """Return (showing, chan, time): the windows at all showings, piece by piece."""
    samples, n_times = model.showings["sample"].to_numpy(), model.simulation.n_times
    epochs = np.empty((len(samples), len(model.probe.depths), n_times), np.float32)
    kept = np.empty((len(model.probe.depths), 0), np.float32)
    for start, piece in model.pieces():
        kept = np.concatenate([kept[:, -n_times:], piece], axis=1)
        first = start + piece.shape[1] - kept.shape[1]
        inside = (samples >= first) & (samples + n_times <= start + piece.shape[1])
        for index in np.flatnonzero(inside):
            at = samples[index] - first
            epochs[index] = kept[:, at : at + n_times]
    return epochs


def test_every_picture_and_grey_is_shown_equally_often_in_random_order():
    showings, rests = design_showings(SMALL)
    assert showings["frame"].value_counts().to_dict() == dict.fromkeys(np.arange(-1.0, 6.0), 10)
    assert list(showings["frame"]) != sorted(showings["frame"])
    step = 15 / 59.95
    within = showings["start_time"].diff()[showings["stimulus_block"].diff() == 0]
    np.testing.assert_allclose(within, step)
    assert (showings["stop_time"] <= showings["start_time"].shift(-1) + 1e-9)[:-1].all()
    assert len(rests) == 3
    lengths = rests["stop_time"] - rests["start_time"]
    np.testing.assert_allclose(lengths, 2.0)
    np.testing.assert_allclose(
        showings["sample"], (showings["start_time"] - CLOCK_START) * SMALL.sfreq, atol=0.5
    )
    last = showings["sample"].iloc[-1] + SMALL.n_times
    assert last <= SMALL.n_samples


def test_without_rest_there_is_none():
    assert len(design_showings(replace(SMALL, rest=0.0))[1]) == 0


def test_pieces_follow_one_another_and_are_short():
    model = random_model(replace(SMALL, n_repeats=40))
    at = 0
    for start, signal in model.pieces():
        assert start == at
        assert signal.shape[1] <= PIECE
        at += signal.shape[1]
    assert at == model.simulation.n_samples > PIECE


def test_means_over_many_showings_converge_to_the_true_responses():
    model = random_model(replace(SMALL, n_pictures=3, n_repeats=200))
    epochs, truth = windows_of(model), model.true_means()
    frames = model.showings["frame"].to_numpy()
    sd = epochs.std()
    for picture in range(3):
        mean = epochs[frames == picture].mean(0)
        residuals = [np.sqrt(np.square(mean - other).mean()) for other in truth]
        assert residuals[picture] < 1.5 * sd / np.sqrt(200)
        assert residuals[picture] < 0.5 * min(np.delete(residuals, picture))


def test_without_noise_showings_are_the_true_response():
    silent = dict.fromkeys(
        ("background", "slow", "gamma", "gamma_induced", "theta", "noise", "drift"), 0.0
    )
    model = random_model(replace(SMALL, response_sd=0.0, **silent))
    epochs, frames = windows_of(model), model.showings["frame"].to_numpy()
    late = slice(200, None)  # the showing before has faded
    for picture in range(6):
        shown = epochs[frames == picture][..., late]
        expected = np.broadcast_to(model.true_means()[picture][..., late], shown.shape)
        np.testing.assert_allclose(shown, expected, atol=1e-9)


def test_gamma_during_pictures_depends_on_the_picture_but_not_without_effect():
    def gamma_power(effect):
        settings = replace(
            SMALL, effect=effect, n_repeats=40, background=0.0, slow=0.0, theta=0.0, evoked=1e-12
        )
        model = random_model(settings)
        epochs = windows_of(model)[:, model.probe.in_cortex, 120:300]
        frames = model.showings["frame"].to_numpy()
        power = np.square(epochs - epochs.mean(2, keepdims=True)).mean((1, 2))
        return np.array([power[frames == picture].mean() for picture in range(-1, 6)]), model

    power, model = gamma_power(2.0)
    assert power[0] < 0.7 * power[1:].min()  # grey
    assert np.corrcoef(power[1:], model.responses.gamma[:-1] ** 2)[0, 1] > 0.95
    same, _ = gamma_power(0.0)
    assert same[1:].max() < 1.5 * same[1:].min() < 1.5 * power[1:].max() / 1.5


def test_session_holds_what_the_settings_say(tmp_path):
    steps = []
    model = simulate_session(
        SMALL, out=tmp_path / "session", progress=lambda *step: steps.append(step)
    )
    with h5py.File(tmp_path / "session" / "probe_0_lfp.nwb") as file:
        series = file[SERIES]
        assert series["data"].shape == (SMALL.n_samples, 10)
        assert np.isfinite(series["data"][:]).all()
        times = series["timestamps"][:]
        assert times[0] == CLOCK_START
        np.testing.assert_allclose(np.diff(times), 1 / 1249.998, rtol=1e-6)
        places = file["general/extracellular_ephys/electrodes"]
        assert list(places["location"].asstr()[:]) == ["CA1"] * 2 + ["VISp"] * 8
        session_id = file["general/session_id"].asstr()[()]
    with h5py.File(tmp_path / "session" / "session.nwb") as file:
        assert file["identifier"].asstr()[()] == session_id
        table = file["intervals/natural_scenes_presentations"]
        np.testing.assert_array_equal(table["frame"][:], model.showings["frame"])
        assert table["stop_time"][-1] < times[-1]
    with np.load(tmp_path / "session" / "true_responses.npz") as truth:
        np.testing.assert_array_equal(truth["responses"], model.true_means())
        assert truth["responses"].shape == (6, 10, 313)
        assert list(truth["stimulus"]) == stimulus_names(6)
        assert truth["sfreq"] == 1249.998
    names = sorted(path.stem for path in (tmp_path / "session" / "natural_scenes").iterdir())
    assert names == stimulus_names(6)
    drawn = list(make_pictures(SMALL))
    for name, picture in zip(names, drawn, strict=True):
        with Image.open(tmp_path / "session" / "natural_scenes" / f"{name}.png") as saved:
            np.testing.assert_array_equal(np.asarray(saved), picture)
    assert steps[0] == ("drawing pictures", 0, 6)
    assert steps[-1] == ("simulating", SMALL.n_samples, SMALL.n_samples)


def test_same_seed_same_session():
    def signal(seed):
        model = random_model(replace(SMALL, seed=seed))
        return model.showings, next(model.pieces())[1]

    first, again, other = (signal(seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].equals(again[0])
    assert not first[0].equals(other[0])
    assert (first[1] != other[1]).all()


def test_existing_folder_is_refused_and_failures_leave_nothing(tmp_path):
    with pytest.raises(ValueError, match="choose another --out"):
        simulate_session(SMALL, out=tmp_path)
    with pytest.raises(ValueError, match="must span a mouse's cortex"):
        simulate_session(replace(SMALL, spacing=1e-5), out=tmp_path / "session")
    for n_pictures, found in ((1, "only 1"), (7, "more")):
        pictures = iter([np.zeros((48, 60), np.uint8)] * n_pictures)
        with pytest.raises(ValueError, match=f"`n_pictures` pictures, 6; got {found}"):
            simulate_session(SMALL, out=tmp_path / "session", pictures=pictures)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_default_session_can_be_decoded_but_not_easily():
    """Nearest mean of z-scored windows, 118 pictures; `-s` prints the accuracy."""
    simulation = LFPSimulation(seed=1)
    model = make_model(
        simulation, np.stack([picture_features(p) for p in make_pictures(simulation)])
    )
    frames = model.showings["frame"].to_numpy().astype(int)
    epochs = windows_of(model)[frames >= 0][:, model.probe.in_cortex].reshape(5900, -1)
    labels = frames[frames >= 0]
    epochs -= epochs.mean(1, keepdims=True)
    epochs /= epochs.std(1, keepdims=True)
    test = np.zeros(len(labels), bool)
    for picture in range(118):
        test[np.flatnonzero(labels == picture)[::5]] = True
    means = np.stack([epochs[~test & (labels == picture)].mean(0) for picture in range(118)])
    found = (2 * epochs[test] @ means.T - np.square(means).sum(1)).argmax(1)
    accuracy = np.mean(found == labels[test])
    sys.stdout.write(f"nearest mean: {accuracy:.3f} of {test.sum()}, chance {1 / 118:.4f}\n")
    assert 0.05 < accuracy < 0.30
