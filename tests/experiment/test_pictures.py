from dataclasses import replace

import numpy as np
import pytest

from phosphene.experiment import pictures

JUDGE_SHARE = 0.4


def divide(images, *, seed=0):
    return pictures.divide_pictures(images, judge_share=JUDGE_SHARE, seed=seed)


@pytest.fixture
def one_shade_images(dataset):
    """Pictures whose shade is their class, so that a batch shows which class it drew."""
    images = dataset.images
    return replace(
        images, pixels=np.broadcast_to(
            (images.labels * 50).astype(np.uint8)[:, None, None, None], images.pixels.shape
        ).copy()
    )  # fmt: skip


def with_shown(images, shown):
    return replace(images, table=images.table.assign(shown=shown))


def test_pictures_never_shown_go_to_the_judge(dataset):
    images = dataset.images
    generator, judge = divide(images)
    assert images.shown[generator].all()
    assert not images.shown[judge].any()
    assert sorted([*generator, *judge]) == list(range(len(images)))


def test_where_all_were_shown_the_judge_gets_a_share_of_each_class(dataset):
    images = with_shown(dataset.images, True)
    generator, judge = divide(images)
    assert sorted([*generator, *judge]) == list(range(len(images)))
    counts = np.bincount(images.labels)
    kept = np.bincount(images.labels[judge])
    np.testing.assert_array_equal(kept, np.round(JUDGE_SHARE * counts))


def test_the_division_depends_on_the_seed_alone(dataset):
    images = with_shown(dataset.images, True)
    divisions = [divide(images, seed=s)[1] for s in (0, 0, 1)]
    np.testing.assert_array_equal(divisions[0], divisions[1])
    assert not np.array_equal(divisions[0], divisions[2])


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_pictures_of_a_class_are_refused(dataset, n):
    labels = dataset.images.labels
    few = np.flatnonzero(labels == 2)[:n]
    images = dataset.images.select(np.sort(np.concatenate([np.flatnonzero(labels != 2), few])))
    with pytest.raises(ValueError, match=f"'2' has {n} in all"):
        divide(with_shown(images, True))


def test_class_without_a_shown_picture_is_refused(dataset):
    images = with_shown(dataset.images, dataset.images.labels != 1)
    with pytest.raises(ValueError, match="needs pictures for the generator"):
        divide(images)


def test_judge_tells_shades_apart(one_shade_images, quiet_watch, tmp_path):
    judge, domain = (
        pictures.train_classifier(
            one_shade_images,
            n_steps=40,
            seed=0,
            stage=stage,
            watch=quiet_watch.watch,
            checkpoints=tmp_path / stage,
        )
        for stage in ("judge", "domain")
    )
    seen = pictures.look(one_shade_images.pixels[:60], judge=judge, domain=domain)
    assert (seen["judge"].argmax(1) == one_shade_images.labels[:60]).mean() > 0.8
    assert seen["features"].shape[0] == 60
    assert not np.allclose(seen["judge"], seen["domain"])


def test_data_without_pictures_are_refused(smoke, dataset):
    with pytest.raises(ValueError, match="Import it again with --images"):
        pictures.prepare_pictures(smoke, replace(dataset, images=None))
