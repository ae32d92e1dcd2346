import json

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.restoration_contents import (
    EQUAL_ITERATIONS,
    EQUAL_TIME,
    NOTHING_YET,
    read_restorations,
    read_systems,
)
from phosphene.run_dir import RunDir

TEST, SYSTEMS = "folds/pictures/test.npz", "folds/pictures/systems.json"


@pytest.fixture(scope="module")
def run(make_restoration_run):
    return make_restoration_run()


@pytest.fixture
def spoilt(make_restoration_run):
    """A run to spoil."""
    return make_restoration_run(n=20)


def test_systems_are_read_in_their_order(run):
    found = read_restorations(run)
    assert [system.name for system in found.systems] == ["CNN-CNN with bottleneck", "CNN-LSTM"]
    assert found.main is found.systems[-1]
    assert (found.main.iterations, found.systems[0].iterations_equal_time) == (200, 500)
    assert (found.main.learning_rate, found.main.seconds_per_iteration) == (0.001, 0.05)
    assert read_systems(run) == found.systems


def test_the_first_two_pictures_of_each_class_are_shown_in_their_stored_order(run):
    arrays = run.read_arrays(TEST)
    shown = read_restorations(run).shown
    assert shown.n_stored == 40
    assert shown.labels == tuple(np.repeat(range(10), 2))
    rows = [row for k in range(10) for row in np.flatnonzero(arrays["label"] == k)[:2]]
    assert shown.names == tuple(f"digit_{row:03d}" for row in rows)
    np.testing.assert_array_equal(shown.original.pictures, arrays["original"][rows])
    np.testing.assert_array_equal(shown.corrupted.pictures, arrays["corrupted"][rows])


def test_what_was_restored_stands_by_its_pictures(run):
    found = read_restorations(run).shown
    names = [(made.name, made.kind) for made in found.restored]
    assert names == [
        ("CNN-CNN with bottleneck", EQUAL_ITERATIONS),
        ("CNN-LSTM", EQUAL_ITERATIONS),
        ("CNN-CNN with bottleneck", EQUAL_TIME),
        ("CNN-LSTM", EQUAL_TIME),
        ("mean picture", ""),
        ("total variation", ""),
    ]
    for original, corrupted, made in zip(
        found.original.pictures,
        found.corrupted.pictures,
        found.restored[1].pictures,
        strict=True,
    ):
        expected = (0.5 * original + 0.5 * corrupted).astype(np.uint8)
        np.testing.assert_array_equal(made, expected)
    filtered = found.restored[-1].pictures  # of every second picture alone
    rows = [int(name[-3:]) for name in found.names]
    assert [picture is None for picture in filtered] == [bool(row % 2) for row in rows]


def test_classes_that_a_classifier_names_are_read(spoilt):
    n = 20
    named = {"original": np.arange(n), "corrupted": np.arange(n) + 100}
    spoilt.write_arrays("folds/pictures/classified.npz", named)
    file = "folds/pictures/restored/cnn-lstm.time.npz"
    arrays = spoilt.read_arrays(file)
    spoilt.write_arrays(file, {**arrays, "predicted": np.arange(n) + 200})
    shown = read_restorations(spoilt).shown
    rows = [int(name[-3:]) for name in shown.names]
    assert shown.original.predicted == tuple(rows)
    assert shown.corrupted.predicted == tuple(row + 100 for row in rows)
    by_name = {(made.name, made.kind): made.predicted for made in shown.restored}
    assert by_name["CNN-LSTM", EQUAL_TIME] == tuple(row + 200 for row in rows)
    assert set(by_name["CNN-LSTM", EQUAL_ITERATIONS]) == {None}


def test_other_runs_have_none_and_begun_ones_nothing_yet(finished_run, make_signal_run, tmp_path):
    assert read_contents(finished_run).restorations is None
    signals = read_contents(make_signal_run([]))
    assert signals.restorations is None
    assert signals.signals is not None
    begun = RunDir.create(tmp_path / "begun")
    begun.write_json("split.json", {"unit": "picture", "folds": [{"key": "pictures"}]})
    contents = read_contents(begun)
    assert contents.restorations == NOTHING_YET
    assert contents.restorations.main is None
    assert contents.signals is None


def test_a_run_that_goes_on_shows_what_it_has(make_restoration_run):
    found = read_restorations(make_restoration_run(finished=False))
    assert found.systems == ()
    assert found.shown.restored == ()
    assert len(found.shown.labels) == 20


def entry(**changes):
    def change(run):
        stored = run.read_json(SYSTEMS)
        run.write_json(SYSTEMS, [{**stored[0], **changes}])

    return change


def arrays(name, **changes):
    def change(run):
        found = {**run.read_arrays(name), **changes}
        run.write_arrays(name, {key: value for key, value in found.items() if value is not None})

    return change


RESTORED = "folds/pictures/restored/cnn-lstm.time.npz"


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (entry(slug="../../x"), "`slug` .* letters, digits and hyphens"),
        (entry(iterations="9"), "`0.iterations` .* whole number"),
        (entry(tuning={"losses": {"0.1": ["a"]}}), "number or null|null or a number"),
        (arrays(TEST, original=None), "`original` .* must be bytes .*; got none"),
        (arrays(TEST, original=np.zeros((20, 8, 8, 1))), "must be bytes .* float64"),
        (arrays(TEST, original=np.zeros((20, 8, 8, 2), np.uint8)), "1 or 3 colors"),
        (arrays(TEST, corrupted=np.zeros((20, 8, 9, 1), np.uint8)), r"shape \(20, 8, 8, 1\)"),
        (arrays(TEST, label=np.zeros(19, int)), r"`label` .* shape \(20,\)"),
        (arrays(TEST, image_id=np.zeros(20)), "`image_id`"),
        (arrays(RESTORED, index=None), "must hold `restored` and `index`"),
        (arrays(RESTORED, index=np.arange(19)), r"must be bytes \(19, 8, 8, 1\)"),
        (arrays(RESTORED, index=np.arange(20.0)), "`index` .* 20 whole numbers"),
        (arrays(RESTORED, predicted=np.arange(3)), "`predicted` .* 20 whole numbers"),
        (arrays(RESTORED, restored=np.zeros((20, 8, 8, 1))), "must be bytes"),
    ],
)
def test_refuses_what_no_course_writes(spoilt, spoil, match):
    spoil(spoilt)
    with pytest.raises(ValueError, match=match):
        read_restorations(spoilt)


def test_refuses_classes_of_other_pictures(spoilt):
    named = {"original": np.arange(3), "corrupted": np.arange(20)}
    spoilt.write_arrays("folds/pictures/classified.npz", named)
    with pytest.raises(
        ValueError, match=r"`original` of .*classified\.npz must be a class of each"
    ):
        read_restorations(spoilt)


def test_systems_may_lack_what_was_not_measured(spoilt):
    stored = [{"name": "A", "slug": "a", "iterations": 5}]
    (spoilt.path / SYSTEMS).write_text(json.dumps(stored))
    (system,) = read_systems(spoilt)
    assert (system.seconds_per_iteration, system.learning_rate) == (None, None)
    assert system.tuning == {}
