import dataclasses

import numpy as np
import pytest

from phosphene.data.trials import TRIAL_COLUMNS, content_hash, json_hash, trial_id


def test_window_is_a_view_without_margin(make_trials):
    trials = make_trials()
    assert trials.margin == 13
    assert trials.epochs.shape == (len(trials), 3, 64)
    assert trials.epochs.base is not None
    np.testing.assert_array_equal(trials.epochs, trials.epochs_with_margin[:, :, 13:-13])
    np.testing.assert_allclose(trials.times[[0, -1]], [0, 63 / 128])


def test_zero_margin_keeps_the_whole_window(make_trials):
    trials = dataclasses.replace(make_trials(), margin=0)
    assert trials.n_times == trials.epochs_with_margin.shape[2]
    np.testing.assert_array_equal(trials.epochs, trials.epochs_with_margin)


def test_table_has_the_promised_columns(make_trials):
    table = make_trials().table
    assert list(table.columns) == list(TRIAL_COLUMNS)
    assert table["trial"].str.len().eq(16).all()


@pytest.mark.parametrize("index", [[3, 0], np.array([True] + [False] * 17 + [True, False])])
def test_selects_by_position_or_mask(make_trials, index):
    trials = make_trials()
    assert len(trials) == 20
    chosen = trials.select(index)
    rows = np.flatnonzero(index) if np.asarray(index).dtype == bool else index
    assert chosen.table["trial"].tolist() == trials.table["trial"].iloc[rows].tolist()
    np.testing.assert_array_equal(chosen.epochs, trials.epochs[rows])
    assert chosen.classes == trials.classes


def test_data_hash_sees_samples_labels_and_settings(make_trials):
    trials = make_trials()
    assert trials.data_hash() == make_trials().data_hash()
    assert trials.data_hash() != trials.select([1, 2]).data_hash()
    flipped = trials.table.assign(label=1 - trials.table["label"])
    others = [
        dataclasses.replace(trials, table=flipped),
        dataclasses.replace(trials, preprocessing={"steps": []}),
        dataclasses.replace(trials, ch_names=("a", "b", "c")),
        make_trials(tmax=0.25),
    ]
    assert len({t.data_hash() for t in [trials, *others]}) == 5


def test_hashes_change_with_one_sample_and_with_identity():
    epoch = np.zeros((2, 5), np.float32)
    other = epoch.copy()
    other[0, 0] = 1e-12
    assert content_hash(epoch) != content_hash(other)
    assert trial_id(epoch, {"recording": "a"}) != trial_id(other, {"recording": "a"})
    assert trial_id(epoch, {"recording": "a"}) != trial_id(epoch, {"recording": "b"})
    assert json_hash({"a": 1, "b": 2}) == json_hash({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: {"epochs_with_margin": t.epochs_with_margin.astype(float)}, "float32"),
        (lambda t: {"epochs_with_margin": t.epochs_with_margin[1:]}, "shape"),
        (lambda t: {"margin": 45}, "leave a window"),
        (lambda t: {"classes": ("house",)}, "labels are indices"),
        (lambda t: {"table": t.table.drop(columns="onset")}, "onset"),
        (lambda t: {"table": t.table.assign(trial="x")}, "must differ"),
    ],
)
def test_refuses_contradictions(make_trials, change, match):
    trials = make_trials()
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(trials, **change(trials))
