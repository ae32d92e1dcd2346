import numpy as np

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.confusion import confusion_matrix
from phosphene.run_dir import RunDir


def write_decoding(path, labels, decoded, n_classes):
    run = RunDir.create(path)
    run.write_json("dataset.json", {"classes": [f"c{i}" for i in range(n_classes)]})
    arrays = {"labels": np.array(labels), "probabilities": np.eye(n_classes)[decoded]}
    run.write_arrays("folds/0/decoding.npz", arrays)
    return read_contents(run)


def test_rows_are_true_classes_and_sum_to_one(tmp_path):
    confusion = confusion_matrix(write_decoding(tmp_path / "r", [0, 0, 0, 1], [0, 1, 1, 1], 3))
    assert confusion.shares[0] == (0.3333, 0.6667, 0.0)
    assert confusion.shares[1] == (0.0, 1.0, 0.0)
    assert confusion.shares[2] == (0.0, 0.0, 0.0)  # no trials, no division by zero
    assert confusion.counts == (3, 1, 0)
    assert confusion.worst == "The most frequent confusion: c0 decoded as c1 (67 %)."


def test_many_classes_are_drawn_without_numbers(tmp_path):
    labels = list(range(40))
    confusion = confusion_matrix(write_decoding(tmp_path / "r", labels, labels, 40))
    assert not confusion.write_numbers
    assert confusion.worst == ""


def test_nothing_decoded_gives_none(tmp_path):
    assert confusion_matrix(read_contents(RunDir.create(tmp_path / "r"))) is None
