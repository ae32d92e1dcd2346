import numpy as np
import pytest
from PIL import Image

from phosphene.data.dataset import load_dataset
from phosphene.data.picture_source import PLAIN, load_pictures


def _save(path, *, size=(12, 12), value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)


def test_idx_files_are_read_as_they_are(digits_folder):
    source = load_pictures(digits_folder)
    assert source.images.pixels.shape == (220, 8, 8, 1)
    assert (source.name, source.origin) == ("digits", PLAIN)
    assert source.official_test.sum() == 60
    assert not source.official_test[:160].any(), "training pictures come first"
    assert load_pictures(digits_folder, image_size=6).images.pixels.shape[1:] == (6, 6, 1)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("t10k-images-idx3-ubyte.gz", True),
        ("t10k-images.idx3-ubyte", True),
        ("emnist-letters-test-images-idx3-ubyte", True),
        ("test_batch.bin", True),
        ("train-images-idx3-ubyte.gz", False),
        ("data_batch_1.bin", False),
        ("test_1.png", False),
        ("test/cats/1.png", False),
        ("latest-images-idx3-ubyte", False),
    ],
)
def test_a_file_is_an_official_test_set_by_its_name(digits_folder, file, expected):
    source = load_pictures(digits_folder)
    source.images.table["source"] = file
    assert set(source.official_test) == {expected}


def test_folders_are_classes_and_pictures_beside_one_another_have_one(tmp_path):
    _save(tmp_path / "pets" / "cat" / "1.png")
    _save(tmp_path / "pets" / "dog" / "1.png")
    assert load_pictures(tmp_path / "pets").images.classes == ("cat", "dog")
    _save(tmp_path / "pets" / "3.png", value=7)
    flat = load_pictures(tmp_path / "pets").images
    assert flat.classes == ("pets",)
    assert len(flat) == 3
    assert flat.pixels[:, 0, 0, 0].tolist() == [7, 100, 100]


def test_the_licence_beside_pictures_is_kept(tmp_path):
    _save(tmp_path / "1.png")
    (tmp_path / "LICENSE").write_text("free\n")
    assert load_pictures(tmp_path).licence == "free"


def test_unequal_sizes_need_a_size(tmp_path):
    _save(tmp_path / "1.png", size=(12, 12))
    _save(tmp_path / "2.png", size=(20, 16))
    with pytest.raises(ValueError, match="--image-size"):
        load_pictures(tmp_path)
    assert load_pictures(tmp_path, image_size=10).images.pixels.shape == (2, 10, 10, 1)


def test_pictures_of_a_data_set(data_folder):
    dataset = load_dataset(data_folder)
    source = load_pictures(data_folder)
    np.testing.assert_array_equal(source.images.pixels, dataset.images.pixels)
    assert source.data_hash == dataset.data_hash
    assert source.origin == "simulated"
    side = dataset.images.pixels.shape[1]
    assert load_pictures(data_folder, image_size=side - 2).images.pixels.shape[1] == side - 2
    assert load_pictures(data_folder, image_size=side + 9).images.pixels.shape[1] == side


def test_where_there_are_no_pictures_it_says_so(tmp_path):
    with pytest.raises(ValueError, match="there is nothing at"):
        load_pictures(tmp_path / "no")
    with pytest.raises(ValueError, match="holds none"):
        load_pictures(tmp_path)
