import pytest
import torch

from phosphene.training.batches import (
    balanced_index_batches,
    index_batches,
    rows_per_class,
    same_class_batches,
    tensor_batches,
)

ONE_CLASS = torch.zeros(10, dtype=torch.int64)


def test_every_row_comes_once_per_pass():
    batch = balanced_index_batches(ONE_CLASS[:10], batch_size=4, seed=0)
    rows = torch.cat([batch(step) for step in range(5)])  # two passes
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()


def test_a_batch_depends_on_seed_and_step_alone():
    forward, backward = (
        balanced_index_batches(ONE_CLASS[:7], batch_size=3, seed=1) for _ in range(2)
    )
    steps = range(9)
    expected = [forward(step).tolist() for step in steps]
    assert [backward(step).tolist() for step in reversed(steps)] == expected[::-1]
    other = balanced_index_batches(ONE_CLASS[:7], batch_size=3, seed=2)
    assert [other(step).tolist() for step in steps] != expected


def test_a_batch_may_be_larger_than_the_data():
    rows = balanced_index_batches(ONE_CLASS[:2], batch_size=6, seed=0)(3)
    assert sorted(rows.tolist()) == [0, 0, 0, 1, 1, 1]


def test_every_row_comes_once_per_pass_without_classes():
    batch = index_batches(10, batch_size=4, seed=0)
    rows = torch.cat([batch(step) for step in range(5)])  # two passes
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()


def test_balanced_batches_hold_each_class_equally_often():
    labels = torch.tensor([0] * 9 + [1] * 3)
    batch = balanced_index_batches(labels, batch_size=6, seed=0)
    rows = torch.cat([batch(step) for step in range(3)])
    assert labels[rows].bincount().tolist() == [9, 9]
    assert rows.bincount().tolist() == [1] * 9 + [3] * 3


@pytest.mark.parametrize(("n_classes", "n_rows"), [(2, 6), (4, 4), (5, 5), (9, 9)])
def test_a_balanced_batch_has_whole_rows_per_class(n_classes, n_rows):
    batch = balanced_index_batches(torch.arange(20) % n_classes, batch_size=6, seed=0)
    assert len(batch(0)) == n_rows == n_classes * rows_per_class(6, n_classes=n_classes)


def test_tensors_are_cut_alike():
    numbers = torch.arange(6)
    first, second = tensor_batches([numbers, numbers * 2], lambda step: torch.tensor([step, 5]))(1)
    assert (first.tolist(), second.tolist()) == ([1, 5], [2, 10])
    with pytest.raises(ValueError, match=r"as many rows; got \[6, 5\]"):
        tensor_batches([numbers, numbers[:5]], lambda step: numbers)


def test_pictures_have_the_class_of_their_trial():
    labels = torch.tensor([2, 0, 2, 1])
    picture_labels = torch.tensor([0, 1, 2, 2, 1, 2])
    pictures = torch.arange(6)
    batch = same_class_batches(
        torch.arange(4),
        labels,
        pictures=pictures,
        picture_labels=picture_labels,
        indices=balanced_index_batches(ONE_CLASS[:4], batch_size=8, seed=0),
        seed=0,
    )
    drawn = [batch(step) for step in range(20)]
    for images, features in drawn:
        assert torch.equal(picture_labels[images], labels[features])
    assert set(torch.cat([images for images, _ in drawn]).tolist()) == set(range(6))
    assert torch.equal(batch(3)[0], drawn[3][0])


def test_classes_without_a_picture_are_refused():
    with pytest.raises(ValueError, match=r"got none for the classes \[1\]"):
        same_class_batches(
            torch.zeros(2),
            torch.tensor([0, 1]),
            pictures=torch.zeros(1),
            picture_labels=torch.tensor([0]),
            indices=balanced_index_batches(ONE_CLASS[:2], batch_size=2, seed=0),
            seed=0,
        )
