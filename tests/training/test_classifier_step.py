import pytest
import torch

from phosphene.models.classifiers.picture_cnn import PictureCNN
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.loop import fit
from phosphene.training.seeding import seeded, seeded_generator


def make_step(**options):
    with seeded(0):
        network = PictureCNN(2, size=16, color=1, width=8)
    return ClassifierStep(network, rng=seeded_generator(0), **options)


def make_data(n=40):
    labels = torch.arange(n) % 2
    images = torch.full((n, 1, 16, 16), -1.0)
    images[labels == 0, :, :8] = 1.0
    return images + 0.1 * torch.randn(images.shape, generator=seeded_generator(2)), labels


def test_learns_and_repeats():
    images, labels = make_data()
    batches = tensor_batches(
        [images, labels], balanced_index_batches(labels, batch_size=10, seed=0)
    )
    options = {"max_shift": 1, "contrast": 0.1, "noise": 0.1, "policy": ("color",)}
    steps = [make_step(**options) for _ in range(2)]
    for step in steps:
        fit(step, batches, n_steps=20)
    first, second = (step.probabilities(images) for step in steps)
    assert torch.equal(first, second)
    assert (first.argmax(1) == labels).all()
    torch.testing.assert_close(first.sum(1), torch.ones(40))


def test_policy_augments_pictures_for_the_network_alone():
    images, labels = make_data()
    kept = images.clone()
    losses = [
        float(make_step(policy=policy)((images, labels))["loss"])
        for policy in ((), ("translation", "cutout"), ("translation", "cutout"))
    ]
    assert torch.equal(images, kept)
    assert losses[0] != losses[1] == losses[2]
    step = make_step(policy=("cutout",))
    assert torch.equal(step.probabilities(images), make_step().probabilities(images))


def test_refuses_a_rate_of_zero():
    with pytest.raises(ValueError, match="`lr` must be greater than 0"):
        make_step(lr=0.0)


def test_refuses_an_unknown_augmentation():
    with pytest.raises(ValueError, match="Did you mean 'color'"):
        make_step(policy=("colour",))(make_data())
