import pytest
import torch

from phosphene.augment.corruption import PAPER_CORRUPTION, Corruption, Part, parse_corruption
from phosphene.training.seeding import seeded_generator


def corrupt(text, images, seed=0):
    return parse_corruption(text)(images, generator=seeded_generator(seed))


def grey(n=1, height=28, width=28, color=1):
    return torch.full((n, color, height, width), 0.5)


@pytest.mark.parametrize(
    "text",
    [
        PAPER_CORRUPTION,
        "lower_half",
        "lower:0.25+white_noise:0.05",
        "(none|rectangle:0,0.5,0.25,0.5+salt_pepper:0.3|(lower_half|random_rectangle:0.1,0.2))",
    ],
)
def test_the_text_comes_back(text):
    assert str(parse_corruption(text)) == text
    assert parse_corruption(str(parse_corruption(f" {text} "))) == parse_corruption(text)


def test_reads_parts_and_alternatives():
    assert parse_corruption("lower_half + ( salt_pepper:.1 | none )") == Corruption(
        (
            Part("lower_half"),
            (Corruption((Part("salt_pepper", (0.1,)),)), Corruption((Part("none"),))),
        )
    )


@pytest.mark.parametrize(("height", "black"), [(28, 14), (5, 2), (1, 0)])
def test_the_lower_half_is_black(height, black):
    found = corrupt("lower_half", grey(2, height))
    assert (found.images[:, :, : height - black] == 0.5).all()
    assert (found.images[:, :, height - black :] == 0).all()
    assert torch.equal(found.missing, found.images == 0)


def test_a_share_of_the_rows_and_a_rectangle():
    assert corrupt("lower:0.3", grey(height=10)).missing[0, 0].sum(0).eq(3).all()
    missing = corrupt("rectangle:0.25,0.5,0.5,0.25", grey(height=8, width=4)).missing[0, 0]
    expected = torch.zeros(8, 4, dtype=torch.bool)
    expected[2:6, 2:3] = True
    assert torch.equal(missing, expected)


def test_random_rectangles_have_the_area_asked_for_and_lie_anywhere():
    found = corrupt("random_rectangle:0.2,0.4", grey(400, 40, 40, color=3))
    missing = found.missing[:, 0]
    areas = missing.float().mean((1, 2))
    assert areas.min() > 0.17
    assert areas.max() < 0.43
    assert areas.std() > 0.04
    rows, columns = missing.any(2), missing.any(1)
    assert torch.equal(missing, rows[:, :, None] & columns[:, None, :])
    edges = rows.int().diff(dim=1).abs().sum(1), columns.int().diff(dim=1).abs().sum(1)
    assert all(edge.max() <= 2 for edge in edges)  # in one piece
    assert missing.any(0).all()  # each pixel is hit at times
    assert torch.equal(found.images == 0, found.missing.expand_as(found.images))


def test_salt_and_pepper_are_equally_many_and_whole_pixels():
    found = corrupt("salt_pepper:0.2", grey(50, color=3))
    white, black = (found.images == 1).float().mean(), (found.images == 0).float().mean()
    assert float(white) == pytest.approx(0.1, abs=0.01)
    assert float(black) == pytest.approx(0.1, abs=0.01)
    assert torch.equal(found.images[:, 0], found.images[:, 2])
    assert not found.missing.any()


def test_white_noise_has_its_deviation_and_is_cut_to_the_range():
    noise = corrupt("white_noise:0.1", grey(50)).images - 0.5
    assert float(noise.mean()) == pytest.approx(0, abs=0.005)
    assert float(noise.std()) == pytest.approx(0.1, rel=0.03)
    strong = corrupt("white_noise:5", grey()).images
    assert strong.min() == 0
    assert strong.max() == 1


def test_the_paper_draws_one_noise_per_picture_over_the_black_half_too():
    found = corrupt(PAPER_CORRUPTION, grey(300))
    assert found.missing[:, :, 14:].all()
    assert not found.missing[:, :, :14].any()
    upper = found.images[:, :, :14]
    salted = ((upper == 0) | (upper == 0.5) | (upper == 1)).flatten(1).all(1)
    assert float(salted.float().mean()) == pytest.approx(0.5, abs=0.1)
    lower = found.images[:, :, 14:].flatten(1)
    assert (lower[salted] == 1).any(1).all()
    assert (lower[~salted] > 0).float().mean() == pytest.approx(0.5, abs=0.05)


def test_draws_follow_the_generator_and_leave_the_pictures_alone():
    images = torch.rand(6, 1, 8, 8, generator=seeded_generator(1))
    kept = images.clone()
    first, same = (corrupt(PAPER_CORRUPTION, images, seed=3) for _ in range(2))
    assert torch.equal(first.images, same.images)
    assert not torch.equal(first.images, corrupt(PAPER_CORRUPTION, images, seed=4).images)
    assert torch.equal(images, kept)
    whole = corrupt("white_noise:0.1", images)
    assert not torch.equal(whole.images[0] - images[0], whole.images[1] - images[1])


def test_later_parts_see_what_earlier_ones_did():
    assert (corrupt("salt_pepper:1+lower:1", grey()).images == 0).all()
    after = corrupt("lower:1+salt_pepper:1", grey())
    assert (after.images == 1).any()
    assert after.missing.all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lower_haf", "Did you mean 'lower_half'"),
        ("", "a part must stand at each place"),
        ("lower_half+", "a part must stand at each place"),
        ("lower_half)", "nothing may follow the end"),
        ("(lower_half|none", "a bracket that opens must close"),
        ("lower_half:0.5", "a part is written as lower_half"),
        ("salt_pepper", "a part is written as salt_pepper:DENSITY"),
        ("salt_pepper:a", "a part is written as salt_pepper:DENSITY"),
        ("salt_pepper:1.5", "DENSITY of salt_pepper:DENSITY must lie from 0 to 1"),
        ("white_noise:nan", "SD of white_noise:SD must lie from 0 to 10"),
        ("random_rectangle:0.5,0.2", "LOW of random_rectangle:LOW,HIGH must be at most HIGH"),
        ("rectangle:0.5,0,0.6,1", "must lie inside the picture"),
        ("(" * 9 + "none" + ")" * 9, "brackets may lie 8 deep"),
        ("none+" * 101 + "none", "at most 500 characters"),
    ],
)
def test_refuses_what_is_no_corruption(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_corruption(text)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_refuses_pictures_of_another_range(value):
    images = grey()
    images[0, 0, 0, 0] = value
    with pytest.raises(ValueError, match=r"from 0 to 1.*Divide 8-bit values by 255"):
        corrupt("none", images)
