from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.units import check_units
from phosphene.audit.finding import CheckNotPossibleError
from phosphene.evaluation.power import Design, detection_power


def made(source, effect=None):
    return check_units(source, None, np.random.default_rng(0), effect=effect)


def test_enough_trials_for_a_large_effect(make_source):
    source = make_source(n_recordings=6, n_trials=50)
    assert made(source) == []
    assert made(source, 0.7) == []


def test_too_few_for_a_small_effect(make_source):
    source = make_source(n_recordings=6, n_trials=50)
    (finding,) = made(source, 0.53)
    assert finding.severity == "severe"
    power = detection_power(Design(n_recordings=6, n_units=50), 0.53)
    assert finding.evidence["power"] == pytest.approx(power, abs=1e-4)
    assert finding.evidence["recordings needed"] > 6
    least = finding.evidence["detected with 80 % power"]
    between = (finding.evidence["effect asked"] + least) / 2
    (finding,) = made(source, max(between, least - 0.01))
    assert finding.severity == "warning"
    assert made(source, least + 0.01) == []


def test_blocks_and_recordings_count_where_they_were_randomised(make_source):
    blocked = make_source(
        labels=np.arange(120) // 15 % 2, block=np.char.mod("%d", np.arange(120) // 15)
    )
    (finding,) = made(blocked)
    assert finding.evidence["independent unit"] == "block"
    assert finding.evidence["independent units"] == 8
    runs = replace(blocked, table=blocked.table.assign(block=""))
    (finding,) = made(runs)
    assert finding.evidence["independent units"] == 8
    (finding,) = made(make_source(labels=np.repeat([0, 1, 0, 1], 30)), 0.8)
    assert finding.evidence["independent unit"] == "recording"
    assert finding.evidence["independent units"] == 4
    assert "recordings needed" not in finding.evidence


def test_fewer_units_than_classes_show_nothing(make_source):
    source = make_source(
        n_recordings=4, n_trials=30, labels=np.repeat(np.arange(4), 30), n_classes=4
    )
    assert made(source)[0].severity == "warning"
    runs = make_source(n_recordings=4, labels=np.repeat([0, 1, 2, 3] * 2, 15), n_classes=4)
    (finding,) = made(runs, 0.9)
    assert (finding.severity, finding.evidence["independent units"]) == ("severe", 8)


def test_two_recordings_are_a_note(make_source):
    (finding,) = made(make_source(n_recordings=2, n_trials=100))
    assert finding.severity == "note"


def test_refuses_what_is_no_effect(make_source):
    with pytest.raises(ValueError, match=r"between chance, 0\.5, and 1; got 0\.5"):
        made(make_source(), 0.5)
    with pytest.raises(CheckNotPossibleError, match="one class"):
        made(make_source(labels=np.zeros(120)))
