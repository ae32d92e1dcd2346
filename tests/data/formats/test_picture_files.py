import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from phosphene.data.formats import picture_files
from phosphene.data.formats.picture_files import read_picture_files

SIZE = (6, 9)


@pytest.fixture
def write(tmp_path):
    """Write a picture of 6 rows and 9 columns; return its path and its pixels."""

    def write(name, *, mode="L", size=SIZE, folder="pictures", **options):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = size if mode == "L" else (*size, len(mode))
        pixels = np.random.default_rng(len(name)).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path, pixels

    return write


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tiff", "a.bmp", "A.PNG"])
def test_reads_what_was_written(write, name):
    path, pixels = write(name)
    found = read_picture_files([path], size=SIZE)
    np.testing.assert_array_equal(found.pixels, pixels[None])
    row = found.table.iloc[0]
    assert (row["picture"], row["file"], row["converted"]) == (0, str(path), "")
    assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_reads_a_jpeg_nearly_as_it_was_written(write):
    path, _ = write("a.jpg")
    Image.new("L", SIZE[::-1], 77).save(path)
    assert abs(read_picture_files([path], size=SIZE).pixels.astype(int) - 77).max() <= 1


def test_colors_become_grey_by_their_luma(write):
    path, pixels = write("a.png", mode="RGB")
    found = read_picture_files([path], size=SIZE)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(found.pixels[0], luma, atol=0.51)
    assert found.table["converted"].tolist() == ["from RGB"]


def test_transparent_places_become_white(write):
    path, _ = write("a.png", mode="RGBA")
    clear = np.zeros((*SIZE, 4), np.uint8)
    Image.fromarray(clear).save(path)
    found = read_picture_files([path], size=SIZE)
    assert (found.pixels == 255).all()
    assert found.table["converted"].tolist() == ["from RGBA, laid on white"]


def test_takes_files_in_the_order_given_and_folders_by_natural_order(write):
    last, _ = write("z.png", folder="elsewhere")
    for name in ("p10.png", "p9.png", "sub/p1.png"):
        write(name)
    folder = last.parents[1] / "pictures"
    (folder / "README.md").write_text("x")
    (folder / ".hidden.txt").write_text("x")
    found = read_picture_files([last, folder], size=SIZE)
    assert found.table["file"].str.split("/").str[-1].tolist() == ["z.png", "p9.png", "p10.png"]
    assert found.pixels.shape == (3, *SIZE)


def test_turns_pictures_before_their_size_is_compared(write):
    path, _ = write("a.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", SIZE).save(path, exif=exif)  # 6 columns, 9 rows as stored
    assert read_picture_files([path], size=SIZE).pixels.shape == (1, *SIZE)
    Image.new("L", SIZE).save(path)
    with pytest.raises(ValueError, match="9 x 6 pixels"):
        read_picture_files([path], size=SIZE)


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda p: Image.new("L", (9, 7)).save(p), r"9 x 6 pixels .*; .*a\.png is 9 x 7; crop it"),
        (lambda p: Image.new("I;16", (9, 6)).save(p), "8 bits"),
        (lambda p: p.write_bytes(b"text"), "PNG, JPEG, TIFF or BMP inside"),
        (lambda p: p.write_bytes(p.read_bytes()[:45]), "cannot be decoded"),
        (lambda p: p.rename(p.with_suffix(".gif")), "nothing at"),
        (lambda p: p.unlink() or os.mkfifo(p), "only regular files"),
    ],
)
def test_refuses_what_is_no_picture_of_that_size(write, spoil, match):
    path, _ = write("a.png")
    spoil(path)
    with pytest.raises(ValueError, match=match):
        read_picture_files([path], size=SIZE)


def test_refuses_a_tiff_of_several_pictures(write):
    path, _ = write("a.tif")
    page = Image.new("L", SIZE[::-1])
    page.save(path, save_all=True, append_images=[page])
    with pytest.raises(ValueError, match="holds several; save each"):
        read_picture_files([path], size=SIZE)


def test_refuses_the_same_file_twice_no_files_and_other_kinds(write, tmp_path):
    path, _ = write("a.png")
    with pytest.raises(ValueError, match=r"a\.png comes 2 times"):
        read_picture_files([path, path.parent], size=SIZE)
    with pytest.raises(ValueError, match="got none"):
        read_picture_files([], size=SIZE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds none"):
        read_picture_files([tmp_path / "empty"], size=SIZE)
    (path.parent / "b.gif").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"got .*b\.gif"):
        read_picture_files([path.parent], size=SIZE)


def test_refuses_links_out_of_the_folder_and_too_many_pictures(write, tmp_path, monkeypatch):
    path, _ = write("a.png")
    write("secret.png", folder="secret")
    (path.parent / "b.png").symlink_to(tmp_path / "secret" / "secret.png")
    with pytest.raises(ValueError, match="stay inside their folder"):
        read_picture_files([path.parent], size=SIZE)
    monkeypatch.setattr(picture_files, "MAX_TOTAL_BYTES", 53)
    with pytest.raises(ValueError, match="may have 53 bytes; it has 54"):
        read_picture_files([path], size=SIZE)
