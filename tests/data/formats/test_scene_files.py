import zlib

import numpy as np
import pytest
from PIL import Image

from phosphene.data.formats.scene_files import read_scenes

STIMULI = ["natural_scene_002", "natural_scene_000", "natural_scene_002", "natural_scene_010"]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("natural_scene_0.tiff", "natural_scene_002.png", "natural_scene_10.TIF"):
        Image.fromarray(rng.integers(0, 256, (9, 12), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "LICENSE").write_text("free")
    (tmp_path / ".hidden").write_text("")
    return tmp_path


def test_finds_pictures_by_their_numbers_and_keeps_their_size(folder):
    images = read_scenes(folder, STIMULI, class_name="scene")
    assert images.pixels.shape == (3, 9, 12, 1)
    assert images.classes == ("scene",)
    assert images.table["stimulus"].tolist() == [
        "natural_scene_000",
        "natural_scene_002",
        "natural_scene_010",
    ]
    assert images.table["source"].tolist() == [
        "natural_scene_0.tiff",
        "natural_scene_002.png",
        "natural_scene_10.TIF",
    ]
    for pixels, name in zip(images.pixels, images.table["source"], strict=True):
        np.testing.assert_array_equal(pixels[:, :, 0], np.asarray(Image.open(folder / name)))
    assert images.notes == ()


def test_says_what_was_left_out_and_what_became_grey(folder):
    Image.new("RGB", (12, 9), "red").save(folder / "natural_scene_2.png")
    (folder / "natural_scene_002.png").unlink()
    images = read_scenes(folder, STIMULI[:1], class_name="scene")
    assert (images.pixels == 76).all()
    assert images.notes == (
        "2 that were not shown were left out",
        "1 were not grey and became so (natural_scene_2.png)",
    )


def other_size(folder):
    Image.new("L", (12, 10)).save(folder / "natural_scene_10.TIF")


def transparent(folder):
    Image.new("LA", (12, 9), (9, 9)).save(folder / "natural_scene_002.png")


def sixteen_bits(folder):
    Image.new("I;16", (12, 9)).save(folder / "natural_scene_0.tiff")


def several(folder):
    pages = [Image.new("L", (12, 9)) for _ in range(2)]
    pages[0].save(folder / "natural_scene_0.tiff", save_all=True, append_images=pages[1:])


def link_out(folder):
    (folder / "natural_scene_0.tiff").unlink()
    (folder / "natural_scene_0.tiff").symlink_to("/etc/passwd")


def truncated(folder):
    path = folder / "natural_scene_002.png"
    path.write_bytes(path.read_bytes()[:60])


def huge(folder):
    content = bytearray((folder / "natural_scene_002.png").read_bytes())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (folder / "natural_scene_002.png").write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda f: (f / "natural_scene_002.png").unlink(), r"lacks 1 of 3, the first for .*_002"),
        (lambda f: Image.new("L", (2, 2)).save(f / "scene02.png"), "are both 2"),
        (lambda f: (f / "notes.txt").write_text("a"), "holds notes.txt"),
        (lambda f: Image.new("L", (2, 2)).save(f / "last.png"), "names of pictures end"),
        (lambda f: Image.new("L", (2, 2)).save(f / "scene5.jpg"), r"holds scene5\.jpg"),
        (other_size, r"natural_scene_0\.tiff is 12 x 9 .* natural_scene_10\.TIF is 12 x 10"),
        (transparent, "no transparent places"),
        (sixteen_bits, "8 bits per color"),
        (several, "holds several"),
        (link_out, "leads out"),
        (truncated, "must be whole"),
        (huge, "may have 50000000 pixels|several times as many"),
    ],
)
def test_refuses(folder, spoil, match):
    spoil(folder)
    with pytest.raises(ValueError, match=match):
        read_scenes(folder, STIMULI, class_name="scene")


def test_refuses_what_is_no_folder_and_stimuli_without_a_number(folder):
    with pytest.raises(ValueError, match="there is none at"):
        read_scenes(folder / "none", STIMULI, class_name="scene")
    with pytest.raises(ValueError, match="end in a number; got 'grey'"):
        read_scenes(folder, ["grey"], class_name="scene")
    with pytest.raises(ValueError, match="need a showing"):
        read_scenes(folder, [], class_name="scene")
