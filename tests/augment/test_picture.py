import torch

from phosphene.augment.picture import jitter_pictures


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_off_by_default():
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(jitter_pictures(images), images)


def test_shift_repeats_the_border():
    images = torch.arange(8.0).view(1, 1, 1, 8).expand(100, 2, 8, 8)
    shifted = jitter_pictures(images, max_shift=2, generator=rng())
    expected = {tuple((torch.arange(8) + shift).clamp(0, 7).tolist()) for shift in range(-2, 3)}
    assert {tuple(row.int().tolist()) for row in shifted[:, 1, 3]} == expected


def test_contrast_keeps_the_mean_and_stretches_within_its_reach():
    images = torch.rand(200, 1, 8, 8, generator=rng())
    result = jitter_pictures(images, contrast=0.3, generator=rng())
    torch.testing.assert_close(result.mean((1, 2, 3)), images.mean((1, 2, 3)))
    ratio = result.flatten(1).std(1) / images.flatten(1).std(1)
    assert 0.7 <= ratio.min() < 0.75
    assert 1.25 < ratio.max() <= 1.3


def test_noise_follows_the_generator():
    images = torch.zeros(2, 1, 8, 8)
    first, again = (jitter_pictures(images, noise=0.1, generator=rng()) for _ in range(2))
    assert torch.equal(first, again)
    assert first.any()
