from dataclasses import replace

import numpy as np
import pytest
import torch

from phosphene.data.scaling import ChannelScaler
from phosphene.experiment import painting, pictures
from phosphene.export.signal_to_picture import FeatureScaler, LinearDecoder, SignalToPicture
from phosphene.recipes.eeg2image_2023.run import EEG2ImagePainter, make_plan
from phosphene.training.checkpoint import save_checkpoint
from phosphene.training.pictures import tensor_from_pixels


@pytest.fixture(scope="module")
def system(trained, data_folder):
    """The trained system of the smoke run."""
    from phosphene.export.bundle import load_bundle

    return load_bundle(trained.run.path / "bundle").system


@pytest.fixture
def one_shade_images(dataset):
    """Pictures whose shade is their class, so that a batch shows which class it drew."""
    images = dataset.images
    return replace(
        images, pixels=np.broadcast_to(
            (images.labels * 50).astype(np.uint8)[:, None, None, None], images.pixels.shape
        ).copy()
    )  # fmt: skip


def test_class_only_batches_hold_pictures_of_the_right_class(
    smoke, dataset, system, one_shade_images
):
    table = dataset.trials.table.assign(stimulus="")
    trials = replace(dataset.trials, table=table)
    batches = painting.picture_batches(smoke, system, trials, one_shade_images, seed=0)
    scaled = system.condition(system.features(trials.epochs))
    for step in range(3):
        pictures, features, labels = batches(step)
        assert len(pictures) == smoke.generator_batch
        rows = [np.abs(scaled - f.numpy()).sum(1).argmin() for f in features]
        shades = ((pictures[:, 0, 0, 0] + 1) * 127.5 / 50).round().long()
        assert shades.tolist() == trials.labels[rows].tolist() == labels.tolist()
        assert np.bincount(shades, minlength=4).tolist() == [4, 4, 4, 4]


def test_class_only_pictures_are_drawn_anew_each_step(smoke, dataset, system):
    table = dataset.trials.table.assign(stimulus="")
    trials = replace(dataset.trials, table=table).select(np.arange(16))
    batches = painting.picture_batches(smoke, system, trials, dataset.images, seed=0)
    found = {}
    for step in range(6):
        for picture, feature, _ in zip(*batches(step), strict=True):
            found.setdefault(feature.numpy().tobytes(), set()).add(picture.numpy().tobytes())
    assert max(len(pictures) for pictures in found.values()) > 1


def test_fixed_pictures_are_of_the_class_and_stay_the_same(
    smoke, dataset, system, one_shade_images
):
    settings = replace(smoke, fixed_pictures=True)
    table = dataset.trials.table.assign(stimulus="")
    trials = replace(dataset.trials, table=table).select(np.arange(16))
    found = {}
    for images in (dataset.images, one_shade_images):
        batches = painting.picture_batches(settings, system, trials, images, seed=0)
        for step in range(6):
            for picture, feature, label in zip(*batches(step), strict=True):
                key = (id(images), feature.numpy().tobytes())
                found.setdefault(key, set()).add(picture.numpy().tobytes())
                if images is one_shade_images:
                    assert round((float(picture[0, 0, 0]) + 1) * 127.5 / 50) == int(label)
    assert {len(pictures) for pictures in found.values()} == {1}
    drawn = set.union(*(v for key, v in found.items() if key[0] == id(dataset.images)))
    assert len(drawn) > 4  # not one picture per class
    other = painting.picture_batches(settings, system, trials, dataset.images, seed=1)(0)[0]
    same = painting.picture_batches(settings, system, trials, dataset.images, seed=0)(0)[0]
    assert (other != same).any()


def test_a_picture_of_ones_own_is_kept_under_fixed_pictures(smoke, dataset, system):
    settings = replace(smoke, fixed_pictures=True)
    fixed, drawn = (
        painting.picture_batches(s, system, dataset.trials, dataset.images, seed=0)(0)
        for s in (settings, smoke)
    )
    for one, other in zip(fixed, drawn, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_shuffled_batches_hold_each_trial_once_in_turn(smoke, dataset, system):
    settings = replace(smoke, balanced_batches=False, clear_trials=False, generator_batch=24)
    batches = painting.picture_batches(settings, system, dataset.trials, dataset.images, seed=0)
    seen = torch.cat([batches(step)[2] for step in range(10)])
    assert np.bincount(seen).tolist() == np.bincount(dataset.trials.labels).tolist()
    counts = {tuple(np.bincount(batches(step)[2], minlength=4)) for step in range(10)}
    assert len(counts) > 1


def test_paired_batches_hold_each_trial_with_its_own_picture(smoke, dataset, system):
    trials = dataset.trials
    batches = painting.picture_batches(smoke, system, trials, dataset.images, seed=0)
    scaled = system.condition(system.features(trials.epochs))
    position = {name: i for i, name in enumerate(dataset.images.table["stimulus"])}
    for picture, feature, label in zip(*batches(0), strict=True):
        row = np.abs(scaled - feature.numpy()).sum(1).argmin()
        assert label == trials.labels[row]
        own = dataset.images.pixels[position[trials.table["stimulus"].iloc[row]]]
        torch.testing.assert_close(picture, tensor_from_pixels(own[None])[0])


def test_trials_whose_picture_the_judge_has_get_another_of_the_class(
    smoke, dataset, system, one_shade_images
):
    shown = np.flatnonzero(one_shade_images.shown)
    some = one_shade_images.select(shown[::2])
    pictures, *_ = painting.picture_batches(smoke, system, dataset.trials, some, seed=0)(0)
    shades = ((pictures[:, 0, 0, 0] + 1) * 127.5 / 50).round().long()
    assert np.bincount(shades, minlength=4).tolist() == [4, 4, 4, 4]


def test_each_trial_gets_its_own_picture_where_the_generator_has_it(smoke, dataset, system):
    trials, images = dataset.trials, dataset.images
    shown = np.flatnonzero(images.shown)
    some = images.select(shown[::2])  # the judge has the others
    batches = painting.picture_batches(smoke, system, trials, some, seed=0)
    scaled = system.condition(system.features(trials.epochs))
    position = {name: i for i, name in enumerate(some.table["stimulus"])}
    pixels = tensor_from_pixels(some.pixels).numpy()
    n_own = 0
    for step in range(2):
        for picture, feature, label in zip(*batches(step), strict=True):
            row = np.abs(scaled - feature.numpy()).sum(1).argmin()
            assert label == trials.labels[row]
            mine = position.get(trials.table["stimulus"].iloc[row])
            if mine is not None:
                n_own += 1
                np.testing.assert_array_equal(picture.numpy(), pixels[mine])
            else:
                same = pixels[some.labels == int(label)]
                assert (same == picture.numpy()).all(axis=(1, 2, 3)).any()
    assert 0 < n_own < 2 * smoke.generator_batch
    # where pairing was refused for the whole data set, no trial has a picture of its own
    drawn = painting.picture_batches(smoke, system, trials, some, seed=0, paired=False)(0)[0]
    assert (drawn != batches(0)[0]).any()


class FirstSample(torch.nn.Module):
    """Takes the first sample of the first channel for the feature."""

    def forward(self, eeg):
        return eeg[:, 0, :1]


def make_reader(n_chans, *, blind_to=()):
    """Return a system that reads the class from the first sample, never those in `blind_to`."""
    numbers = np.arange(4.0)
    bias = -(numbers**2) / 2
    bias[list(blind_to)] = -100.0
    return SignalToPicture(
        ChannelScaler(np.zeros(n_chans, np.float32), np.ones(n_chans, np.float32)),
        FirstSample(),
        LinearDecoder(numbers[:, None], bias),
        FeatureScaler(np.zeros(1, np.float32), np.ones(1, np.float32)),
        None,
        "normal",
    )


@pytest.fixture
def numbered_trials(dataset):
    """Trials whose first sample is their class."""
    epochs = dataset.trials.epochs_with_margin.copy()
    epochs[:, 0, dataset.trials.margin] = dataset.trials.labels
    return replace(dataset.trials, epochs_with_margin=epochs)


def test_clear_trials_are_those_that_the_decoder_reads_right(numbered_trials):
    trials = numbered_trials
    epochs = trials.epochs_with_margin.copy()
    wrong = np.flatnonzero(trials.labels == 1)[:3]
    epochs[wrong, 0, trials.margin] = 2
    clear = painting._clear_trials(
        make_reader(trials.n_chans), replace(trials, epochs_with_margin=epochs)
    )
    kept = np.setdiff1d(np.arange(len(trials)), wrong)
    assert list(clear.table["trial"]) == list(trials.table["trial"].iloc[kept])


def test_a_class_that_is_never_read_right_keeps_its_trials(numbered_trials):
    clear = painting._clear_trials(
        make_reader(numbered_trials.n_chans, blind_to=[3]), numbered_trials
    )
    np.testing.assert_array_equal(clear.labels, numbered_trials.labels)


@pytest.mark.parametrize("clear", [False, True])
def test_batches_take_clear_trials_alone_where_asked(smoke, numbered_trials, dataset, clear):
    trials = numbered_trials
    epochs = trials.epochs_with_margin.copy()
    epochs[np.flatnonzero(trials.labels == 1)[::2], 0, trials.margin] = 2
    trials = replace(trials, epochs_with_margin=epochs)
    config = replace(smoke, clear_trials=clear)
    reader = make_reader(trials.n_chans)
    batches = painting.picture_batches(config, reader, trials, dataset.images, seed=0)
    agrees = [bool((f[:, 0] == labels).all()) for _, f, labels in map(batches, range(8))]
    assert all(agrees) is clear


def test_sources_feed_the_generator_what_they_say(trained, dataset, system):
    arrays = trained.run.read_arrays("folds/0/decoding.npz")
    rows = np.arange(20)
    train = dataset.trials.select(np.arange(100))
    found = painting.features_of_sources(system, train, arrays, rows, seed=0)
    assert tuple(found) == painting.SOURCES
    np.testing.assert_array_equal(found["own"], arrays["features"][rows])
    np.testing.assert_array_equal(np.sort(found["shuffled"], 0), np.sort(found["own"], 0))
    assert not np.array_equal(found["shuffled"], found["own"])
    np.testing.assert_array_equal(found["noise"], arrays["noise_features"][rows])
    decoded = arrays["probabilities"][rows].argmax(1)
    mean = system.features(train.select(train.labels == decoded[0]).epochs).mean(0)
    np.testing.assert_allclose(found["label_only"][0], mean, atol=1e-5)


@pytest.fixture
def guide(smoke, dataset, quiet_watch, tmp_path):
    """A hardly trained guide."""
    return pictures.train_classifier(
        dataset.images,
        n_steps=2,
        seed=smoke.seed,
        stage="guide",
        watch=quiet_watch.watch,
        checkpoints=tmp_path / "guide",
        policy=smoke.augment,
    )


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_generator_trains_up_to_a_step_and_goes_on(
    smoke, dataset, system, guide, quiet_watch, tmp_path, ema
):
    config = replace(smoke, ema=ema)
    batches = painting.picture_batches(config, system, dataset.trials, dataset.images, seed=0)
    features = system.features(dataset.trials.epochs[:3])

    def pictures(*stops, folder):
        gan = EEG2ImagePainter(config).make(color=1, n_classes=4, seed=0, guide=guide)
        for until in stops:
            painting.with_generator(system, gan, noise=config.noise).draw(
                features, seed=0
            )  # must change nothing
            painting.train_generator(
                gan, batches, until=until, n_steps=config.generator_steps,
                watch=quiet_watch.watch, checkpoints=folder,
            )  # fmt: skip
        return painting.with_generator(system, gan, noise=config.noise).draw(features, seed=0)

    at_once = pictures(3, folder=tmp_path / "a")
    np.testing.assert_array_equal(pictures(1, 3, folder=tmp_path / "b"), at_once)
    np.testing.assert_array_equal(pictures(3, folder=tmp_path / "b"), at_once)


def test_knows_whether_training_went_beyond_a_step(tmp_path):
    assert not painting.is_past(tmp_path / "none", 0)
    save_checkpoint(tmp_path, {}, step=4)
    assert painting.is_past(tmp_path, 3)
    assert not painting.is_past(tmp_path, 4)
    (tmp_path / "step_00000004.pt").write_bytes(b"")  # its name says it, it is not read
    assert painting.is_past(tmp_path, 3)


def test_bundle_of_the_encoder_alone_draws_nothing(smoke, easy_trials, quiet_watch):
    train = make_plan(smoke).encoder.train
    system = train(
        easy_trials, easy_trials.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    with pytest.raises(ValueError, match="needs a trained generator"):
        system.draw(system.features(easy_trials.epochs[:2]), seed=0)


def test_batches_that_the_devices_cannot_share_are_refused():
    """64 rows of 10 classes are 60: none of 8 devices could have as many as the others."""
    sizes = {"`--encoder-batch`": 64}
    painting.check_batches(sizes, n_classes=10, n_devices=2)
    with pytest.raises(ValueError, match=r"`--encoder-batch`.* got 60 rows for 8 devices\. Take 2"):
        painting.check_batches(sizes, n_classes=10, n_devices=8)
    with pytest.raises(ValueError, match="`--generator-batch`"):
        painting.check_batches({"`--generator-batch`": 18}, n_classes=2, n_devices=4)


def test_a_generator_of_labels_is_fed_the_class_alone(smoke, numbered_trials, dataset):
    reader = replace(make_reader(numbered_trials.n_chans), condition_on="label")
    batches = painting.picture_batches(smoke, reader, numbered_trials, dataset.images, seed=0)
    _, condition, labels = batches(0)
    np.testing.assert_array_equal(condition, np.eye(4)[labels])
    features = reader.features(numbered_trials.epochs)
    decoded = reader.decoder.probabilities(features).argmax(1)
    np.testing.assert_array_equal(reader.condition(features), np.eye(4)[decoded])
