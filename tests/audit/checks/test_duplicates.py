from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from phosphene.audit.checks.duplicates import check_duplicates
from phosphene.data.splits import Fold, Split


def without_recordings(source, epochs=None, **fields):
    epochs = source.epochs_with_margin if epochs is None else epochs
    return replace(source, epochs_with_margin=epochs, recordings=(), **fields)


def twice(source, rows, onto):
    epochs = source.epochs_with_margin.copy()
    epochs[onto] = epochs[rows]
    return without_recordings(source, epochs)


def split_of(source, test):
    ids = source.table["trial"].to_numpy()
    held = np.isin(np.arange(len(ids)), test)
    return Split("trial", (Fold("a", tuple(ids[~held]), tuple(ids[held])),))


def look(source, split=None):
    return check_duplicates(source, split, np.random.default_rng(0))


def test_copies_across_a_split_are_counted_and_priced(make_source):
    source = twice(make_source(), [0, 1, 2], [100, 101, 60])
    (found,) = look(source, split_of(source, np.arange(90, 120)))
    assert (found.kind, found.severity) == ("duplicated_trials", "severe")
    assert found.evidence["n_copies"] == 3
    assert found.evidence["test_trials_with_a_copy_in_training"] == 2
    assert "2 of 30 test trials" in found.effect
    assert "0.53 instead of 0.50" in found.effect  # 2/30 + 28/30 / 2
    assert set(found.trials) == {100, 101}


@pytest.mark.parametrize(("onto", "severity"), [(100, "severe"), (5, "warning")])
def test_without_a_split_a_copy_in_another_recording_is_worse(make_source, onto, severity):
    (found,) = look(twice(make_source(), [0], [onto]))
    assert found.severity == severity


def test_copies_on_one_side_are_a_warning(make_source):
    source = twice(make_source(), [0], [100])
    (found,) = look(source, split_of(source, np.arange(40, 60)))
    assert found.severity == "warning"
    assert "intervals are too narrow" in found.effect


def test_a_recording_of_which_most_trials_stand_again_is_named_once(make_source):
    source = twice(make_source(), np.arange(20), np.arange(90, 110))
    (found,) = look(source)
    assert (found.kind, found.severity) == ("duplicated_recording", "severe")
    assert found.title == "The recordings r0 and r3 hold the same signal"
    assert "20 of 30 trials" in found.evidence["pairs"][0]
    apart = split_of(source, [*range(30), *range(90, 120)])
    (found,) = look(source, apart)
    assert found.severity == "warning"
    (found,) = look(source, split_of(source, np.arange(30)))
    assert found.evidence["folds_with_a_copy_on_both_sides"] == ["a"]


def test_equal_source_samples_count_though_epochs_differ(make_source):
    source = make_source()
    content = source.table["content"].to_numpy().copy()
    content[70] = content[3]
    source = without_recordings(source, table=source.table.assign(content=content))
    (found,) = look(source)
    assert found.evidence["pairs"] == [[3, 70]]
    assert "in the source" in found.title


def test_overlapping_windows_are_no_copies(make_source):
    assert look(make_source(step=6)) == []
    unknown = without_recordings(make_source(step=6), raw_ranges_known=False)
    assert look(unknown) == []


def test_windows_that_share_samples_against_their_ranges_are_shifted_copies(make_source):
    source = make_source(n_times=50)
    epochs = source.epochs_with_margin.copy()
    epochs[100][:, 4:] = epochs[3][:, :-4]
    (found,) = look(without_recordings(source, epochs))
    assert "shifted by 4 samples" in found.title


def test_several_pairs_of_recordings_are_one_finding(make_source):
    source = make_source(n_recordings=2)
    signals = [r.signal for r in source.recordings]
    more = [
        replace(r, recording=f"again{k}", signal=s * np.float32(2), events=pd.DataFrame(r.events))
        for k, (r, s) in enumerate(zip(source.recordings, signals, strict=True))
    ]
    (found,) = look(replace(source, recordings=(*source.recordings, *more)))
    assert found.title == "2 pairs of recordings hold the same signal"
    assert all("rescaled by 2" in pair for pair in found.evidence["pairs"])
