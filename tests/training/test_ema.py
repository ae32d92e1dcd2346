import pytest
import torch

from phosphene.training.ema import EMA


def test_average_follows_the_formula():
    network = torch.nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(0)
    ema = EMA(network, decay=0.5)
    expected = 0.0
    for n, value in enumerate((1.0, 5.0, -3.0), start=1):
        network.weight.data.fill_(value)
        ema.update(network)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * value
    assert ema.module.weight.item() == pytest.approx(expected)


def test_statistics_are_averaged_and_counts_copied():
    network = torch.nn.BatchNorm1d(2)
    ema = EMA(network, decay=0.9)
    network.train()(torch.randn(8, 2) + 4)
    ema.update(network)
    between = ema.module.running_mean
    assert (between > 0).all()
    assert (between < network.running_mean).all()
    assert ema.module.num_batches_tracked == 1


def test_average_neither_learns_nor_trains():
    ema = EMA(torch.nn.Linear(2, 2).train())
    assert not ema.module.training
    assert not any(value.requires_grad for value in ema.module.parameters())


def test_state_goes_through_a_state_dict():
    network = torch.nn.Linear(2, 2)
    ema, twin = EMA(network), EMA(torch.nn.Linear(2, 2))
    ema.update(network)
    twin.load_state_dict(ema.state_dict())
    assert twin.n_updates == 1
    assert torch.equal(twin.module.weight, ema.module.weight)


def test_refuses_decay_of_one():
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\); got 1"):
        EMA(torch.nn.Linear(1, 1), decay=1.0)
