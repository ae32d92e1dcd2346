import pytest
import torch

from phosphene.models.encoders.lstm import LSTMEncoder


@pytest.mark.parametrize(
    ("hidden", "n_all", "n_trained"),
    [((32,), 89_088, 88_448), ((), 73_728, 73_216)],
    ids=["code", "paper"],
)
def test_has_the_published_number_of_values(hidden, n_all, n_trained):
    values = list(LSTMEncoder(14, hidden=hidden).parameters())
    assert sum(v.numel() for v in values) == n_all
    assert sum(v.numel() for v in values if v.requires_grad) == n_trained


def test_starts_as_keras_does():
    torch.manual_seed(0)
    (layer,) = LSTMEncoder(14, n_features=16, hidden=()).layers
    effective = layer.bias_ih_l0 + layer.bias_hh_l0
    expected = torch.tensor([0.0, 1.0, 0.0, 0.0]).repeat_interleave(16)  # gates i, f, g, o
    torch.testing.assert_close(effective.detach(), expected)
    recurrent = layer.weight_hh_l0.detach()
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(16), atol=1e-5, rtol=0)
    limit = (6 / (14 + 4 * 16)) ** 0.5
    assert 0.9 * limit < layer.weight_ih_l0.abs().max() <= limit


def test_matches_the_recurrence_written_out():
    torch.manual_seed(0)
    encoder = LSTMEncoder(2, n_features=3, hidden=(4,))
    eeg = torch.randn(1, 2, 5)
    sequence = eeg[0].T
    for layer in encoder.layers:
        h = c = torch.zeros(layer.hidden_size)
        outputs = []
        for x in sequence:
            gates = layer.weight_ih_l0 @ x + layer.bias_ih_l0 + layer.weight_hh_l0 @ h
            i, f, g, o = gates.chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        sequence = torch.stack(outputs)
    torch.testing.assert_close(encoder(eeg)[0], sequence[-1])


def test_output_is_signed():
    torch.manual_seed(0)
    features = LSTMEncoder(3)(torch.randn(8, 3, 20))
    assert (features < 0).any()
    assert (features > 0).any()
