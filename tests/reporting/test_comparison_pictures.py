import base64
import io

import numpy as np
import pytest
from PIL import Image

from phosphene.reporting.comparison_pictures import MAX_CLASSES, MAX_EACH, picture_rows
from phosphene.reporting.comparison_runs import read_run
from phosphene.reporting.comparison_systems import group_runs


def _pixels(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


@pytest.fixture
def rows_of(write_result, tmp_path):
    def rows_of(arrays, **fields):
        run = write_result(tmp_path / "r", **fields)
        run.write_arrays("folds/a/pictures.npz", arrays)
        return picture_rows(group_runs([read_run(run)]))

    return rows_of


def _arrays(decoded, *, size=16):
    images = np.zeros((len(decoded), 2, size, size, 1), np.uint8)
    images[:, 0] = (10 * np.arange(len(decoded)))[:, None, None, None]
    images[:, 1] = 255  # a second draw, which is not shown
    return {"images": images, "decoded": np.array(decoded)}


def test_each_class_shows_the_first_draws_of_its_trials_in_stored_order(rows_of):
    pictures = rows_of(_arrays([1, 0, 1, 1]))
    (row,) = pictures.rows
    assert pictures.classes == ("cat", "dog")
    assert _pixels(row.strips[0])[0].tolist() == [10] * 16
    assert _pixels(row.strips[1])[0].tolist() == [0] * 16 + [20] * 16 + [30] * 16


def test_real_pictures_stand_on_top(rows_of):
    real = np.full((2, 9, 16, 16, 1), 7, np.uint8)
    pictures = rows_of({**_arrays([0, 1]), "real": real})
    assert [row.label for row in pictures.rows] == ["real pictures", "fake_2020 quick"]
    assert _pixels(pictures.rows[0].strips[1]).shape == (16, 16 * MAX_EACH)


def test_a_class_that_was_never_decoded_is_left_empty(rows_of):
    (row,) = rows_of(_arrays([0, 0])).rows
    assert row.strips[1] == ""


def test_many_classes_are_cut_and_large_pictures_shrunk(rows_of):
    names = [f"c{i}" for i in range(40)]
    pictures = rows_of(_arrays([0, 39], size=128), dataset={"classes": names})
    assert (len(pictures.classes), pictures.n_classes, pictures.pixelated) == (
        MAX_CLASSES,
        40,
        False,
    )
    assert _pixels(pictures.rows[0].strips[0]).shape == (64, 64)


def test_decoders_draw_nothing(write_result, tmp_path):
    run = read_run(write_result(tmp_path / "r", draws=False))
    assert picture_rows(group_runs([run])) is None
