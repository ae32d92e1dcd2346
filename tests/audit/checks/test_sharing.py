from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.sharing import (
    check_leave_one_out,
    check_raw_ranges,
    check_same_trials,
    check_shared_groups,
    check_shared_stimuli,
)
from phosphene.audit.finding import CheckNotPossibleError
from phosphene.data.splits import Fold, Split


def made(check, source, split):
    return check(source, split, np.random.default_rng(0))


def by_recording(source, make_split, unit="recording"):
    return make_split(source, source.table["recording"].to_numpy(str), unit=unit)


CHECKS = [check_same_trials, check_shared_groups, check_shared_stimuli, check_leave_one_out]


@pytest.mark.parametrize("check", CHECKS)
def test_without_a_split_nothing_can_be_shared(check, make_source):
    with pytest.raises(CheckNotPossibleError, match="no split"):
        made(check, make_source(), None)


def test_a_clean_split_of_recordings_shares_nothing(make_source, make_split):
    source = make_source()
    split = by_recording(source, make_split)
    for check in (check_same_trials, check_raw_ranges, check_shared_groups, check_leave_one_out):
        assert made(check, source, split) == []


def test_trials_on_both_sides_are_named_also_where_they_validate(make_source):
    source = make_source(n_recordings=1, n_trials=10)
    split = Split("trial", (Fold("a", ("t0", "t1"), ("t1", "t2", "t3"), ("t3",)),))
    (finding,) = made(check_same_trials, source, split)
    assert finding.severity == "severe"
    assert finding.trials == (1, 3)


def test_windows_that_share_samples_are_counted(make_source, make_split):
    source = make_source(n_recordings=2, n_trials=10, step=40)  # windows of 50
    split = make_split(source, np.arange(20) % 10 >= 5)
    (finding,) = made(check_raw_ranges, source, split)
    assert finding.severity == "severe"
    assert finding.trials == (4, 5, 14, 15)
    assert finding.evidence["window, samples"] == 50
    assert finding.evidence["onsets apart, samples (median)"] == 40


def test_without_a_split_overlapping_windows_are_a_note(make_source):
    (finding,) = made(check_raw_ranges, make_source(n_recordings=1, n_trials=8, step=40), None)
    assert (finding.severity, finding.n_trials) == ("note", 7)
    assert made(check_raw_ranges, make_source(), None) == []
    with pytest.raises(CheckNotPossibleError, match="which samples"):
        made(check_raw_ranges, replace(make_source(), raw_ranges_known=False), None)


def test_one_sample_at_a_seam_is_no_leak(make_source, make_split):
    source = make_source(n_recordings=1, n_trials=8, step=49)
    groups = np.arange(8) % 2
    assert made(check_raw_ranges, source, make_split(source, groups, unit="stimulus")) == []
    (finding,) = made(check_raw_ranges, source, make_split(source, groups, unit="trial"))
    assert (finding.severity, finding.n_trials) == ("note", 8)


def test_a_split_of_windows_shares_recordings(make_source, make_split):
    source = make_source()
    (finding,) = made(check_shared_groups, source, make_split(source, np.arange(120) % 5))
    assert (finding.kind, finding.severity) == ("shared_recording", "warning")
    assert finding.evidence["on both sides"] == 4
    assert finding.n_trials == 120


def test_shared_recordings_are_severe_where_they_tell_the_class_or_classes_come_in_runs(
    make_source, make_split
):
    groups = np.random.default_rng(0).permutation(np.arange(120) % 5)
    told = make_source(labels=np.repeat([0, 1, 0, 1], 30))
    (finding,) = made(check_shared_groups, told, make_split(told, groups))
    assert finding.severity == "severe"
    assert "the recording tells the class" in finding.effect
    runs = make_source(labels=np.arange(120) // 15 % 2)
    (finding,) = made(check_shared_groups, runs, make_split(runs, groups))
    assert finding.severity == "severe"
    assert "stretches of time" in finding.effect


@pytest.mark.parametrize("name", ["session", "subject"])
def test_a_split_must_keep_apart_what_it_says(make_source, make_split, name):
    half = np.repeat(["a", "b"], 60)
    source = make_source(**{name: half})
    claimed = made(check_shared_groups, source, by_recording(source, make_split, name))
    found = {finding.kind: finding.severity for finding in claimed}
    assert found[f"shared_{name}"] == "severe"
    honest = made(check_shared_groups, source, by_recording(source, make_split))
    assert {finding.severity for finding in honest} == {"note"}


def test_a_single_subject_cannot_be_kept_apart(make_source, make_split):
    source = make_source()
    assert made(check_shared_groups, source, by_recording(source, make_split)) == []


def test_data_without_names_say_so(make_source, make_split):
    source = make_source(recording="", session="", subject="")
    source = replace(source, recordings=())
    with pytest.raises(CheckNotPossibleError, match="neither recordings nor subjects"):
        made(check_shared_groups, source, make_split(source, np.arange(120) % 5))


def test_known_pictures_are_a_warning_unless_the_split_denies_them(make_source, make_split):
    names = np.char.mod("p%d", np.arange(120) % 13)
    source = make_source(stimulus=names)
    (finding,) = made(check_shared_stimuli, source, by_recording(source, make_split))
    assert finding.severity == "warning"
    assert finding.evidence["pictures on both sides"] == 13
    (finding,) = made(check_shared_stimuli, source, by_recording(source, make_split, "stimulus"))
    assert finding.severity == "severe"
    assert made(check_shared_stimuli, source, make_split(source, names)) == []
    half_known = np.where(np.arange(120) % 2, names, "")
    source = make_source(stimulus=half_known)
    (finding,) = made(check_shared_stimuli, source, by_recording(source, make_split))
    assert finding.n_trials == 60
    with pytest.raises(CheckNotPossibleError, match="which picture"):
        made(check_shared_stimuli, make_source(), by_recording(source, make_split))


def test_leaving_out_single_windows_is_severe_where_neighbours_share_something(
    make_source, make_split
):
    def leave_one_out(source):
        return made(check_leave_one_out, source, make_split(source, np.arange(len(source))))

    size = {"n_recordings": 2, "n_trials": 12}
    assert [f.severity for f in leave_one_out(make_source(**size))] == ["warning"]
    assert [f.severity for f in leave_one_out(make_source(step=40, **size))] == ["severe"]
    blocked = make_source(labels=np.arange(60) // 15 % 2, n_recordings=2)
    assert [f.severity for f in leave_one_out(blocked)] == ["severe"]
    unknown = replace(make_source(**size), raw_ranges_known=False)
    assert [f.severity for f in leave_one_out(unknown)] == ["severe"]
