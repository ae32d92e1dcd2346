import pytest
import torch

from phosphene.models.encoders.human_mind_lstm import HumanMindLSTM
from phosphene.training.encoder_step import EncoderStep


def test_classifier_has_the_published_number_of_values():
    encoder = HumanMindLSTM(128)
    assert sum(v.numel() for v in encoder.parameters()) == 132_096 + 16_512
    step = EncoderStep(encoder, n_classes=40, rng=torch.Generator().manual_seed(0))
    assert sum(v.numel() for v in step.weights) == 153_768


def test_is_the_last_state_through_a_linear_map_and_a_relu():
    torch.manual_seed(0)
    encoder = HumanMindLSTM(3, n_features=5, n_hidden=4)
    eeg = torch.randn(2, 3, 7)
    _, (last, _) = encoder.rnn(eeg.transpose(1, 2))
    expected = torch.nn.functional.relu(last[0] @ encoder.output.weight.T + encoder.output.bias)
    torch.testing.assert_close(encoder(eeg), expected)
    assert (expected == 0).any()


@pytest.mark.parametrize("n_times", [1, 32, 440])
def test_takes_trials_of_any_length(n_times):
    assert HumanMindLSTM(4)(torch.zeros(2, 4, n_times)).shape == (2, 128)


def test_refuses_other_channels():
    with pytest.raises(ValueError, match="must have 4 channels"):
        HumanMindLSTM(4)(torch.zeros(2, 5, 10))
