import numpy as np
import pytest

from phosphene.data.formats.cifar import is_cifar, read_cifar10


def test_reads_planes_as_rgb_with_class_names(write_cifar):
    images = read_cifar10(write_cifar())
    assert images.pixels.shape == (2, 32, 32, 3)
    assert (images.pixels[0] == [255, 0, 0]).all()
    assert images.table["class_name"].tolist() == ["cat", "plane"]
    assert images.labels.tolist() == [3, 0]
    assert len(images.classes) == 10


def test_reads_one_file_without_names(write_cifar):
    folder = write_cifar(names="")
    images = read_cifar10(folder / "data_batch_1.bin")
    assert images.table["class_name"].tolist() == ["3", "0"]
    assert is_cifar(folder)
    assert is_cifar(folder / "data_batch_1.bin")


def test_refuses_truncated_files_and_unknown_labels(write_cifar):
    folder = write_cifar(labels=(3, 10))
    with pytest.raises(ValueError, match=r"data_batch_1.bin has 10 at picture 1"):
        read_cifar10(folder)
    path = folder / "data_batch_1.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="6145 bytes"):
        read_cifar10(folder)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="0 bytes"):
        read_cifar10(folder)


def test_refuses_links_out_of_the_folder_and_odd_class_names(write_cifar, tmp_path):
    folder = write_cifar()
    (folder / "data_batch_2.bin").symlink_to(tmp_path / "elsewhere.bin")
    with pytest.raises(ValueError, match="stay inside their folder"):
        read_cifar10(folder)
    (folder / "data_batch_2.bin").unlink()
    (folder / "batches.meta.txt").write_text("cat\ncat\n")
    with pytest.raises(ValueError, match="class names must differ"):
        read_cifar10(folder)
    (folder / "batches.meta.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(ValueError, match="must be UTF-8"):
        read_cifar10(folder)


def test_refuses_batches_that_are_too_large_together(write_cifar, monkeypatch):
    monkeypatch.setattr("phosphene.data.formats.cifar.MAX_BYTES", 6000)
    with pytest.raises(ValueError, match="may have 6000 bytes; it has 6146"):
        read_cifar10(write_cifar())


@pytest.mark.data
def test_reads_the_real_pictures(real_data):
    images = read_cifar10(real_data / "cifar-10")
    assert images.pixels.shape == (5000, 32, 32, 3)
    assert images.classes[:2] == ("airplane", "automobile")
    assert np.bincount(images.labels).min() > 400
