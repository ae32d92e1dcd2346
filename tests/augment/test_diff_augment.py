import pytest
import torch

from phosphene.augment.diff_augment import diff_augment


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def slow_color(images, generator):
    """FACTS: brightness, saturation, contrast, one picture after the other."""
    draws = [torch.rand(len(images), 1, 1, 1, generator=generator).flatten() for _ in range(3)]
    results = []
    for image, brightness, saturation, contrast in zip(images, *draws, strict=True):
        image = image + brightness - 0.5
        grey = image.mean(0)
        image = (image - grey) * 2 * saturation + grey
        results.append((image - image.mean()) * (contrast + 0.5) + image.mean())
    return torch.stack(results)


def test_color_equals_the_slow_form():
    images = torch.rand(5, 3, 8, 8, generator=rng()) * 2 - 1
    result = diff_augment(images, policy=("color",), generator=rng(1))
    torch.testing.assert_close(result, slow_color(images, rng(1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "reach"), [(128, 16), (32, 4), (16, 2)])
def test_translation_moves_by_whole_pixels_and_fills_with_zeros(size, reach):
    images = torch.zeros(200, 1, size, size)
    images[:, :, size // 2, size // 2] = 1
    moved = diff_augment(images, policy=("translation",), generator=rng())
    assert (moved.sum((1, 2, 3)) == 1).all()
    _, _, rows, columns = moved.nonzero().T
    for place in (rows, columns):
        assert (place.min() - size // 2, place.max() - size // 2) == (-reach, reach)
    edge = diff_augment(torch.ones(50, 1, size, size), policy=("translation",), generator=rng())
    assert edge.min() == 0


def test_cutout_blanks_up_to_half_of_each_side():
    images = torch.ones(100, 2, 16, 16)
    result = diff_augment(images, policy=("cutout",), generator=rng())
    blank = (result[:, 0] == 0).sum((1, 2))
    assert blank.max() == 64
    assert blank.min() >= 16
    torch.testing.assert_close(result[:, 0], result[:, 1])


def test_draws_follow_the_generator_alone():
    images = torch.rand(3, 1, 16, 16)
    policy = ("color", "translation", "cutout")
    first, again, other = (
        diff_augment(images, policy=policy, generator=rng(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_gradients_pass():
    images = torch.rand(3, 1, 16, 16, requires_grad=True)
    diff_augment(images, generator=rng()).square().sum().backward()
    assert (images.grad != 0).float().mean() > 0.5


def test_unknown_steps_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'color'"):
        diff_augment(torch.zeros(1, 1, 8, 8), policy=("colour",))


def test_parts_of_a_batch_change_as_the_batch():
    images = torch.rand(6, 3, 16, 16, generator=rng()) * 2 - 1
    policy = ("color", "translation", "cutout")
    whole = diff_augment(images, policy=policy, generator=rng(1))
    parts = [
        diff_augment(part, policy=policy, generator=rng(1), part=(k, 3))
        for k, part in enumerate(images.chunk(3))
    ]
    assert torch.equal(torch.cat(parts), whole)
