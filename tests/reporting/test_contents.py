import numpy as np
import pytest

from phosphene.reporting.contents import natural_key, read_contents
from phosphene.run_dir import RunDir


def test_an_empty_folder_is_read_as_nothing(tmp_path):
    contents = read_contents(RunDir.create(tmp_path / "run"))
    assert contents.scores == ()
    assert contents.folds == ()
    assert contents.classes == ()
    assert contents.evoked is None
    assert not contents.finished
    assert contents.pooled("labels") is None


def test_a_finished_run_is_read_completely(finished_run):
    contents = read_contents(finished_run)
    assert contents.finished
    assert contents.pairing == "class-only"
    assert contents.ceiling["accuracy"] == 0.93
    assert len(contents.folds) == 5
    labels, recording = contents.pooled("labels", "recording")
    assert len(labels) == len(recording) == 500


@pytest.mark.parametrize(
    "dataset",
    [
        {"classes": ["a", "b"]},
        {"info": {"classes": ["a", "b"]}},
        {"classes": {"a": 10, "b": 12}},
        {"classes": [{"name": "a"}, {"name": "b"}]},
    ],
)
def test_class_names_are_found_in_any_form(tmp_path, dataset):
    run = RunDir.create(tmp_path / "run")
    run.write_json("dataset.json", dataset)
    contents = read_contents(run)
    assert contents.classes == ("a", "b")
    assert contents.class_name(1) == "b"
    assert contents.class_name(2) == "2"


def test_classes_without_names_are_numbered(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_arrays("folds/0/decoding.npz", {"probabilities": np.full((4, 3), 1 / 3)})
    assert read_contents(run).classes == ("0", "1", "2")


def test_folds_follow_the_split_then_nature(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_json("split.json", {"folds": [{"key": "z"}, {"key": "absent"}]})
    for key in ("f10", "f9", "z"):
        run.fold(key)
    assert [fold.key for fold in read_contents(run).folds] == ["z", "f9", "f10"]


def test_natural_order_counts():
    assert sorted(["r10", "r9", "a"], key=natural_key) == ["a", "r9", "r10"]


def test_a_fold_may_hold_the_map_of_a_second_encoder(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_arrays("folds/0/map.npz", {"tsne": np.zeros((3, 2))})
    run.write_arrays("folds/1/compare_map.npz", {"tsne": np.ones((3, 2))})
    first, second = read_contents(run).folds
    assert first.compare_map is None
    assert second.map is None
    np.testing.assert_array_equal(second.compare_map["tsne"], 1)


def test_a_fold_may_hold_paths_between_classes(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_arrays("folds/0/map.npz", {"tsne": np.zeros((3, 2))})
    run.write_arrays("folds/1/interpolation.npz", {"pairs": np.array([[0, 1]])})
    first, second = read_contents(run).folds
    assert first.interpolation is None
    np.testing.assert_array_equal(second.interpolation["pairs"], [[0, 1]])


def test_a_run_from_pictures_to_signals_is_told_by_its_split_scores_or_arrays(
    tmp_path, finished_run, make_signal_run
):
    assert read_contents(finished_run).signals is None
    assert len(read_contents(make_signal_run()).signals.summaries) == 12
    divided = RunDir.create(tmp_path / "divided")
    divided.write_json("split.json", {"folds": [{"key": "pictures"}]})
    scored = RunDir.create(tmp_path / "scored")
    score = {"name": "a", "value": 1.0, "n": 2, "unit": "pictures", "section": "signals"}
    scored.write_json("scores.json", [score])
    for run in (divided, scored):
        assert read_contents(run).signals.summaries == ()
