import numpy as np
import pytest

from phosphene.evaluation.restoration import ACCURACY, EQUAL_ITERATIONS, EQUAL_TIME
from phosphene.experiment.restoration import drawing
from phosphene.experiment.restoration.classifier import CLASSIFIED
from phosphene.experiment.restoration.pictures import TEST
from phosphene.experiment.restoration.scoring import SYSTEMS, score_run
from phosphene.run_dir import RunDir


def _write(run, file, restored, **more):
    run.write_arrays(file, {"restored": restored, "index": np.arange(len(restored)), **more})


def test_an_empty_folder_has_no_scores(tmp_path):
    assert score_run(RunDir.create(tmp_path / "run")) == []


def test_the_corrupted_pictures_are_scored_first(run):
    scores = score_run(run)
    assert {(score.method, score.role) for score in scores} == {("corrupted picture", "baseline")}
    test = run.read_arrays(TEST)
    (found,) = (score for score in scores if score.name == "RMSE[missing]")
    mask = test["missing"][..., None]
    squares = ((test["corrupted"] / 255 - test["original"] / 255) ** 2)[mask]
    assert found.value == pytest.approx(float(squares.mean() ** 0.5), rel=1e-4)


def test_what_is_on_disk_is_scored_under_its_name(run):
    test = run.read_arrays(TEST)
    run.write_json(SYSTEMS, [{"name": "CNN-CNN"}, {"name": "CNN-LSTM"}])
    _write(run, drawing.iterations_file("CNN-LSTM"), test["original"])
    _write(run, drawing.iterations_file("CNN-CNN"), test["corrupted"])
    _write(run, drawing.time_file("CNN-CNN"), test["original"], predicted=test["label"])
    _write(run, drawing.baseline_file("total variation"), test["corrupted"])
    run.write_arrays(CLASSIFIED, {name: test["label"] for name in ("original", "corrupted")})
    scores = score_run(run)
    found = {(s.method, s.fold): s for s in scores if s.name == "RMSE[whole]"}
    assert found["CNN-LSTM", EQUAL_ITERATIONS].value == 0
    assert found["CNN-LSTM", EQUAL_ITERATIONS].role == "result"
    assert found["CNN-CNN", EQUAL_TIME].value == 0
    assert found["total variation", "all"].role == "baseline"
    assert ("CNN-LSTM", EQUAL_TIME) not in found
    (difference,) = (s for s in scores if s.name == "RMSE[whole] difference")
    assert difference.method == "CNN-LSTM - CNN-CNN"
    assert difference.value < 0
    accuracies = {(s.method, s.fold) for s in scores if s.name == ACCURACY}
    assert accuracies == {
        ("original picture", "all"), ("corrupted picture", "all"), ("CNN-CNN", EQUAL_TIME)
    }  # fmt: skip
