from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from phosphene.data.scaling import ChannelScaler
from phosphene.evaluation.probes import linear_probe
from phosphene.evaluation.thinning import thinning_step
from phosphene.experiment import course, encoding, painting, pictures
from phosphene.recipes.eeg2image_2023 import run as recipe_run
from phosphene.recipes.eeg2image_2023.run import make_plan
from phosphene.run_dir import RunDir
from phosphene.training.devices import Devices
from phosphene.training.progress import SilentProgress


def course_of(config, run, *, progress=None):
    return course.Course(
        plan=make_plan(config), settings=config, run=run, progress=progress or SilentProgress()
    )


class StopError(Exception):
    """Stands for a Ctrl-C or a power cut."""


class StopAt(SilentProgress):
    """Raise at a step of a stage."""

    def __init__(self, stage, step):
        self.wanted = (stage, step)

    def start(self, stage, total):
        self.stage = stage

    def update(self, step, values):
        if (self.stage, step) == self.wanted:
            raise StopError

    def on_stage(self, stage):
        if (stage, None) == self.wanted:
            raise StopError


@pytest.fixture
def frequent_checkpoints(monkeypatch):
    """Write a checkpoint every other step, as a long training does every 500 or 1000."""
    for module in (encoding, painting, pictures):
        fit = module.fit

        def fit_often(*args, fit=fit, **settings):
            fit(*args, **{**settings, "checkpoint_every": 2})

        monkeypatch.setattr(module, "fit", fit_often)


@pytest.fixture
def without_scores(monkeypatch):
    """Leave the scores out: they follow from the arrays (`test_evaluate_...`) and take long."""
    monkeypatch.setattr(course, "score_run", lambda *_: [])


@pytest.fixture
def longer(smoke):
    """Enough steps to stop in the middle of each stage."""
    return replace(
        smoke, encoder_epochs=4, generator_steps=6, judge_steps=5, n_scored=16, null_folds=0
    )


def arrays_of(run):
    return {
        name: run.read_arrays(name)
        for name in sorted(p.relative_to(run.path).as_posix() for p in run.path.rglob("*.npz"))
    }


@pytest.fixture(scope="module")
def undisturbed():
    """Keep the arrays of a run that was not stopped, by the settings it had."""
    return {}


@pytest.mark.parametrize(
    ("stage", "step"),
    [("encoder", 5), ("pictures", None), ("judge", 3), ("generator", 1), ("generator", 5)],
)
def test_resumed_run_ends_as_one_that_was_not_stopped(
    train_again,
    longer,
    undisturbed,
    start_run,
    tmp_path,
    frequent_checkpoints,
    without_scores,
    stage,
    step,
):
    if not undisturbed:
        undisturbed.update(arrays_of(train_again(longer)[0]))
    run = start_run(tmp_path / "stopped", longer)
    stop = StopAt(stage, step)
    with pytest.raises(StopError):
        train_again(longer, run=run, progress=stop, on_stage=stop.on_stage)
    assert not run.has("state.json") or not run.read_json("state.json")["finished"]
    train_again(longer, run=run)
    assert run.read_json("state.json")["finished"]
    resumed = arrays_of(run)
    assert resumed.keys() == undisturbed.keys()
    for name, arrays in undisturbed.items():
        for key, values in arrays.items():
            np.testing.assert_array_equal(resumed[name][key], values, err_msg=f"{name}: {key}")


def test_finished_run_is_not_trained_again(trained, train_again, smoke, monkeypatch):
    def refuse(*args, **settings):
        raise AssertionError("nothing is left to train")

    for module in (encoding, painting, pictures):
        monkeypatch.setattr(module, "fit", refuse)
    monkeypatch.setattr(course, "score_run", lambda *_: trained.scores)
    _, scores = train_again(smoke, run=RunDir(trained.run.path))
    assert scores == trained.scores


def test_resuming_on_other_data_is_refused(trained, dataset, smoke, data_folder, monkeypatch):
    other = replace(dataset, trials=dataset.trials.select(np.arange(200)))
    monkeypatch.setattr(course, "load_dataset", lambda folder: other)
    with pytest.raises(ValueError, match="must go on with the data it began with"):
        course.train(make_plan(smoke), smoke, data=data_folder, run=trained.run)


def test_triplets_without_a_pair_are_refused_before_anything_is_written(
    smoke, start_run, data_folder, tmp_path
):
    settings = replace(smoke, encoder_batch=7)  # four classes: one trial of each
    run = start_run(tmp_path / "run", settings)
    with pytest.raises(ValueError, match=r"--encoder-batch 8 or more, or --compare-encoder None"):
        course.train(make_plan(settings), settings, data=data_folder, run=run)
    assert [path.name for path in run.path.iterdir()] == ["config.json"]


def test_judge_and_generator_never_see_the_same_picture(trained, smoke, dataset):
    seen = trained.seen
    assert not seen["judge"] & seen["generator"]
    assert seen["domain"] == seen["generator"]
    shown = set(dataset.images.table.loc[dataset.images.shown, "image_id"])
    assert seen["generator"] == shown
    recorded = trained.run.read_json("split.json")["pictures"]
    trials = dataset.trials
    train, test = course.make_split(smoke, trials).folds[0].indices(trials)
    stimuli = trials.table["stimulus"]
    assert recorded.pop("shown_in_both") >= len(set(stimuli[train]) & set(stimuli[test])) > 0
    assert {name: set(ids) for name, ids in recorded.items()} == {
        "generator": seen["generator"],
        "judge": seen["judge"],
    }


def test_changed_test_epochs_change_nothing_that_learns(smoke, dataset, tmp_path, monkeypatch):
    settings = replace(smoke, compare_encoder=None)
    trials = dataset.trials
    fold = course.make_split(settings, trials).folds[0]
    train_rows, test_rows = fold.indices(trials)
    louder = trials.epochs_with_margin.copy()
    louder[test_rows] = 100 * louder[test_rows] + 1e-3
    systems = []
    decode = encoding.decode

    def keep(system, train, test, *, seed):
        systems.append(system)
        return decode(system, train, test, seed=seed)

    monkeypatch.setattr(encoding, "decode", keep)
    for number, each in enumerate((trials, replace(trials, epochs_with_margin=louder))):
        run = RunDir(tmp_path / str(number))
        course.decode_fold(course_of(settings, run), each, fold)
    assert len(systems) == 2
    expected = ChannelScaler.fit(trials.select(train_rows).epochs)
    for system in systems:
        np.testing.assert_array_equal(system.scaler.mean, expected.mean)
        np.testing.assert_array_equal(system.scaler.scale, expected.scale)
    for name, values in systems[0].tensors().items():
        np.testing.assert_array_equal(systems[1].tensors()[name], values, err_msg=name)


def test_the_null_permutes_training_labels_only(smoke, dataset, tmp_path, monkeypatch):
    fold = course.make_split(smoke, dataset.trials).folds[0]
    train_rows, test_rows = fold.indices(dataset.trials)
    training, test = dataset.trials.select(train_rows), dataset.trials.select(test_rows)
    given = []

    def train_encoder(config, trials, labels, **rest):
        given.append(labels)
        assert list(trials.table["trial"]) == list(training.table["trial"])
        return SimpleNamespace(
            features=lambda epochs: np.zeros((len(epochs), 2)),
            decoder=SimpleNamespace(probabilities=lambda f: np.full((len(f), 4), 0.25)),
        )

    def decode_linearly(train, labels, test):
        given.append(labels)
        return np.full((len(test), 4), 0.25)

    monkeypatch.setattr(recipe_run, "train_encoder", train_encoder)

    def linear_null(*epochs, step, **rest):
        assert step == expected_step
        return recipe_linear_null(*epochs, step=step, **rest)

    band = dataset.trials.preprocessing["settings"]["band"]
    expected_step = thinning_step(dataset.trials.sfreq, edge=band[1])
    recipe_linear_null = course.linear_null
    monkeypatch.setattr(course, "linear_null", linear_null)
    monkeypatch.setattr(encoding, "decode_linearly", decode_linearly)
    run = RunDir(tmp_path)
    run.write_json("dataset.json", {"design": {"unit": "trial"}})
    course.decode_null(course_of(smoke, run), dataset.trials, fold)
    assert len(given) == 3  # LDA, our encoder, the published one
    linear, encoder, published = given
    np.testing.assert_array_equal(encoder, published)  # compared on the same permutation
    assert not np.array_equal(linear, encoder)  # two looks at chance are better than one
    for labels in given:
        assert not np.array_equal(labels, training.labels)
        for recording in training.table["recording"].unique():
            inside = (training.table["recording"] == recording).to_numpy()
            np.testing.assert_array_equal(np.sort(labels[inside]), np.sort(training.labels[inside]))
    written = run.read_arrays(f"folds/{fold.key}/null.npz")
    np.testing.assert_array_equal(written["labels"], test.labels)
    scores = run.read_arrays(f"folds/{fold.key}/linear_null.npz")["scores"]
    assert scores.shape == (200, 2)
    assert scores.mean(axis=0) == pytest.approx([0.25, 0.5], abs=0.03)


def test_trainings_on_permuted_labels_go_on_where_they_stopped(
    smoke, dataset, tmp_path, monkeypatch, frequent_checkpoints
):
    config = replace(smoke, encoder_epochs=4, compare_epochs=4)
    fold = course.make_split(config, dataset.trials).folds[0]

    def null(run, progress):
        run.write_json("dataset.json", {"design": {"unit": "trial"}})
        course.decode_null(course_of(config, run, progress=progress), dataset.trials, fold)
        return run.read_arrays(f"folds/{fold.key}/null.npz")

    undisturbed = null(RunDir(tmp_path / "whole"), SilentProgress())
    run = RunDir(tmp_path / "stopped")
    with pytest.raises(StopError):
        null(run, StopAt("null lstm_two_layer", 5))
    monkeypatch.setattr(course, "linear_null", None)  # done before
    resumed = null(run, SilentProgress())
    for key, values in undisturbed.items():
        np.testing.assert_array_equal(resumed[key], values, err_msg=key)
    steps = [(r["stage"], r["step"]) for r in run.read_log() if r["stage"].startswith("null")]
    assert steps.count(("null compact_cnn", 1)) == steps.count(("null lstm_two_layer", 1)) == 1


def test_the_null_of_a_compared_softmax_is_a_probe_too(smoke, dataset, tmp_path):
    config = replace(smoke, compare_encoder="compact_cnn", compare_objective="softmax")
    fold = course.make_split(config, dataset.trials).folds[0]
    train_rows, test_rows = fold.indices(dataset.trials)
    training, test = dataset.trials.select(train_rows), dataset.trials.select(test_rows)
    systems, train_encoder = [], encoding.train_encoder

    def keep(settings, trials, labels, **rest):
        systems.append((train_encoder(settings, trials, labels, **rest), labels, rest["stage"]))
        return systems[-1][0]

    run = RunDir(tmp_path)
    run.write_json("dataset.json", {"design": {"unit": "trial"}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe_run, "train_encoder", keep)
        course.decode_null(course_of(config, run), dataset.trials, fold)
    assert [s[2] for s in systems] == ["null compact_cnn", "null compared compact_cnn"]
    system, labels, _ = systems[1]
    probe = linear_probe(system.features(training.epochs), labels, n_classes=4)
    found = run.read_arrays(f"folds/{fold.key}/null.npz")["compare_probe_probabilities"]
    expected = probe.predict_proba(system.features(test.epochs))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_processes_with_other_data_are_refused(smoke, start_run, data_folder, tmp_path):
    run = start_run(tmp_path / "run", smoke)
    fabric = SimpleNamespace(world_size=2, global_rank=1, broadcast=lambda value: "another")
    second = Devices(fabric)
    with pytest.raises(ValueError, match="must train on the same data; the first one's have the"):
        course.train(make_plan(smoke), smoke, data=data_folder, run=run, devices=second)


@pytest.mark.parametrize(
    ("unit", "n_folds", "n_expected"),
    [("recording", None, 4), ("recording", 2, 2), ("subject", None, 2), ("trial", None, 5)],
)
def test_split_keeps_the_unit_apart(smoke, dataset, unit, n_folds, n_expected):
    config = replace(smoke, split_unit=unit, n_folds=n_folds)
    split = course.make_split(config, dataset.trials)
    assert (split.unit, len(split.folds)) == (unit, n_expected)
    for fold in split.folds:
        train, test = (dataset.trials.table.iloc[rows] for rows in fold.indices(dataset.trials))
        column = unit if unit != "trial" else "trial"
        assert not set(train[column]) & set(test[column])


def test_a_fold_without_a_class_is_refused(smoke, dataset):
    trials = dataset.trials
    config = replace(smoke, n_folds=None)
    first = course.make_split(config, trials).folds[0].key
    table = trials.table
    kept = (table["label"] != 3) | (table["recording"] != first)
    with pytest.raises(ValueError, match=f"in fold '{first}' they lack '3'"):
        course.make_split(config, trials.select(np.flatnonzero(kept)))


@pytest.fixture
def overlapping(dataset):
    """Trials whose windows share samples with their neighbours."""
    table = dataset.trials.table
    return replace(dataset.trials, table=table.assign(stop=table["stop"] + 100))


def test_overlapping_windows_are_refused(smoke, overlapping):
    config = replace(smoke, split_unit="trial", n_folds=2)
    with pytest.raises(ValueError, match="--allow-leak"):
        course.make_split(config, overlapping)


def test_an_allowed_leak_reaches_the_split_file_and_every_score(
    smoke, overlapping, dataset, start_run, data_folder, tmp_path, monkeypatch
):
    config = replace(
        smoke,
        split_unit="trial",
        allow_leak="to show what it does",
        picture_folds=0,
        null_folds=0,
        compare_encoder=None,
    )
    leaky = replace(dataset, trials=overlapping)
    monkeypatch.setattr(course, "load_dataset", lambda folder: leaky)
    run = start_run(tmp_path / "leaky", config)
    scores = course.train(make_plan(config), config, data=data_folder, run=run)
    assert run.read_json("split.json")["leak_reason"] == "to show what it does"
    assert scores
    assert all(s.note.startswith("leak allowed: to show what it does") for s in scores)


def test_bundle_says_what_signals_it_expects(trained, dataset):
    from phosphene.export.bundle import load_bundle

    bundle = load_bundle(trained.run.path / "bundle")
    trials = dataset.trials
    assert bundle.classes == trials.classes
    assert bundle.spec["preprocessing"] == trials.preprocessing
    bundle.check_signals(ch_names=trials.ch_names, sfreq=trials.sfreq, n_times=trials.n_times)


def test_report_finds_what_it_needs(trained):
    names = ("environment.json", "dataset.json", "split.json", "evoked.npz", "spectrum.npz")
    assert all(trained.run.has(name) for name in names)
    stages = {record["stage"] for record in trained.run.read_log()}
    assert {"encoder", "encoder lstm_two_layer", "judge", "domain", "generator"} <= stages
    assert "guide" in stages
    assert {"null compact_cnn", "null lstm_two_layer"} <= stages
