from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.design import (
    check_groups,
    check_imbalance,
    check_order,
    class_from_group,
)
from phosphene.audit.finding import CheckNotPossibleError


def made(check, source, split=None):
    return check(source, split, np.random.default_rng(0))


def test_groups_of_one_class_tell_it_and_random_ones_do_not():
    labels = np.repeat([0, 1, 1, 0], 10)
    told, right = class_from_group(labels, np.repeat(["a", "b", "c", "d"], 10))
    assert told == pytest.approx(1)
    assert right.all()
    rng = np.random.default_rng(0)
    told, _ = class_from_group(rng.permutation(np.arange(400) % 4), np.arange(400) // 50)
    assert told < 0.1
    told, right = class_from_group(np.array([0, 1, 0, 1]), np.arange(4))
    assert not right.any()  # nobody else is in the group


def test_a_rare_class_counts_as_much():
    labels = np.array([0] * 90 + [1] * 10)
    told, _ = class_from_group(labels, np.array(["a"] * 85 + ["b"] * 15))
    assert told == pytest.approx((85 / 90 + 1) / 2 * 2 - 1)  # group b is two thirds the rare class


@pytest.mark.parametrize("name", ["block", "recording", "session", "subject"])
def test_names_the_group_that_tells_the_class(make_source, name):
    group = np.repeat(np.arange(8), 15)
    place = {"block": group, "recording": group // 2, "session": group // 2, "subject": group // 4}
    columns = {"subject": np.char.mod("s%d", group // 4), "block": np.char.mod("b%d", group)}
    if name == "session":  # several recordings each
        columns["session"] = np.char.mod("day%d", group // 4)
        place["session"] = group // 4
        columns["subject"] = "s"
    source = make_source(labels=place[name] % 2, **columns)
    (finding,) = made(check_groups, source)
    assert finding.kind == f"class_aligned_with_{name}"
    assert finding.severity == "severe"
    assert finding.evidence["that show one class only"] == place[name].max() + 1
    assert finding.title == f"each of the {place[name].max() + 1} {name}s shows one class only"
    assert finding.n_trials == 120


def test_a_lean_to_a_class_is_a_warning(make_source):
    rng = np.random.default_rng(0)
    often = np.repeat([0.3, 0.7, 0.3, 0.7], 60)
    source = make_source(n_trials=60, labels=rng.random(240) < often)
    (finding,) = made(check_groups, source)
    assert (finding.kind, finding.severity) == ("class_aligned_with_recording", "warning")


def test_says_what_mean_and_size_score_on_random_windows(make_source):
    labels = np.repeat([0, 1, 0, 1], 30)
    source = make_source(labels=labels)
    epochs = source.epochs_with_margin + 1e-5 * labels[:, None, None].astype(np.float32)
    (finding,) = made(check_groups, replace(source, epochs_with_margin=epochs))
    assert finding.evidence["mean and size of each channel alone, random windows"] > 0.9


def test_a_random_design_is_fine(make_source):
    source = make_source(n_trials=60, block=np.char.mod("%d", np.arange(240) // 10))
    assert made(check_groups, source) == []
    assert made(check_order, source) == []
    assert made(check_imbalance, source) == []


def test_says_what_it_cannot_compare(make_source):
    with pytest.raises(CheckNotPossibleError, match="one class"):
        made(check_groups, make_source(labels=np.zeros(120)))
    nameless = make_source(n_recordings=1)
    with pytest.raises(CheckNotPossibleError, match="no blocks"):
        made(check_groups, nameless)
    unknown = replace(nameless, table=nameless.table.assign(onset=0.0), raw_ranges_known=False)
    with pytest.raises(CheckNotPossibleError, match="order"):
        made(check_order, unknown)
    with pytest.raises(CheckNotPossibleError, match="one class"):
        made(check_order, make_source(labels=np.repeat([0, 1, 0, 1], 30)))


def test_classes_in_stretches_are_severe_and_short_runs_a_warning(make_source):
    (finding,) = made(check_order, make_source(labels=np.arange(120) // 10 % 2))
    assert (finding.kind, finding.severity) == ("class_aligned_with_order", "severe")
    assert finding.evidence["neighbours of one class"] == pytest.approx(27 / 29, abs=0.08)
    assert finding.evidence["runs of equal labels"] == 12
    source = make_source(labels=np.arange(240) // 3 % 2, n_trials=60)
    (finding,) = made(check_order, source)
    assert finding.severity == "warning"
    assert finding.n_trials == sum(np.diff(source.labels)[np.arange(239) % 60 != 59] == 0)


@pytest.mark.parametrize(
    ("counts", "severity"),
    [((30, 30), None), ((70, 50), None), ((90, 30), "warning"), ((112, 8), "severe")],
)
def test_imbalance_is_measured_by_the_rarest_class(make_source, counts, severity):
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1], counts))
    findings = made(check_imbalance, make_source(n_trials=sum(counts) // 4, labels=labels))
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    if findings:
        assert findings[0].evidence["trials per class"] == list(counts)
        assert findings[0].n_trials == counts[1]
        assert (source_label := findings[0].evidence["rarest"]).startswith("k1")
        assert str(counts[1]) in source_label


def test_parts_without_a_class_are_named(make_source, make_split):
    labels = np.concatenate([np.zeros(15), np.ones(15), np.arange(90) % 2])
    source = make_source(labels=labels)
    groups = np.where(np.arange(120) < 15, "x", "y")
    (finding,) = made(check_imbalance, source, make_split(source, groups, unit="trial"))
    assert finding.severity == "warning"
    assert finding.evidence["parts that lack a class"] == [
        "test trials of fold x",
        "training trials of fold y",
    ]
