import pytest
import torch

from phosphene.export.networks import build_network, networks


def test_finds_what_the_packages_of_models_define():
    assert {"CompactCNN", "LSTMEncoder"} <= set(networks("encoders"))
    assert "DCGANGenerator" in networks()
    assert "DCGANGenerator" not in networks("encoders")
    assert "FoldedConditionConv2d" not in networks()  # a part of networks


def test_builds_from_plain_values():
    spec = {"network": "LSTMEncoder", "settings": {"n_chans": 3, "n_features": 5, "hidden": [4]}}
    encoder = build_network(spec, kind="encoders")
    assert encoder(torch.zeros(2, 7, 3).transpose(1, 2)).shape == (2, 5)


LSTM = {"network": "LSTMEncoder", "settings": {"n_chans": 3}}
CNN = {"network": "CompactCNN"}


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ({"network": "LSTMEncodr"}, "Did you mean 'LSTMEncoder'"),
        ({"network": "os.system", "settings": {}}, "must be"),
        ({"network": "DCGANGenerator"}, "must be"),
        ({"settings": {}}, "must be"),
        ("LSTMEncoder", "name and its settings"),
        ({**LSTM, "settings": [3]}, "name and its settings"),
        ({**LSTM, "settings": {"n_chan": 3}}, "Did you mean 'n_chans'"),
        ({**LSTM, "settings": {"n_chans": 10**9}}, "plain value"),
        ({**LSTM, "settings": {"n_chans": float("nan")}}, "plain value"),
        ({**LSTM, "settings": {"n_chans": -3}}, "plain value"),
        ({**LSTM, "settings": {"n_chans": None}}, "plain value"),
        ({**LSTM, "settings": {"n_chans": {"a": 1}}}, "plain value"),
        ({**LSTM, "settings": {"n_chans": 3, "hidden": [1] * 1000}}, "plain value"),
        ({**LSTM, "settings": {"n_chans": 3, "hidden": [10**40]}}, "plain value"),
        ({**LSTM, "settings": {"n_chans": "3"}}, "must build it"),
        ({**LSTM, "settings": {"n_chans": 2.5}}, "must build it"),
        ({**LSTM, "settings": {}}, "must build it"),
        ({**CNN, "settings": {"n_chans": 3, "n_times": 64, "n_maps": 2.5}}, "must build it"),
        ({**CNN, "settings": {"n_chans": 3, "n_times": 64, "n_filters": 0}}, "must build it"),
    ],
)
def test_refuses_what_no_encoder_is(spec, match):
    with pytest.raises(ValueError, match=match) as error:
        build_network(spec, kind="encoders")
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("size", [65536, 17, 0])
def test_refuses_absurd_pictures(size):
    with pytest.raises(ValueError, match=r"plain value|power of two"):
        build_network({"network": "DCGANGenerator", "settings": {"size": size}})


def test_builds_the_lfp_generator_with_and_without_pictures():
    settings = {"n_chans": 5, "n_times": 313}
    plain = build_network({"network": "LFPGenerator", "settings": settings}, kind="generators")
    noise = torch.zeros(2, *plain.noise_shape)
    assert plain(noise).shape == (2, 5, 313)
    settings |= {"size": [54, 69]}
    both = build_network({"network": "LFPGenerator", "settings": settings}, kind="generators")
    assert both(noise, torch.zeros(2, 1, 54, 69)).shape == (2, 5, 313)
    assert both.random_input.n_out == 8
    large = {"network": "LFPGenerator", "settings": {"size": [918, 1174]}}
    with torch.device("meta"):
        assert build_network(large).picture_encoder.size == (918, 1174)


def test_builds_the_classifier_of_lfp():
    spec = {"network": "LFPCNN", "settings": {"n_classes": 7, "n_chans": 3, "n_times": 50}}
    classifier = build_network(spec, kind="classifiers").eval()
    assert classifier(torch.zeros(2, 3, 50)).shape == (2, 7)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"size": [54, 70]}, "must build it"),
        ({"size": [54]}, "must build it"),
        ({"size": []}, "must build it"),
        ({"size": 54}, "must build it"),
        ({"size": [5000, 5000]}, "plain value"),
        ({"n_chans": 0}, "must build it"),
        ({"n_chans": 2.5}, "must build it"),
        ({"n_times": 100}, "must build it"),
        ({"size": [54, 69], "n_times": 400}, "must build it"),
        ({"random_input": "x"}, "must be one of"),
    ],
)
def test_refuses_what_no_lfp_generator_is(settings, match):
    with pytest.raises(ValueError, match=match):
        build_network({"network": "LFPGenerator", "settings": settings}, kind="generators")


def test_refuses_networks_that_take_networks():
    spec = {"network": "LFPCritic", "settings": {"encoder": "x", "combination": "y"}}
    with pytest.raises(ValueError, match="must build it"):
        build_network(spec)
