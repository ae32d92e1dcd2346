import base64
import io

import numpy as np
import pytest
from PIL import Image

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures import restoration_grid as module
from phosphene.reporting.figures.restoration_grid import baseline_grid, restoration_grid


@pytest.fixture(scope="module")
def contents(make_restoration_run):
    return read_contents(make_restoration_run())


def pixels_of(tile):
    content = base64.b64decode(tile.address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)))


def test_columns_are_input_each_system_at_each_budget_and_the_original(contents):
    grid = restoration_grid(contents)
    assert grid.columns == ("input", *2 * ("CNN-CNN with bottleneck", "CNN-LSTM"), "original")
    assert [(group.title, group.n_columns) for group in grid.groups] == [
        ("", 1),
        ("at equal iterations", 2),
        ("at equal time", 2),
        ("", 1),
    ]
    assert [row.class_name for row in grid.rows] == [str(row // 2) for row in range(20)]
    assert {len(row.tiles) for row in grid.rows} == {6}
    assert (grid.n_stored, grid.pixelated, grid.judged) == (40, True, False)


def test_tiles_hold_the_stored_pixels(contents):
    grid, shown = restoration_grid(contents), contents.restorations.shown
    for number, row in enumerate(grid.rows):
        np.testing.assert_array_equal(
            pixels_of(row.tiles[0]), shown.corrupted.pictures[number][..., 0]
        )
        np.testing.assert_array_equal(
            pixels_of(row.tiles[2]), shown.restored[1].pictures[number][..., 0]
        )
        np.testing.assert_array_equal(
            pixels_of(row.tiles[-1]), shown.original.pictures[number][..., 0]
        )


def test_without_equal_time_systems_stand_there_once(make_restoration_run):
    grid = restoration_grid(read_contents(make_restoration_run(equal_time=False)))
    assert grid.columns == ("input", "CNN-CNN with bottleneck", "CNN-LSTM", "original")


def test_what_a_classifier_reads_stands_below_right_or_wrong(make_restoration_run):
    run = make_restoration_run(n=20)
    labels = run.read_arrays("folds/pictures/test.npz")["label"]
    wrong = (labels + 1) % 10
    run.write_arrays("folds/pictures/classified.npz", {"original": labels, "corrupted": wrong})
    grid = restoration_grid(read_contents(run))
    assert grid.judged
    for row in grid.rows:
        given, *middle, original = row.tiles
        assert (original.seen, original.fits) == (row.class_name, True)
        assert (given.seen, given.fits) == (str((int(row.class_name) + 1) % 10), False)
        assert {tile.seen for tile in middle} == {""}


def test_simple_methods_have_a_grid_with_gaps_where_they_did_not_restore(contents):
    grid = baseline_grid(contents)
    assert grid.columns == ("input", "mean picture", "total variation", "original")
    assert grid.groups == ()
    restored = [bool(row.tiles[2].address) for row in grid.rows]
    assert any(restored)
    assert not all(restored)


def test_before_anything_is_restored_there_are_input_and_original(make_restoration_run):
    contents = read_contents(make_restoration_run(finished=False))
    assert restoration_grid(contents).columns == ("input", "original")
    assert baseline_grid(contents) is None


def test_other_runs_have_none(finished_run):
    contents = read_contents(finished_run)
    assert restoration_grid(contents) is None
    assert baseline_grid(contents) is None


def test_large_pictures_are_shrunk_and_bytes_are_limited(contents, monkeypatch):
    monkeypatch.setattr(module, "SIDE", 4)
    grid = restoration_grid(contents)
    assert pixels_of(grid.rows[0].tiles[0]).shape == (4, 4)
    assert not grid.pixelated
    monkeypatch.setattr(module, "BYTE_BUDGET", 10)
    assert len(restoration_grid(contents).rows) == 1


def test_one_system_alone_needs_no_heading(make_restoration_run):
    run = make_restoration_run(n=20, equal_time=False)
    systems = run.read_json("folds/pictures/systems.json")
    run.write_json("folds/pictures/systems.json", systems[1:])
    grid = restoration_grid(read_contents(run))
    assert grid.columns == ("input", "CNN-LSTM", "original")
    assert [group.title for group in grid.groups] == ["", "", ""]
