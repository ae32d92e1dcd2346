import pytest
import torch
from torch import nn

from phosphene.models.layer_table import Row, output_size, stack_rows

ROWS = (Row(4, (3,), (2,), (1,)), Row(2, (5,), (1,), (0,)), Row(3, (4,), (3,)))
PLANES = (Row(4, (3, 5), (2, 1), (1, 2)), Row(2, (2, 2), (1, 3)))


@pytest.mark.parametrize("n", [20, 21, 22, 40])
def test_output_size_is_what_the_layers_give(n):
    for norm in ("batch", "layer", "none"):
        network = stack_rows(5, ROWS, norm=norm, dropout=0.1)
        assert network(torch.randn(2, 5, n)).shape == (2, 3, *output_size((n,), ROWS))
    planes = stack_rows(1, PLANES)
    assert planes(torch.randn(2, 1, n, 30)).shape == (2, 2, *output_size((n, 30), PLANES))


def test_output_size_of_transposed_rows_is_what_they_give():
    rows = (Row(4, (4,), (3,), (), (2,)), Row(2, (5,), (1,), (1,)), Row(3, (3,), (2,), (1,), (1,)))
    network = stack_rows(5, rows, transposed=True)
    found = output_size((7,), rows, transposed=True)
    assert network(torch.randn(2, 5, 7)).shape == (2, 3, *found)
    planes = (Row(4, (3, 5), (2, 1), (1, 2), (1, 0)), Row(2, (2, 2), (1, 3)))
    found = output_size((7, 4), planes, transposed=True)
    network = stack_rows(5, planes, transposed=True)
    assert network(torch.randn(2, 5, 7, 4)).shape == (2, 2, *found)


def test_layers_come_in_the_printed_order():
    kinds = [[type(part).__name__ for part in layer] for layer in stack_rows(5, ROWS, dropout=0.5)]
    assert kinds == [["Conv1d", "ReLU", "UniformDropout", "BatchNorm1d"]] * 3
    last = stack_rows(5, ROWS, plain_end=True)[-1]
    assert [type(part) for part in last] == [nn.Conv1d]
    assert isinstance(stack_rows(1, PLANES)[0][-1], nn.BatchNorm2d)


def test_batch_norm_comes_last_so_values_have_mean_0():
    maps = stack_rows(5, ROWS)(torch.randn(64, 5, 40))
    torch.testing.assert_close(maps.mean((0, 2)), torch.zeros(3), atol=1e-5, rtol=0)


def test_only_batch_norm_lets_samples_see_each_other():
    signals = torch.randn(6, 5, 40)
    for norm, alone in (("batch", False), ("layer", True), ("none", True)):
        network = stack_rows(5, ROWS, norm=norm).train()
        whole, part = network(signals)[:2], network(signals[:2])
        assert torch.allclose(whole, part, atol=1e-5) == alone


def test_without_a_norm_values_keep_their_size():
    torch.manual_seed(0)
    rows = [Row(12, (9,), padding=(4,))] * 12
    signals = torch.randn(16, 12, 60)
    deep = stack_rows(12, rows, norm="none")
    assert 0.1 < deep(signals).square().mean() < 10
    for layer in deep:
        layer[0].reset_parameters()  # as torch draws them
    assert deep(signals).var() < 1e-3


def test_refusals():
    with pytest.raises(ValueError, match="transposed rows must have a norm"):
        stack_rows(5, ROWS, norm="none", transposed=True)
    with pytest.raises(ValueError, match="`norm` must be one of 'batch', 'layer', 'none'"):
        stack_rows(5, ROWS, norm="instances")
    with pytest.raises(ValueError, match="`dropout` must be at least 0 and below 1"):
        stack_rows(5, ROWS, dropout=1.0)
