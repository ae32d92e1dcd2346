import shutil

import numpy as np
import pytest

from phosphene.evaluation.pictures import inception_score
from phosphene.experiment.inception import WEIGHTS
from phosphene.experiment.picture_scoring import equally_many, picture_scores
from phosphene.run_dir import RunDir


def score_pictures(run, *, feeding="", guided=False):
    return picture_scores(run, "0", "2 folds", feeding=feeding, guided=guided)


@pytest.fixture
def copied(trained, tmp_path):
    """Copy the trained run, so that a test may change it."""
    shutil.copytree(trained.run.path, tmp_path / "copy")
    return RunDir(tmp_path / "copy")


def test_a_fold_without_pictures_has_no_score(trained):
    assert picture_scores(trained.run, "1", "", feeding="", guided=False) == []


def test_what_helped_the_generator_stands_on_what_it_helped(copied):
    helped = score_pictures(copied, feeding="features pulled", guided=True)
    alone = score_pictures(copied)
    assert [score.value for score in helped] == [score.value for score in alone]
    for score, plain in zip(helped, alone, strict=True):
        if score.method == "generated" and score.name.startswith("class consistency"):
            assert score.note.startswith("features pulled")
            assert "features pulled" not in plain.note
        if "[domain]" in score.name and score.method != "real pictures":
            assert "trained against a classifier" in score.note
            assert "trained against a classifier" not in plain.note


def test_the_class_of_the_nearest_training_picture_is_known(copied):
    arrays = copied.read_arrays("folds/0/generated.npz")
    training, labels = arrays["training"], arrays["training_labels"]
    wanted = np.arange(len(arrays["own"])) % len(training)  # copies, one of them of a wrong class
    decoded = labels[wanted]
    decoded[0] = (decoded[0] + 1) % (labels.max() + 1)
    copies = {**arrays, "own": training[wanted], "decoded": decoded}
    copied.write_arrays("folds/0/generated.npz", copies)
    (near,) = (s for s in score_pictures(copied) if s.name.startswith("nearest picture"))
    assert near.value == pytest.approx(1 - 1 / len(wanted))


def test_few_pictures_are_noted_on_what_they_spoil(copied):
    arrays = copied.read_arrays("folds/0/generated.npz")
    few = np.unique(arrays["training_labels"], return_index=True)[1]
    less = {k: v[few] for k, v in arrays.items() if k.split("_")[0] == "training"}
    copied.write_arrays("folds/0/generated.npz", {**arrays, **less})
    pictures = [s for s in score_pictures(copied) if s.section == "pictures"]
    judged = {s.name for s in pictures if "fewer than 10" not in s.note}
    assert judged == {"class consistency (decoded)", "class consistency (shown)"}


def test_each_class_is_scored_alone_on_as_many_real_pictures(trained):
    arrays = trained.run.read_arrays("folds/0/generated.npz")
    found = [s for s in trained.scores if s.name.startswith("IS of class ")]
    pairs = {}
    for score in found:
        pairs.setdefault(score.name, {})[score.method] = score
    assert pairs
    for pair in pairs.values():
        assert {s.role for s in pair.values()} == {"result", "reference"}
        assert pair["generated"].n == pair["real pictures"].n >= 2
    rows = equally_many(arrays["decoded"], arrays["training_labels"], n_classes=4)["own"]
    classes = trained.run.read_json("dataset.json")["classes"]
    for label in np.unique(arrays["decoded"][rows]):
        mine = rows[arrays["decoded"][rows] == label]
        name = f"IS of class {classes[label]}[domain]"
        expected = inception_score(arrays["own_domain"][mine].astype(np.float64))[0]
        assert pairs[name]["generated"].value == expected


def test_equally_many_pictures_of_each_class_are_taken():
    own, training = np.array([0, 0, 0, 1, 2]), np.array([1, 1, 0, 0, 1])
    rows = equally_many(own, training, n_classes=4)
    for labels, name in ((own, "own"), (training, "training")):
        assert len(set(rows[name])) == 3
        np.testing.assert_array_equal(np.sort(labels[rows[name]]), [0, 0, 1])


def test_inception_scores_of_classes_need_the_classes_of_its_real_pictures(copied):
    arrays = copied.read_arrays("folds/0/generated.npz")
    rng = np.random.default_rng(0)
    described = {}
    for source in ("own", "shuffled", "label_only", "noise", "training", "heldout"):
        n = len(arrays[source])
        described[f"{source}_probabilities"] = rng.dirichlet(np.ones(8), n)
        described[f"{source}_features"] = rng.normal(size=(n, 3))
    copied.write_arrays("folds/0/inception.npz", described)
    assert not [s for s in score_pictures(copied) if s.name.endswith(f" of class 1[{WEIGHTS}]")]
    labels = {"training_labels": arrays["training_labels"]}
    copied.write_arrays("folds/0/inception.npz", {**described, **labels})
    found = [s for s in score_pictures(copied) if s.name.startswith("IS of class ")]
    through = {s.extractor: s for s in found if s.method == "generated"}
    assert set(through) == {"domain", WEIGHTS}
    assert "8 classes of its own" in through[WEIGHTS].note


def test_pictures_are_judged_against_decoded_and_shown_class(trained):
    arrays = trained.run.read_arrays("folds/0/generated.npz")
    judged = arrays["own_judge"].argmax(1)
    for target, labels in (("decoded", arrays["decoded"]), ("shown", arrays["labels"])):
        (score,) = (
            score
            for score in trained.scores
            if score.name == f"class consistency ({target})" and score.method == "generated"
        )
        assert score.value == pytest.approx((judged == labels).mean())
        assert "never saw" in score.extractor
