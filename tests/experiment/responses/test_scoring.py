import numpy as np
import pytest

from phosphene.experiment.responses.scoring import classifier_scores, score_run, split_words
from phosphene.run_dir import RunDir


def test_the_classifier_is_scored_against_chance():
    labels = np.repeat(np.arange(10), 4)
    probabilities = np.full((40, 10), 0.02)
    probabilities[np.arange(40), labels] = 0.8
    probabilities[:20] = np.roll(probabilities[:20], 1, axis=1)  # half of the pictures wrong
    first, five = classifier_scores(
        {"probabilities": probabilities, "labels": labels}, split="pictures held out"
    )
    assert (first.value, first.chance, first.n) == (0.5, 0.1, 10)
    assert first.low < 0.5 < first.high
    assert (five.value, five.chance) == (1.0, 0.5)


def test_nothing_is_scored_before_anything_is_there(tmp_path, quick_settings):
    assert score_run(RunDir.create(tmp_path / "run"), quick_settings) == []


@pytest.mark.parametrize(
    ("doubt", "words"), [(None, "pictures held out"), ("one sample shared", "one sample shared")]
)
def test_what_puts_the_split_in_doubt_stands_on_every_score(tmp_path, doubt, words):
    run = RunDir.create(tmp_path / "run")
    run.write_json(
        "split.json",
        {"unit": "stimulus", "folds": [], "seed": 0, "leak_reason": None, "doubt": doubt},
    )
    assert words in split_words(run)
