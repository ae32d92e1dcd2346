import io
import os
import pickle

import numpy as np
import pytest
import torch

from phosphene.models.feature_networks.inception_2015 import describe_pictures, load_inception
from phosphene.models.feature_networks.inception_v3 import InceptionV3, standard_input


@pytest.fixture(scope="module")
def network(fake_state, as_bytes):
    return load_inception(as_bytes(fake_state))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)


def test_loaded_network_computes_what_the_plain_one_does(network, fake_state, pixels):
    plain = InceptionV3()
    plain.load_state_dict(fake_state, strict=False)
    images = standard_input(torch.from_numpy(pixels[:1].transpose(0, 3, 1, 2).copy()).float() / 255)
    with torch.no_grad():
        expected = plain.eval().features(images)
    assert expected.std() > 0.01
    torch.testing.assert_close(network.features(images), expected, rtol=1e-3, atol=1e-4)
    assert not network.training
    assert not any(value.requires_grad for value in network.parameters())


def test_new_files_with_counters_load_too(fake_state, as_bytes):
    with torch.device("meta"):
        names = [name for name in InceptionV3().state_dict() if name.endswith("tracked")]
    state = {**fake_state, **{name: torch.tensor(7) for name in names}}
    loaded = load_inception(as_bytes(state, zipped=True))
    assert loaded.fc.weight.equal(fake_state["fc.weight"])


def test_pictures_are_described_in_batches(network, pixels):
    done = []
    features, probabilities = describe_pictures(network, pixels, batch_size=2, on_batch=done.append)
    assert done == [2, 3]
    assert features.shape == (3, 2048)
    logits = features @ network.fc.weight.numpy().T
    odds = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(probabilities, odds / odds.sum(1, keepdims=True), rtol=1e-3)
    with_bias = describe_pictures(network, pixels[:1], bias=True)[1]
    assert np.abs(with_bias - probabilities[:1]).max() > 1e-4


def test_grey_pictures_are_seen_in_three_equal_colours(network, pixels):
    grey = pixels[:1, :, :, :1]
    found = describe_pictures(network, grey)[0]
    expected = describe_pictures(network, np.repeat(grey, 3, axis=3))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


FIRST = "Conv2d_1a_3x3.bn.bias"  # in alphabetical order, in which tensors are checked


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, f"must hold the tensor `{FIRST}`; got NoneType"),
        ({FIRST: 3}, f"must hold the tensor `{FIRST}`; got int"),
        ({"AuxLogits.fc.bias": torch.zeros(1)}, "'AuxLogits.fc.bias' too"),
        ({FIRST: torch.zeros(64)}, r"float32 of shape \(32,\); got float32 of shape \(64,\)"),
        ({FIRST: torch.zeros(32).double()}, r"float32 of shape \(32,\); got float64"),
        ({FIRST: torch.full((32,), torch.nan)}, "must be finite"),
        ([1, 2], "a mapping from names to tensors; got list"),
        ({3: torch.zeros(1)}, "a mapping from names"),
    ],
)
def test_other_contents_are_refused(as_bytes, state, message):
    with pytest.raises(ValueError, match=message) as error:
        load_inception(as_bytes(state))
    assert "phosphene data fetch inception-2015" in str(error.value)


def test_the_last_missing_tensor_is_noticed(fake_state, as_bytes):
    state = {name: value for name, value in fake_state.items() if name != "fc.weight"}
    with pytest.raises(ValueError, match=r"must hold the tensor `fc\.weight`"):
        load_inception(as_bytes(state))


class _Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_hostile_pickles_do_not_run(tmp_path, as_bytes, zipped):
    path = tmp_path / "made"
    content = as_bytes({"fc.bias": _Command(str(path))}, zipped=zipped)
    with pytest.raises(ValueError, match="these bytes are not"):
        load_inception(content)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02", b"text", pickle.dumps([1])])
def test_bytes_that_are_no_state_dict_are_refused(content):
    with pytest.raises(ValueError, match="Inception weights must be"):
        load_inception(content)


def test_a_cut_file_is_refused(fake_state, as_bytes):
    content = as_bytes({"fc.bias": fake_state["fc.bias"]})
    for size in (len(content) // 2, len(content) - 10):
        with pytest.raises(ValueError, match="Inception weights must be"):
            load_inception(io.BytesIO(content).read(size))


@pytest.mark.network
def test_the_published_file_sees_classes_in_photographs():
    from sklearn.datasets import load_sample_images

    from phosphene.data.downloads import fetch, read_verified

    try:
        fetch("inception-2015")
    except ValueError as error:
        if "must be fetched from" in str(error):
            pytest.skip(str(error))
        raise
    network = load_inception(read_verified("inception-2015"))
    photographs = np.stack(load_sample_images().images)  # a palace and a flower
    features, probabilities = describe_pictures(network, photographs)
    assert features.min() >= 0
    assert (probabilities.max(1) > 50 / 1008).all()
    assert probabilities[0].argmax() != probabilities[1].argmax()
    assert ((probabilities.argmax(1) >= 1) & (probabilities.argmax(1) <= 1000)).all()
