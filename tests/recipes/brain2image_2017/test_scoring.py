import numpy as np
import pytest

from phosphene.experiment.painting import SOURCES
from phosphene.recipes.brain2image_2017.scoring import extra_scores, inception_scores
from phosphene.run_dir import RunDir

OUTPUTS = np.array([169, 449, 1000])  # giant panda, tench, dumbbell


@pytest.fixture
def described(tmp_path):
    """Write what Inception saw: everything as decoded, of noise always the panda."""

    def write(classes):
        run = RunDir.create(tmp_path / "run")
        run.write_json("dataset.json", {"classes": list(classes)})
        labels = np.arange(12) % 3
        decoded = np.where(np.arange(12) < 9, labels, (labels + 1) % 3)
        pandas = np.zeros(12, np.int64)
        run.write_arrays(
            "folds/a/generated.npz",
            {"labels": labels, "decoded": decoded, "noise_decoded": pandas,
             "recording": np.array(["r"] * 12)},
        )  # fmt: skip
        seen = {f"{source}_probabilities": np.eye(1008)[OUTPUTS[decoded]] for source in SOURCES}
        seen["noise_probabilities"] = np.eye(1008)[OUTPUTS[pandas]]
        seen["training_probabilities"] = np.eye(1008)[np.array([169, 449, 7, 8])]
        seen["training_labels"] = np.array([0, 1, 2, 2])
        run.write_arrays("folds/a/inception.npz", seen)
        return run

    return write


def test_pictures_are_scored_by_what_inception_sees(described):
    run = described(["n02510455", "tench", "dumbbell"])
    scores = {(s.method, s.name.split("(")[1]): s for s in inception_scores(run, "a", "words")}
    values = {key: score.value for key, score in scores.items()}
    assert values["generated", "shown)"] == 9 / 12
    assert values["generated", "decoded)"] == 1
    assert values["noise input", "decoded)"] == 1
    assert values["noise input", "shown)"] == pytest.approx(1 / 3)
    assert values["real pictures", "shown)"] == 0.5
    assert {score.fold for score in scores.values()} == {"a"}
    roles = {method: score.role for (method, _), score in scores.items()}
    assert roles == {
        "generated": "result",
        "class label only": "control",
        "shuffled features": "control",
        "noise input": "control",
        "real pictures": "reference",
    }
    assert extra_scores(run, "a", "words") == list(scores.values())  # no paths are drawn here


def test_classes_that_imagenet_does_not_know_are_not_scored(described):
    assert inception_scores(described(["n02510455", "tench", "7"]), "a", "words") == []


def test_pictures_that_inception_has_not_seen_are_not_scored(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_json("dataset.json", {"classes": ["tench", "dumbbell"]})
    assert inception_scores(run, "a", "words") == []


def test_older_descriptions_have_no_row_of_real_pictures(described):
    run = described(["n02510455", "tench", "dumbbell"])
    seen = run.read_arrays("folds/a/inception.npz")
    del seen["training_labels"]
    run.write_arrays("folds/a/inception.npz", {name: rows[:9] for name, rows in seen.items()})
    scores = inception_scores(run, "a", "words")
    assert {score.role for score in scores} == {"result", "control"}
    assert {score.n for score in scores} == {9}
