from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from phosphene.data.dataset import load_dataset
from phosphene.data.scaling import WindowScaler
from phosphene.export.bundle import load_bundle
from phosphene.export.signal_to_picture import ClassPull, FeatureScaler, LinearDecoder
from phosphene.training.pictures import pixels_from_tensor
from phosphene.training.seeding import seeded_generator


@pytest.fixture
def system(lab):
    return load_bundle(lab / "bundle").system


@pytest.fixture
def epochs(lab):
    return np.asarray(load_dataset(lab / "data").trials.epochs)


def test_decoder_is_a_softmax():
    decoder = LinearDecoder(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([0.0, np.log(3)]))
    found = decoder.probabilities(np.array([[0.0, 9.0], [np.log(3), 0.0]], np.float32))
    np.testing.assert_allclose(found, [[0.25, 0.75], [0.5, 0.5]], rtol=1e-6)


def test_decoder_survives_large_features():
    decoder = LinearDecoder(np.eye(2), np.zeros(2))
    found = decoder.probabilities(np.array([[1e4, -1e4]], np.float32))
    np.testing.assert_array_equal(found, [[1.0, 0.0]])


def test_feature_scaler_standardises_and_keeps_constant_features_finite():
    features = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)
    scaler = FeatureScaler.fit(features, standardize=True)
    np.testing.assert_allclose(scaler.apply(features), [[-1.0, 0.0], [1.0, 0.0]])


def test_feature_scaler_may_leave_features_alone():
    features = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)
    scaler = FeatureScaler.fit(features, standardize=False)
    np.testing.assert_array_equal(scaler.apply(features), features)


def test_features_do_not_depend_on_the_batch(system, epochs):
    together = system.features(np.repeat(epochs, 30, axis=0))  # more than one part
    alone = system.features(epochs[:1])
    np.testing.assert_allclose(together[0], alone[0], rtol=1e-4, atol=1e-5)


def test_windows_may_be_scaled_one_by_one(system, epochs):
    windows = replace(system, scaling="window")
    with torch.no_grad():
        scaled = torch.from_numpy(WindowScaler().apply(epochs))
        expected = system.encoder.eval()(scaled).numpy()
    np.testing.assert_allclose(windows.features(epochs), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(windows.features(1000 * epochs), expected, rtol=1e-3, atol=1e-4)
    assert not np.allclose(system.features(epochs), expected, atol=1e-2)


def test_features_come_from_evaluation_mode(system, epochs):
    system.encoder.train()
    np.testing.assert_array_equal(system.features(epochs), system.features(epochs))
    assert not system.encoder.training


def test_pictures_follow_seed_draw_and_signal(system, epochs):
    features = system.features(epochs)
    pictures = system.draw(features, seed=1)
    assert pictures.shape == (len(epochs), 16, 16, 3)
    np.testing.assert_array_equal(pictures, system.draw(features, seed=1, draw=0))
    assert (pictures != system.draw(features, seed=2)).any()
    assert (pictures != system.draw(features, seed=1, draw=1)).any()
    assert (pictures != system.draw(features[::-1].copy(), seed=1)).any()


def test_drawing_leaves_the_global_random_state_alone(system, epochs):
    features = system.features(epochs)
    before = torch.get_rng_state()
    system.draw(features, seed=1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("noise", "beyond"), [("normal", True), ("uniform", False)])
def test_noise_follows_its_law(system, noise, beyond):
    object.__setattr__(system, "noise", noise)
    z = system._noise((4000, 2), torch.Generator().manual_seed(0))
    assert bool((z.abs() > 1).any()) is beyond
    assert abs(float(z.mean())) < 0.05


def test_drawing_needs_a_generator(system, epochs):
    object.__setattr__(system, "generator", None)
    with pytest.raises(ValueError, match="needs a trained generator"):
        system.draw(system.features(epochs), seed=0)
    assert not any(name.startswith("generator.") for name in system.tensors())


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, [[0.0, 4.0], [2.0, 2.0]]),
        (0.5, [[0.5, 2.0], [0.0, 1.0]]),
        (1.0, [[1.0, 0.0], [-2, 0]]),
    ],
)
def test_pull_moves_features_towards_the_centre_of_the_decoded_class(share, expected):
    pull = ClassPull(np.array([[-2.0, 0.0], [1.0, 0.0]]), share)
    features = np.array([[0.0, 4.0], [2.0, 2.0]], np.float32)
    found = pull.apply(features, np.array([1, 0]))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_generator_is_fed_scaled_features_pulled_to_their_decoded_class(system, epochs):
    features = system.features(epochs)
    scaled = system.feature_scaler.apply(features)
    np.testing.assert_array_equal(system.condition(features), scaled)
    centres = np.random.default_rng(0).normal(size=system.decoder.weight.shape)
    pulled = replace(system, pull=ClassPull(centres, 0.25))
    decoded = system.decoder.probabilities(features).argmax(1)
    assert len(set(decoded)) > 1
    np.testing.assert_allclose(
        pulled.condition(features), 0.75 * scaled + 0.25 * centres[decoded], rtol=1e-5, atol=1e-5
    )


def test_pull_goes_to_the_given_class_where_one_is_given(system, epochs):
    features = system.features(epochs)
    centres = np.random.default_rng(0).normal(size=system.decoder.weight.shape)
    pulled = replace(system, pull=ClassPull(centres, 1.0))
    other = 1 - pulled.decoder.probabilities(features).argmax(1)
    found = pulled.condition(features, decoded=other)
    np.testing.assert_allclose(found, centres[other], rtol=1e-6)
    drawn = pulled.draw(features, seed=0, decoded=other)
    assert (drawn != pulled.draw(features, seed=0)).any(axis=(1, 2, 3)).all()


def test_a_full_pull_leaves_the_decoded_class_alone(system, epochs):
    centres = np.random.default_rng(0).normal(size=system.decoder.weight.shape)
    pulled = replace(system, pull=ClassPull(centres, 1.0))
    features = system.features(epochs)
    assert len(np.unique(pulled.condition(features), axis=0)) == len(centres)
    assert (pulled.draw(features, seed=0) != system.draw(features, seed=0)).any()


def test_pictures_are_the_generators_own(system, epochs):
    features = system.features(epochs)
    drawn = system.draw(features, seed=1)
    rng = seeded_generator(1, "noise of pictures", 0)
    z = system._noise((len(epochs), system.generator.n_noise), rng)
    with torch.no_grad():
        expected = system.generator.eval()(z, torch.from_numpy(system.condition(features)))
    # A difference of rounding may fall on the border between two bytes.
    off = np.abs(drawn.astype(int) - pixels_from_tensor(expected))
    assert off.max() <= 1
    assert off.mean() < 1e-3


def test_a_system_prepared_once_draws_the_same_bytes(system, epochs):
    features = system.features(epochs)
    again = replace(system)
    assert system.prepared is not None
    assert again.prepared is None
    np.testing.assert_array_equal(system.draw(features, seed=1), again.draw(features, seed=1))


def test_another_generator_is_not_drawn_with_the_one_that_was_prepared(system, epochs):
    features = system.features(epochs)
    other = deepcopy(system.generator)
    with torch.no_grad():
        other.last.weight.neg_()
    found = replace(system, generator=other).draw(features, seed=1).astype(int)
    assert np.abs(found + system.draw(features, seed=1) - 255).max() <= 1


def test_drawing_follows_weights_that_change_and_leaves_training_mode(system, epochs):
    features = system.features(epochs)
    training = replace(system)
    training.generator.train()
    before = training.draw(features, seed=1)
    assert training.generator.training
    with torch.no_grad():
        training.generator.last.weight.zero_()
    assert (before != 128).any()
    assert (training.draw(features, seed=1) == 128).all()


def test_saved_weights_are_those_of_the_generator(system):
    saved = {
        name.removeprefix("generator."): value
        for name, value in system.tensors().items()
        if name.startswith("generator.")
    }
    state = system.generator.state_dict()
    assert saved.keys() == state.keys()
    assert all(torch.equal(saved[name], value) for name, value in state.items())
