import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phosphene.data.formats import image_folder
from phosphene.data.formats.image_folder import (
    find_document,
    mark_shown,
    read_image_folder,
    rename_classes,
)


def test_reads_a_folder_per_class_in_natural_order(write_pictures):
    folder = write_pictures("house/h10.png", "house/h2.png", "face/f1.png")
    images = read_image_folder(folder)
    assert images.classes == ("face", "house")
    assert images.table["image_id"].tolist() == ["face/f1.png", "house/h2.png", "house/h10.png"]
    assert images.table["stimulus"].tolist() == ["f1.png", "h2.png", "h10.png"]
    assert images.pixels.shape == (3, 8, 8, 3)
    assert images.shown.all()


def test_reads_classes_from_prefixes(write_pictures):
    folder = write_pictures("target-1.png", "nontarget-2_640.png")
    images = read_image_folder(folder, class_from="prefix")
    assert images.classes == ("nontarget", "target")
    renamed = rename_classes(images, {"target": "cat", "nontarget": "dog"})
    assert renamed.classes == ("dog", "cat")
    assert renamed.table["class_name"].tolist() == ["dog", "cat"]
    with pytest.raises(ValueError, match="Did you mean 'target'"):
        rename_classes(images, {"targit": "cat"})
    with pytest.raises(ValueError, match="must differ"):
        rename_classes(images, {"target": "nontarget"})


def test_without_classes_all_are_of_one_wherever_they_lie(write_pictures):
    folder = write_pictures("a/1.png", "b/1.png", "3.png")
    images = read_image_folder(folder, class_from="none")
    assert images.classes == (folder.name,)
    assert images.table["image_id"].tolist() == ["3.png", "a/1.png", "b/1.png"]


def test_repeated_names_become_paths(write_pictures):
    images = read_image_folder(write_pictures("a/1.png", "b/1.png"))
    assert images.table["stimulus"].tolist() == ["a/1.png", "b/1.png"]


def test_marks_what_was_shown(write_pictures):
    folder = write_pictures("a/x_1.png", "a/x_3.png", "b/y.3.png", "b/y.2.png")
    images = read_image_folder(folder, shown=("*3.png",))
    assert images.shown.tolist() == [False, True, False, True]
    with pytest.raises(ValueError, match="class 'b' in pictures matches x_"):
        mark_shown(images.table, ["x_*"], where=Path("pictures"))


def test_transparent_places_become_white(tmp_path):
    (tmp_path / "a").mkdir()
    drawing = np.zeros((8, 8, 4), np.uint8)  # black on a transparent ground
    drawing[2:4, :, 3] = 255
    drawing[4:6, :, 3] = 128
    opaque = np.full((8, 8, 4), 255, np.uint8)
    opaque[..., :3] = np.arange(3)
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([9, 9, 9, 7, 7, 7])
    Image.fromarray(drawing).save(tmp_path / "a" / "1.png")
    Image.fromarray(opaque).save(tmp_path / "a" / "2.png")
    Image.fromarray(drawing[..., [0, 3]]).save(tmp_path / "a" / "3.png")
    palette.save(tmp_path / "a" / "4.png", transparency=0)
    images = read_image_folder(tmp_path)
    for index in (0, 2):
        assert images.pixels[index, :, 0, 0].tolist() == [255, 255, 0, 0, 127, 127, 255, 255]
    assert images.pixels[1, 0, 0].tolist() == [0, 1, 2]
    assert (images.pixels[3] == 255).all()
    (note,) = images.notes
    assert note == "3 pictures are transparent in places, which became white (a/1.png)"
    resized = read_image_folder(tmp_path, image_size=4).select([1, 0])
    assert resized.pixels[1, 0, 0, 0] > 200
    assert resized.notes == images.notes


def test_animated_pictures_are_refused(write_pictures):
    folder = write_pictures("a/1.png", "a/2.png")
    frames = [Image.new("L", (8, 8), level) for level in (0, 99)]
    frames[0].save(folder / "a" / "2.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"a/2\.png is animated; save one of its pictures"):
        read_image_folder(folder)


def test_says_which_picture_makes_all_small(write_pictures):
    write_pictures("a/1.png", "a/2.png", size=(40, 40))
    assert read_image_folder(write_pictures("a/3.png", size=(40, 40)), image_size=64).notes == ()
    folder = write_pictures("b/1.png", size=(10, 30))
    (note,) = read_image_folder(folder, image_size=32).notes
    assert note.startswith("all became 10 x 10, below the 32 asked for, for b/1.png is 10 x 30;")
    assert read_image_folder(folder, image_size=10).notes == ()


def test_refuses_names_that_are_no_text(write_pictures):
    folder = write_pictures("a/1.png")
    (folder / "a" / os.fsdecode(b"caf\xe9.png")).write_bytes((folder / "a/1.png").read_bytes())
    with pytest.raises(ValueError, match=r"must be UTF-8; 'a/caf\\udce9\.png' is not; rename it"):
        read_image_folder(folder)


def test_crops_and_shrinks_unequal_sizes(write_pictures):
    write_pictures("a/1.png", size=(40, 20))
    folder = write_pictures("b/1.png", size=(30, 90))
    with pytest.raises(ValueError, match=r"30x90 to 40x20.*--image-size"):
        read_image_folder(folder)
    assert read_image_folder(folder, image_size=16).pixels.shape == (2, 16, 16, 3)
    assert read_image_folder(folder, image_size=64).pixels.shape == (2, 20, 20, 3)  # never enlarges


def test_keeps_oblong_pictures_of_one_size(write_pictures):
    folder = write_pictures("a/1.png", "b/2.png", size=(12, 6))
    assert read_image_folder(folder).pixels.shape == (2, 6, 12, 3)


def test_grey_by_content_or_by_option(write_pictures):
    assert read_image_folder(write_pictures("a/1.png", mode="L")).pixels.shape[3] == 1
    color = write_pictures("a/1.png", folder="color")
    assert read_image_folder(color).pixels.shape[3] == 3
    assert read_image_folder(color, grey=True).pixels.shape[3] == 1


def test_honours_exif_orientation(tmp_path):
    (tmp_path / "a").mkdir()
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, :4] = 255  # the left half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise: left becomes top
    Image.fromarray(pixels).save(tmp_path / "a" / "1.png", exif=exif)
    out = read_image_folder(tmp_path).pixels[0]
    assert out.shape == (8, 4, 3)
    assert out[:4].min() == 255
    assert out[4:].max() == 0


def test_passes_over_hidden_files_and_documents_and_finds_the_licence(write_pictures):
    folder = write_pictures("a/1.png")
    (folder / "LICENSE.txt").write_text("CC0\n")
    (folder / "a" / "README.md").write_text("x")
    (folder / "a" / ".DS_Store").write_text("x")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.txt").write_text("x")
    assert len(read_image_folder(folder)) == 1
    assert find_document(folder) == "CC0"
    assert find_document(folder / "a") == ""


def add(folder, name, content):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda f: add(f, "a/notes.txt", b"x"), r"holds only .png.*got pictures/a/notes.txt"),
        (lambda f: add(f, "a/2.jpg", b"just text"), "a/2.jpg is neither"),
        (
            lambda f: add(f, "a/2.png", (f / "a/1.png").read_bytes()[:48]),
            "a/2.png cannot be decoded",
        ),
        (lambda f: add(f, "a/2.png", b""), "a/2.png is neither"),
        (lambda f: add(f, "2.png", b"x"), r"2.png lies in none.*--class-from prefix"),
        (lambda f: Image.new("I;16", (8, 8)).save(f / "a" / "2.png"), "8 bits"),
    ],
)
def test_refuses_what_is_no_picture(write_pictures, spoil, match):
    folder = write_pictures("a/1.png")
    spoil(folder)
    before = sorted(folder.rglob("*"))
    with pytest.raises(ValueError, match=match):
        read_image_folder(folder)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("limit", ["ours", "pillow"])
def test_refuses_decompression_bombs_before_decoding(write_pictures, monkeypatch, limit):
    folder = write_pictures("a/1.png", size=(100, 100))
    if limit == "ours":
        monkeypatch.setattr(image_folder, "MAX_PIXELS", 9999)
    else:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        monkeypatch.setattr(image_folder, "MAX_PIXELS", 150)
    with pytest.raises(ValueError, match="may have"):
        read_image_folder(folder)


def test_refuses_pictures_that_are_too_many_together(write_pictures, monkeypatch):
    folder = write_pictures("a/1.png", "a/2.png", size=(100, 100))
    monkeypatch.setattr(image_folder, "MAX_TOTAL_BYTES", 59_999)
    with pytest.raises(ValueError, match="pictures of pictures may have 59999 bytes; it has 60000"):
        read_image_folder(folder)
    assert read_image_folder(folder, image_size=50).pixels.shape == (2, 50, 50, 3)


def test_refuses_jpegs_of_endless_passes(write_pictures, monkeypatch):
    folder = write_pictures("a/1.jpg", size=(64, 64))
    Image.new("RGB", (64, 64)).save(folder / "a" / "1.jpg", progressive=True)
    read_image_folder(folder)
    monkeypatch.setattr(image_folder, "MAX_SCANS", 3)
    with pytest.raises(ValueError, match="may have 3 scans"):
        read_image_folder(folder)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda path, secret: path.symlink_to(secret), "stay inside their folder"),
        (lambda path, secret: path.symlink_to(secret.parent), "stay inside their folder"),
        (lambda path, secret: path.symlink_to(path.parent), "no links to folders"),
        (lambda path, secret: os.mkfifo(path), "only regular files are read"),
    ],
)
def test_refuses_links_and_pipes_among_pictures(write_pictures, tmp_path, make, match):
    folder = write_pictures("a/1.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    make(folder / "a" / "2.png", tmp_path / "secret.png")
    with pytest.raises(ValueError, match=match):
        read_image_folder(folder)


def test_follows_links_that_stay_in_the_folder_and_a_linked_folder(write_pictures, tmp_path):
    folder = write_pictures("a/1.png")
    (folder / "a" / "2.png").symlink_to(folder / "a" / "1.png")
    (tmp_path / "alias").symlink_to(folder)
    assert len(read_image_folder(tmp_path / "alias")) == 2


def test_sizes_are_compared_after_exif_has_turned_pictures(write_pictures):
    folder = write_pictures("a/1.jpg", size=(16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 16)).save(folder / "a" / "2.jpg", exif=exif)
    assert read_image_folder(folder).pixels.shape == (2, 8, 16, 3)


def test_names_with_odd_digits_are_sorted():
    assert sorted(["b10", "b²", "b9"], key=image_folder.natural_key) == ["b9", "b10", "b²"]


def test_refuses_names_without_a_prefix_and_empty_folders(write_pictures, tmp_path):
    with pytest.raises(ValueError, match=r"class-number; got one.png"):
        read_image_folder(write_pictures("one.png"), class_from="prefix")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds none"):
        read_image_folder(tmp_path / "empty")


@pytest.mark.data
def test_reads_faces_and_houses(real_data):
    folder = real_data / "muse-visual/stimuli/face_house"
    images = read_image_folder(folder, image_size=64, shown=("*3.jpg",))
    assert images.pixels.shape == (96, 64, 64, 1)
    assert np.bincount(images.labels[images.shown]).tolist() == [12, 12]


@pytest.mark.data
def test_reads_cats_and_dogs_by_prefix(real_data):
    folder = real_data / "muse-visual/stimuli/cats_dogs"
    images = read_image_folder(folder, class_from="prefix", image_size=128)
    assert images.pixels.shape == (8, 128, 128, 3)
    assert images.classes == ("nontarget", "target")
