import numpy as np
import pytest

from phosphene.evaluation.restoration.scores import (
    ACCURACY,
    EQUAL_ITERATIONS,
    EQUAL_TIME,
    Restored,
    score_restoration,
)


@pytest.fixture
def shown():
    rng = np.random.default_rng(0)
    missing = np.zeros((40, 12, 12), dtype=bool)
    missing[:, 6:] = True
    return {
        "original": rng.integers(0, 256, (40, 12, 12, 1)).astype(np.uint8),
        "missing": missing,
        "label": np.arange(40) % 4,
    }


def _restored(test, method, *, error, seed, fold="all", role="result", wrong=0, index=None):
    """Return pictures with an error in the missing part, and a few classes that are wrong."""
    rng = np.random.default_rng(seed)
    index = np.arange(40) if index is None else index
    noise = rng.normal(0, error * 255, test["original"].shape) * test["missing"][..., None]
    pixels = (test["original"] + noise).clip(0, 255).astype(np.uint8)[index]
    predicted = test["label"].copy()
    predicted[:wrong] += 1
    return Restored(
        method=method, pixels=pixels, index=index, predicted=predicted[index], fold=fold, role=role
    )


def _score(test, methods, *, main="ours", n_classes=4, original_predicted=None):
    return score_restoration(
        test, methods, main=main, split="held out", n_classes=n_classes,
        original_predicted=original_predicted,
    )  # fmt: skip


def test_every_method_has_every_score(shown):
    ours = _restored(shown, "ours", error=0.1, seed=0, wrong=4)
    other = _restored(shown, "mean picture", error=0.3, seed=1, role="baseline")
    scores = _score(shown, [ours, other], original_predicted=shown["label"])
    wanted = {
        f"{metric}[{region}]"
        for metric in ("RMSE", "PSNR", "SSIM")
        for region in ("whole", "visible", "missing")
    } | {ACCURACY}
    found = {(score.method, score.name): score for score in scores}
    for method in ("ours", "mean picture"):
        assert {name for of, name in found if of == method} == wanted
    assert found["ours", "RMSE[visible]"].value == 0
    assert found["ours", "PSNR[visible]"].value == pytest.approx(58.9, abs=0.05)
    assert found["ours", "SSIM[whole]"].value > found["mean picture", "SSIM[whole]"].value
    accuracy = found["ours", ACCURACY]
    assert (accuracy.value, accuracy.n, accuracy.chance) == (0.9, 40, 0.25)
    assert accuracy.low < 0.9 < accuracy.high
    assert found["original picture", ACCURACY].value == 1
    assert found["original picture", ACCURACY].role == "reference"
    assert all(score.section == "restoration" and score.unit == "pictures" for score in scores)
    for score in scores:
        assert score.low <= score.value <= score.high, score
        assert score.higher_is_better == (not score.name.startswith("RMSE"))


def test_the_difference_is_that_of_the_scores_and_pairs_pictures(shown):
    """Two systems with the same errors but for a constant differ surely, though each varies."""
    ours = _restored(shown, "ours", error=0.2, seed=0, fold=EQUAL_TIME, wrong=2)
    scale = np.float64(1.2)
    pixels = shown["original"] + scale * (ours.pixels.astype(float) - shown["original"])
    worse = Restored(
        method="other", pixels=pixels.clip(0, 255).astype(np.uint8), index=ours.index,
        predicted=shown["label"], fold=EQUAL_TIME,
    )  # fmt: skip
    scores = _score(shown, [ours, worse])
    named = {(s.method, s.name): s for s in scores}
    found = named["ours - other", "RMSE[missing] difference"]
    values = [named[name, "RMSE[missing]"].value for name in ("ours", "other")]
    assert found.value == pytest.approx(values[0] - values[1])
    alone = named["ours", "RMSE[missing]"]
    assert found.high - found.low < 0.6 * (alone.high - alone.low)
    assert found.high < 0
    assert found.fold == EQUAL_TIME
    accuracy = named["ours - other", f"{ACCURACY} difference"]
    assert accuracy.value == pytest.approx(-0.05)
    assert accuracy.low < -0.05 < accuracy.high


def test_only_results_of_one_fold_on_the_same_pictures_are_compared(shown):
    methods = [
        _restored(shown, "ours", error=0.1, seed=0, fold=EQUAL_TIME),
        _restored(shown, "ours", error=0.1, seed=0, fold=EQUAL_ITERATIONS),
        _restored(shown, "other", error=0.2, seed=1, fold=EQUAL_TIME),
        _restored(shown, "few", error=0.2, seed=1, fold=EQUAL_TIME, index=np.arange(0, 40, 2)),
        _restored(shown, "simple", error=0.2, seed=1, fold=EQUAL_TIME, role="baseline"),
    ]
    found = {
        (score.method, score.fold)
        for score in _score(shown, methods)
        if score.name.endswith("difference")
    }
    assert found == {("ours - other", EQUAL_TIME)}


def test_scores_of_a_part_of_the_pictures_count_that_part(shown):
    index = np.arange(3, 40, 4)
    few = _restored(shown, "few", error=0.2, seed=0, index=index)
    scores = _score(shown, [few])
    assert {score.n for score in scores} == {len(index)}


def test_without_classes_there_is_no_accuracy(shown):
    ours = _restored(shown, "ours", error=0.1, seed=0)
    scores = _score(shown, [ours], n_classes=1, original_predicted=shown["label"])
    assert not [score for score in scores if "accuracy" in score.name]
