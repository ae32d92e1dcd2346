from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.overlap import check_overlap
from phosphene.audit.finding import CheckNotPossibleError
from phosphene.data.splits import Fold, Split


@pytest.fixture
def windows(make_source):
    """Windows of 50 samples, one every 20, of four recordings; nobody says where they were."""
    made = make_source(step=20, margin=0)
    return replace(
        made,
        recordings=(),
        raw_ranges_known=False,
        table=made.table.assign(recording="x_train", start=-1, stop=-1),
    )


def split_of(source, test):
    ids = source.table["trial"].to_numpy()
    held = np.isin(np.arange(len(ids)), test)
    return Split("trial", (Fold("a", tuple(ids[~held]), tuple(ids[held])),))


def look(source, split=None):
    return {f.kind: f for f in check_overlap(source, split, np.random.default_rng(0))}


def test_overlap_across_a_split_is_counted(windows):
    """Test windows 10 to 19 are in the middle of a stretch; 8 share samples with their own kind
    alone, but all come from a stretch that trains."""
    found = look(windows, split_of(windows, np.arange(10, 20)))["overlap_in_samples"]
    assert found.severity == "severe"
    assert found.evidence["test_windows_that_share_samples_with_training"] == 4
    assert found.evidence["test_windows_of_a_stretch_that_also_trains"] == 10
    assert found.evidence["lags"][0] == "20 samples: 116 pairs"
    assert found.n_trials == 10
    assert "may read 1.00" in found.effect


def test_whole_stretches_apart_are_no_leak(windows):
    found = look(windows, split_of(windows, np.arange(30)))["overlap_in_samples"]
    assert found.severity == "note"
    assert found.evidence["test_windows_of_a_stretch_that_also_trains"] == 0


def test_without_a_split_it_is_a_warning(windows):
    assert look(windows)["overlap_in_samples"].severity == "warning"


def test_independent_recordings_are_counted(windows):
    found = look(windows)["few_independent_recordings"]
    assert found.title == "120 windows come from at most 4 independent stretches of recording"
    assert found.evidence["windows_per_stretch_median"] == 30
    assert found.evidence["seconds_per_stretch_median"] == pytest.approx((29 * 20 + 50) / 100)
    assert found.evidence["stretches_of_one_class"] == 0
    assert "5 times too narrow" in found.effect  # sqrt(120 / 4)


def test_stretches_of_one_class_are_told(windows):
    labels = np.repeat([0, 1, 0, 1], 30)
    found = look(replace(windows, table=windows.table.assign(label=labels)))
    assert "holds one class" in found["few_independent_recordings"].effect


def test_windows_apart_share_nothing(make_source):
    made = make_source(step=100, margin=0)
    assert (
        check_overlap(replace(made, raw_ranges_known=False), None, np.random.default_rng(0)) == []
    )


def test_known_ranges_are_left_to_another_check(make_source):
    with pytest.raises(CheckNotPossibleError, match="ranges were compared"):
        look(make_source())


def test_windows_too_short_to_match_are_told(windows):
    epochs = windows.epochs_with_margin[:, :1, :4].copy()
    with pytest.raises(CheckNotPossibleError, match="too few or too smooth"):
        look(replace(windows, epochs_with_margin=epochs, ch_names=("c0",)))
