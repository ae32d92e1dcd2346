from dataclasses import replace

import numpy as np

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.picture_grid import (
    fold_with_pictures,
    picture_grid,
    picture_wall,
    round_robin,
    strip,
)


def test_trials_are_taken_class_by_class():
    labels = np.array([0, 0, 0, 1, 2, 2])
    assert round_robin(labels, 5) == [0, 3, 4, 1, 5]
    assert round_robin(labels, 99) == [0, 3, 4, 1, 5, 2]
    assert round_robin(np.array([], int), 3) == []


def test_rows_tell_true_decoded_and_judged(finished_run):
    contents = read_contents(finished_run)
    grid = picture_grid(contents)
    arrays = fold_with_pictures(contents).pictures
    assert len(grid.rows) == 20
    assert [row.true for row in grid.rows[::2]] == list("0123456789")
    assert len(grid.halves) == 2
    row = grid.rows[0]
    index = arrays["trial"].tolist().index(row.trial)
    assert row.decoded == str(arrays["decoded"][index])
    assert row.right == (row.true == row.decoded)
    assert [draw.judged for draw in row.draws] == [str(c) for c in arrays["judged"][index]]
    assert [draw.fits for draw in row.draws] == (
        arrays["judged"][index] == int(row.decoded)
    ).tolist()
    assert row.nearest is not None


def test_optional_arrays_may_be_missing(finished_run):
    contents = read_contents(finished_run)
    fold = fold_with_pictures(contents)
    few = {key: fold.pictures[key] for key in ("images", "labels")}
    grid = picture_grid(replace(contents, folds=(replace(fold, pictures=few),)))
    assert grid.rows[0].nearest is grid.rows[0].shown is None
    assert grid.rows[0].draws[0].judged == ""
    wall = picture_wall(replace(contents, folds=(replace(fold, pictures=few),)))
    assert wall.n_real == 0


def test_large_pictures_end_with_the_bytes(make_run):
    contents = read_contents(make_run(size=128, color=3, n_trials=100, n_recordings=1))
    grid = picture_grid(contents)
    assert 1 <= len(grid.rows) < 20
    assert len(grid.halves) == 1
    assert not grid.pixelated


def test_the_wall_has_a_row_for_a_class_that_nothing_was_decoded_as(make_run):
    contents = read_contents(make_run(classes=("a", "b"), n_trials=40, n_recordings=1))
    fold = contents.folds[0]
    pictures = {**fold.pictures, "decoded": np.zeros(len(fold.pictures["labels"]), int)}
    wall = picture_wall(replace(contents, folds=(replace(fold, pictures=pictures),)))
    assert [row.name for row in wall.rows] == ["a", "b"]
    assert wall.rows[1].generated == ""
    assert wall.rows[1].real


def test_a_strip_lies_side_by_side():
    pictures = np.arange(2 * 3 * 2).reshape(2, 3, 2, 1).astype(np.uint8)
    found = strip(pictures, 8)
    assert found.shape == (3, 4, 1)
    np.testing.assert_array_equal(found[:, :2], pictures[0])


def test_no_pictures_no_grid(make_run):
    contents = read_contents(make_run(stage="decoding"))
    assert picture_grid(contents) is None
    assert picture_wall(contents) is None
