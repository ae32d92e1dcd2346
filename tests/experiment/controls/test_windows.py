import numpy as np
import pytest

from phosphene.experiment.controls import windows
from phosphene.experiment.controls.control import ControlNotPossibleError


def record_of(content, key):
    return next(c for c in content["controls"] if c["key"] == key)


def test_nothing_is_decoded_before_the_picture(controlled):
    record = record_of(controlled[1], "pre_stimulus")
    assert record["expected"] == "chance"
    assert record["passed"] is True
    assert "have a whole window before their onset" in record["note"]


def test_every_filter_has_both_splits(controlled):
    record = record_of(controlled[1], "filters")
    filters = [point["filter"] for point in record["details"]["curve"]]
    assert filters == ["no filter", "1-45 Hz", "5-57.6 Hz", "14-57.6 Hz"]
    assert len(record["scores"]) == 4 * len(filters)
    for point, own in zip(record["details"]["curve"], record["scores"][::4], strict=True):
        assert own["value"] == point["value"]
        assert own["method"].startswith(point["filter"])


def test_filters_that_the_rate_does_not_hold_are_named(material, monkeypatch):
    monkeypatch.setattr(windows, "sweep_rate", lambda recordings: 50.0)
    tasks = windows.SWEEP.tasks(material)
    assert [task.name for task in tasks] == ["filter_no_filter", "filter_1-45_Hz", "filter_5-95_Hz"]


def test_nothing_is_left_where_every_fold_lacks_a_class(material):
    few = np.flatnonzero(material.trials.labels == 0)
    with pytest.raises(ControlNotPossibleError, match="lack a class in every fold"):
        windows._decode(material, lambda: (material.trials.select(few), few))
