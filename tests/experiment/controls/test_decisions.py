import numpy as np
import pytest

from phosphene.experiment.controls import decisions
from phosphene.experiment.controls.control import ControlNotPossibleError


def test_decisions_go_to_a_later_trial_of_their_recording():
    rows = np.array([10, 11, 12, 3, 4, 5])
    recordings = np.array(["a", "a", "a", "b", "b", "b"])
    assert decisions.moved_rows(rows, recordings, by=1).tolist() == [11, 12, 10, 4, 5, 3]
    assert decisions.moved_rows(rows, recordings, by=3).tolist() == rows.tolist()


def test_decisions_are_held_against_the_labels_of_the_next_trial(material):
    own = material.own()
    order = np.argsort(own["row"])
    rows, decoded = own["row"][order], own["probabilities"][order].argmax(1)
    labels, names = material.trials.labels[rows], material.recordings[rows]
    later = np.concatenate([np.roll(labels[names == n], -1) for n in dict.fromkeys(names)])
    found = decisions.MOVED.report(material, lambda name: {})
    recalls = [(decoded == later)[later == c].mean() for c in range(4)]
    assert found.scores[0].value == pytest.approx(np.mean(recalls))


def test_noise_gives_the_numbers_of_the_run(controlled, trained):
    _, content = controlled
    record = next(c for c in content["controls"] if c["key"] == "noise_input")
    expected = [s for s in trained.scores if s.method.startswith("noise input") and s.fold == "all"]
    values = {s.name: s.value for s in expected if s.section == "decoding"}
    assert {s["name"]: s["value"] for s in record["scores"]} == pytest.approx(values)


def test_moved_labels_have_a_curve_that_begins_with_the_score(controlled):
    _, content = controlled
    record = next(c for c in content["controls"] if c["key"] == "moved_labels")
    curve = record["details"]["curve"]
    assert [point["trials"] for point in curve] == list(decisions.SHIFTS)
    assert curve[0]["value"] == record["scores"][0]["value"]


def test_short_recordings_are_left_alone(material, monkeypatch):
    monkeypatch.setattr(decisions, "SHIFTS", (1, 1000))
    with pytest.raises(ControlNotPossibleError, match="up to 1000 trials"):
        decisions.MOVED.tasks(material)
