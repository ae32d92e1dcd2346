import hashlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from phosphene.data.formats import image_folder, resized_pictures
from phosphene.data.formats.resized_pictures import read_resized_pictures

SIZE = (6, 9)


@pytest.fixture
def write(tmp_path):
    """Write random pixels as a picture file; return its path and the pixels."""

    def write(name, *, size=SIZE, mode="L", **options):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = size if mode == "L" else (*size, len(mode))
        pixels = np.random.default_rng(len(name)).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path, pixels

    return write


def read(*paths, color=1, **options):
    return read_resized_pictures(list(paths), size=SIZE, color=color, **options)


@pytest.mark.parametrize(("mode", "color"), [("L", 1), ("RGB", 3)])
def test_pictures_of_the_right_size_stay_as_they_are(write, mode, color):
    path, pixels = write("a.png", mode=mode)
    found = read(path, color=color)
    np.testing.assert_array_equal(found.pixels[0], pixels.reshape(*SIZE, color))
    row = found.table.iloc[0]
    assert (row["picture"], row["file"], row["width"], row["height"]) == (0, str(path), 9, 6)
    assert row["converted"] == ""
    assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_pictures_that_were_enlarged_by_a_whole_number_come_back(write):
    path, pixels = write("a.png")
    Image.fromarray(pixels).resize((36, 24), Image.Resampling.NEAREST).save(path)
    found = read(path)
    np.testing.assert_array_equal(found.pixels[0, ..., 0], pixels)
    assert found.table["converted"].tolist() == ["resized"]


def test_areas_are_averaged_and_other_ratios_stretched(write):
    path, pixels = write("a.png", size=(12, 27))
    found = read(path)
    means = pixels.reshape(6, 2, 9, 3).mean((1, 3))
    np.testing.assert_allclose(found.pixels[0, ..., 0], means, atol=1)
    assert found.table["converted"].tolist() == ["stretched"]


def test_small_pictures_are_interpolated(write):
    path, _ = write("a.png")
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(path)
    (row, *_), *_ = read(path).pixels
    assert (row[:2, 0] < 20).all()
    assert (row[-2:, 0] > 235).all()
    assert (np.diff(row[1:-1, 0].astype(int)) >= 0).all()


def test_folders_and_files_in_natural_order(write):
    for name in ("p10.png", "p9.jpg", "sub/p1.png"):
        path, _ = write(name, size=(20, 20))
    folder = path.parents[1]
    found = read(folder)
    assert found.table["file"].str.split("/").str[-1].tolist() == ["p9.jpg", "p10.png"]
    assert found.pixels.shape == (2, *SIZE, 1)


def test_bright_and_dark_change_places(write):
    path, pixels = write("a.png")
    found = read(path, invert=True)
    np.testing.assert_array_equal(found.pixels[0, ..., 0], 255 - pixels)
    assert found.table["converted"].tolist() == ["inverted"]


def test_transparent_places_become_white(write):
    path, _ = write("a.png")
    Image.fromarray(np.zeros((*SIZE, 2), np.uint8)).save(path)  # grey and opacity
    found = read(path)
    assert (found.pixels == 255).all()
    assert found.table["converted"].tolist() == ["laid on white"]


@pytest.mark.parametrize(
    ("mode", "color", "match", "steps"),
    [
        ("RGB", 1, r"grey \(1 channel\); .*a\.png is RGB \(3 channels\); --convert makes", "RGB"),
        ("RGBA", 1, r"a\.png is RGB", "RGB, laid on white"),
        ("L", 3, r"RGB \(3 channels\); .*a\.png is grey .*--convert repeats its channel", "grey"),
    ],
)
def test_other_channels_are_refused_or_converted(write, mode, color, match, steps):
    path, pixels = write("a.png", mode=mode)
    with pytest.raises(ValueError, match=match):
        read(path, color=color)
    found = read(path, color=color, convert=True)
    assert found.table["converted"].tolist() == [f"from {steps}"]
    if mode == "RGB":
        luma = pixels @ np.array([0.299, 0.587, 0.114])
        np.testing.assert_allclose(found.pixels[0, ..., 0], luma, atol=0.51)
    if mode == "L":
        assert (found.pixels[0] == pixels[..., None]).all()


def test_a_picture_with_a_palette_counts_as_colored(write):
    path, pixels = write("a.png", mode="RGB")
    Image.fromarray(pixels).quantize(4).save(path)
    with pytest.raises(ValueError, match="is RGB"):
        read(path)


def _announce(path, width, height):
    """Write a PNG file whose header announces so many pixels, with next to nothing behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )


def _animate(path):
    frames = [Image.new("L", SIZE[::-1], level) for level in (0, 99, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda p: p.write_bytes(b"text"), "PNG, JPEG, TIFF or BMP inside"),
        (lambda p: p.write_bytes(b""), "PNG, JPEG, TIFF or BMP inside"),
        (lambda p: p.write_bytes(p.read_bytes()[:45]), r"whole; .*a\.png cannot be decoded"),
        (lambda p: Image.new("I;16", (9, 6)).save(p), "8 bits"),
        (lambda p: _announce(p, 20_000, 20_000), "may .*50000000 pixels"),
        (lambda p: _announce(p, 8_000, 8_000), "50000000 pixels; it has 64000000"),
        (_animate, r"one picture; .*a\.png is animated; save one"),
        (lambda p: p.unlink(), "nothing at"),
    ],
)
def test_refuses_what_is_no_picture_too_large_or_several(write, spoil, match):
    path, _ = write("a.png")
    spoil(path)
    with pytest.raises(ValueError, match=match):
        read(path)


def test_a_bomb_is_refused_before_it_is_decoded(write, monkeypatch):
    """As many bytes as a small file, as many pixels as allowed and one row more."""
    path, _ = write("a.png")
    monkeypatch.setattr(image_folder, "MAX_PIXELS", 6 * 9 - 1)
    monkeypatch.setattr(resized_pictures, "decode_picture", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="53 pixels; it has 54"):
        read(path)


def test_refuses_an_empty_folder_and_too_much_in_all(write, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty holds none; correct"):
        read(tmp_path / "empty")
    path, _ = write("a.png")
    monkeypatch.setattr(resized_pictures, "MAX_TOTAL_BYTES", 53)
    with pytest.raises(ValueError, match="may have 53 bytes; it has 54"):
        read(path)
