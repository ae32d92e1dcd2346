from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from phosphene.experiment.restoration.classifier import (
    CLASSIFIED,
    classify_test,
    name_classes,
    train_judge,
)
from phosphene.experiment.restoration.pictures import TEST, prepare_pictures


@pytest.mark.slow
def test_it_learns_to_tell_digits_apart(settings, pictures, watch, tmp_path):
    """Better than chance, 0.1; its one layer at 8 x 8 pixels knows no places."""
    longer = replace(settings, classifier_steps=150)
    judge = train_judge(longer, pictures, watch=watch, checkpoints=tmp_path / "judge")
    named = name_classes(judge, pictures.images.pixels[pictures.test], batch=7)
    assert (named == pictures.images.labels[pictures.test]).mean() > 0.2


def test_it_names_originals_and_corrupted_pictures_once(run, judge):
    classify_test(run, judge)
    found = run.read_arrays(CLASSIFIED)
    test = run.read_arrays(TEST)
    for name in ("original", "corrupted"):
        np.testing.assert_array_equal(found[name], name_classes(judge, test[name], batch=3))
    run.write_arrays(CLASSIFIED, {"original": np.zeros(1)})
    classify_test(run, judge)
    assert run.read_arrays(CLASSIFIED).keys() == {"original"}


def test_one_class_needs_none(settings, watch, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(8):
        Image.new("L", (8, 8), 30 * number).save(folder / f"{number}.png")
    pictures = prepare_pictures(settings, folder)
    assert train_judge(settings, pictures, watch=watch, checkpoints=tmp_path / "judge") is None
