import pytest
import torch

from phosphene.models.dropout import UniformDropout


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_keeps_a_share_and_the_mean(p):
    torch.manual_seed(0)
    values = UniformDropout(p)(torch.ones(100, 1000))
    assert float((values == 0).float().mean()) == pytest.approx(p, abs=0.005)
    torch.testing.assert_close(values.max(), torch.tensor(1 / (1 - p)))
    torch.testing.assert_close(values.mean(), torch.tensor(1.0), rtol=0.01, atol=0)


def test_gradient_goes_where_values_were_kept():
    torch.manual_seed(0)
    values = torch.randn(50, requires_grad=True)
    kept = UniformDropout(0.4)(values)
    kept.sum().backward()
    torch.testing.assert_close(values.grad, (kept.detach() != 0) / 0.6)


def test_leaves_all_alone_in_evaluation_or_without_a_share():
    values = torch.randn(50)
    assert UniformDropout(0.5).eval()(values) is values
    assert UniformDropout(0.0)(values) is values


def test_follows_the_global_seed():
    values, dropout, masks = torch.ones(50), UniformDropout(0.5), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(dropout(values))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_keeps_the_order_in_memory():
    values = torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    assert UniformDropout(0.5)(values).stride() == values.stride()
