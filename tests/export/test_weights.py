import os
import pickle
import struct

import pytest
import torch

from phosphene.export.weights import load_weights, read_shapes, save_weights


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(path, {"a": torch.arange(6.0).view(2, 3), "n": torch.tensor(3)})
    return path


def test_round_trip(path):
    shapes = read_shapes(path)
    assert shapes == {"a": (2, 3), "n": ()}
    weights = load_weights(path, shapes, shapes)
    assert torch.equal(weights["a"], torch.arange(6.0).view(2, 3))
    assert weights["n"] == 3


@pytest.mark.parametrize("n_bytes", [0, 4, 40, -1])
def test_a_cut_file_is_refused(path, n_bytes):
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match="whole safetensors file"):
        read_shapes(path)


@pytest.mark.parametrize("write", [pickle.dumps, None])
def test_nothing_is_unpickled(path, tmp_path, write):
    bomb = Bomb(str(tmp_path / "gone off"))
    if write is None:
        torch.save(bomb, path)
    else:
        path.write_bytes(write(bomb))
    with pytest.raises(ValueError, match="whole safetensors file"):
        read_shapes(path)
    assert not (tmp_path / "gone off").exists()


def test_a_link_that_leads_out_of_the_bundle_is_refused(path, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "weights.safetensors").symlink_to(path)
    with pytest.raises(ValueError, match="stay inside their folder"):
        read_shapes(tmp_path / "bundle" / "weights.safetensors")


def test_a_header_that_announces_too_much_is_not_read(path):
    path.write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    with pytest.raises(ValueError, match="announces a header"):
        read_shapes(path)


def test_a_tensor_larger_than_the_file_is_refused(path):
    header = b'{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)
    with pytest.raises(ValueError, match="whole safetensors file"):
        read_shapes(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="needs weights"):
        read_shapes(tmp_path / "weights.safetensors")


def test_other_types_are_refused(path):
    save_weights(path, {"a": torch.zeros(2, dtype=torch.bfloat16)})
    with pytest.raises(ValueError, match="BF16"):
        read_shapes(path)


@pytest.mark.parametrize(
    ("expected", "match"),
    [
        ({"a": (2, 3)}, "holds 'n' too"),
        ({"a": (2, 3), "n": (), "b": (1,)}, "must hold `b`"),
        ({"a": (3, 2), "n": ()}, r"`a` must have the shape \(3, 2\).* has \(2, 3\)"),
    ],
)
def test_names_and_shapes_must_be_the_expected_ones(path, expected, match):
    with pytest.raises(ValueError, match=match):
        load_weights(path, read_shapes(path), expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_must_be_finite(path, value):
    save_weights(path, {"a": torch.tensor([value])})
    with pytest.raises(ValueError, match="must be finite"):
        load_weights(path, {"a": (1,)}, {"a": (1,)})
