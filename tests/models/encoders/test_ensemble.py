import pytest
import torch

from phosphene.export.networks import build_network
from phosphene.models.encoders.compact_cnn import CompactCNN
from phosphene.models.encoders.ensemble import EnsembleEncoder, ThinnedCNN

SETTINGS = {"n_chans": 3, "n_times": 40, "n_classes": 3, "step": 2, "sfreq": 64.0}


def trials_of(n=45, *, seed=0):
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    return torch.randn(n, 3, 40, generator=rng) + labels[:, None, None], labels


def fitted(**settings):
    torch.manual_seed(0)
    encoder = EnsembleEncoder(**SETTINGS, **settings)
    signals, labels = trials_of()
    if encoder.tangent_space is not None:
        encoder.tangent_space.fit(signals, labels)
    heads = [(torch.randn(3, network.n_features), torch.randn(3)) for network in encoder.networks]
    return encoder.eval(), heads


def votes(encoder, heads, signals):
    """Return the logits of each member, one after the other."""
    logits = [
        network(signals).double() @ weight.double().T + bias
        for network, (weight, bias) in zip(encoder.networks, heads, strict=True)
    ]
    if encoder.tangent_space is not None:
        logits.append(encoder.tangent_head(encoder.tangent_space(signals)).double())
    if encoder.discriminant_head is not None:
        logits.append(encoder.discriminant_head(signals[:, :, ::2].flatten(1)).double())
    return torch.stack(logits)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_networks": 2, "network_features": 5},
        {"n_networks": 3, "tangent_space": False, "discriminant": False},
        {"n_networks": 0, "xdawn_filters": 2},
    ],
)
def test_one_linear_decoder_is_the_mean_of_the_members(settings):
    encoder, heads = fitted(**settings)
    weight, bias = encoder.join(trials_of()[0], heads)
    held_out, _ = trials_of(20, seed=1)
    expected = votes(encoder, heads, held_out).mean(0)
    found = encoder(held_out).double() @ weight.T + bias
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert expected.std() > 0.01


def test_shares_weigh_the_members():
    encoder, heads = fitted(n_networks=1)
    weight, bias = encoder.join(trials_of()[0], heads, shares=[1.0, 0.0, 3.0])
    held_out, _ = trials_of(20, seed=1)
    first, _, third = votes(encoder, heads, held_out)
    found = encoder(held_out).double() @ weight.T + bias
    torch.testing.assert_close(found, (first + 3 * third) / 4, rtol=1e-5, atol=1e-5)


def test_joined_features_are_standard():
    encoder, heads = fitted(n_networks=2)
    signals, _ = trials_of()
    encoder.join(signals, heads)
    features = encoder(signals)
    assert features.shape == (45, encoder.n_features)
    assert encoder.n_features == 2 * 16 + 3 + 3
    assert encoder.members == ["network 0", "network 1", "tangent space", "discriminant"]
    torch.testing.assert_close(features.mean(0), torch.zeros(38), atol=1e-4, rtol=0)
    torch.testing.assert_close(features.std(0, correction=0), torch.ones(38), atol=1e-3, rtol=0)


def test_is_built_from_plain_settings_and_saved_as_tensors():
    spec = {"network": "EnsembleEncoder", "settings": {**SETTINGS, "n_networks": 2}}
    encoder, heads = fitted(n_networks=2)
    signals, _ = trials_of()
    encoder.join(signals, heads)
    with torch.device("meta"):
        sizes = {k: v.shape for k, v in build_network(spec, kind="encoders").state_dict().items()}
    assert sizes == {k: v.shape for k, v in encoder.state_dict().items()}
    again = build_network(spec, kind="encoders")
    again.load_state_dict(encoder.state_dict())
    torch.testing.assert_close(again.eval()(signals), encoder(signals), rtol=0, atol=0)


def test_thinned_network_is_a_compact_one_on_fewer_samples():
    torch.manual_seed(0)
    thinned = ThinnedCNN(3, 41, step=2, sfreq=64.0, dropout=0.5).eval()
    compact = CompactCNN(3, 21, n_features=32, sfreq=32.0, depth=4, n_maps=32).eval()
    compact.load_state_dict(thinned.network.state_dict())
    signals = torch.randn(4, 3, 41)
    torch.testing.assert_close(thinned(signals), compact(signals[:, :, ::2]))


def test_networks_learn_and_start_apart():
    encoder, _ = fitted(n_networks=2, tangent_space=False)
    signals, _ = trials_of()
    encoder(signals).square().sum().backward()
    slopes = [network.network.spatial.grad for network in encoder.networks]
    assert all(slope.abs().sum() > 0 for slope in slopes)
    assert not torch.equal(*(network.network.spatial for network in encoder.networks))


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="must have a member; got 0 networks"):
        EnsembleEncoder(**SETTINGS, n_networks=0, tangent_space=False, discriminant=False)
    encoder, heads = fitted(n_networks=2)
    signals, _ = trials_of()
    with pytest.raises(ValueError, match="`heads` must be as many as the 2 networks; got 1"):
        encoder.join(signals, heads[:1])
    with pytest.raises(ValueError, match=r"`weight` must have the shape \(class=3, feature=16\)"):
        encoder.join(signals, [(weight[:, 1:], bias) for weight, bias in heads])
    with pytest.raises(ValueError, match="`shares` must be as many as the 4 members; got 2"):
        encoder.join(signals, heads, shares=[1.0, 1.0])
    with pytest.raises(ValueError, match=r"not be negative.*got \[1.0, 1.0, 1.0, -1.0\]"):
        encoder.join(signals, heads, shares=[1.0, 1.0, 1.0, -1.0])
    with pytest.raises(ValueError, match="must have 40 samples"):
        encoder(signals[:, :, 1:])
