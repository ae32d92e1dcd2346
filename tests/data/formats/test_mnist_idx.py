import gzip
import struct

import numpy as np
import pytest

from phosphene.data.formats.mnist_idx import is_idx, read_mnist_folder, read_mnist_idx


@pytest.mark.parametrize("gz", [True, False])
def test_reads_pictures_and_labels(write_idx, gz):
    images = read_mnist_folder(write_idx(gz=gz))
    assert images.pixels.shape == (6, 3, 2, 1)
    np.testing.assert_array_equal(images.pixels.ravel(), np.arange(36))
    assert images.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert images.classes == ("0", "1", "2")
    assert images.table["image_id"].iloc[1] == "train-00001"


def test_joins_training_and_test_pictures(write_idx):
    folder = write_idx(stem="t10k", n=2)
    write_idx(stem="train", n=6)
    images = read_mnist_folder(folder)
    assert images.table["image_id"].tolist()[5:] == ["train-00005", "t10k-00000", "t10k-00001"]
    one = read_mnist_folder(folder / "t10k-images-idx3-ubyte.gz")
    assert len(one) == 2


def test_knows_its_files(write_idx, tmp_path):
    folder = write_idx()
    assert is_idx(folder)
    assert is_idx(folder / "train-labels-idx1-ubyte.gz")
    assert not is_idx(tmp_path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (struct.pack(">4I", 0x803, 6, 3, 2) + bytes(35), "only 35"),
        (struct.pack(">4I", 0x803, 6, 3, 2) + bytes(37), "it has more"),
        (struct.pack(">4I", 0x801, 6, 3, 2) + bytes(36), "starts with 0x00000801"),
        (struct.pack(">4I", 0x803, 2**31, 2**15, 2**15), "it has 2305843009213693952"),
        (struct.pack(">4I", 0x803, 5, 3, 2) + bytes(30), "5 pictures.*6 labels"),
        (b"", "starts with nothing"),
        (b"\0\0\x08", "starts with"),
    ],
)
@pytest.mark.parametrize("gz", [True, False])
def test_refuses_wrong_headers_and_sizes(write_idx, content, match, gz):
    folder = write_idx(gz=gz)
    path = next(folder.glob("*images*"))
    path.write_bytes(gzip.compress(content) if gz else content)
    with pytest.raises(ValueError, match=match):
        read_mnist_folder(folder)


def test_refuses_more_pictures_than_a_table_should_hold(write_idx, monkeypatch):
    monkeypatch.setattr("phosphene.data.formats.mnist_idx.MAX_PICTURES", 5)
    with pytest.raises(ValueError, match="may have 5 pictures; it has 6"):
        read_mnist_folder(write_idx())


def test_refuses_links_out_of_the_folder(write_idx, tmp_path):
    folder = write_idx(gz=False)
    path = folder / "train-labels-idx1-ubyte"
    path.rename(tmp_path / "labels")
    path.symlink_to(tmp_path / "labels")
    with pytest.raises(ValueError, match="stay inside their folder"):
        read_mnist_folder(folder)


def test_refuses_a_truncated_or_damaged_gzip_file(write_idx):
    folder = write_idx()
    path = next(folder.glob("*images*"))
    content = path.read_bytes()
    for bad in (
        content[:-9],
        content[:12],
        b"no gzip",
        content[:20] + b"\xff\xff\xff" + content[23:],
    ):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="download it again"):
            read_mnist_folder(folder)


def test_refuses_a_missing_partner(write_idx):
    folder = write_idx()
    next(folder.glob("*labels*")).unlink()
    with pytest.raises(ValueError, match="no train-labels file"):
        read_mnist_folder(folder)


@pytest.mark.data
def test_reads_the_real_test_digits(real_data):
    folder = real_data / "mnist"
    images = read_mnist_idx(
        folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz"
    )
    assert images.pixels.shape == (3000, 28, 28, 1)
    assert images.labels[:5].tolist() == [7, 2, 1, 0, 4]
