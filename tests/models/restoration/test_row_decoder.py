import copy

import pytest
import torch

from phosphene.models.restoration.row_decoder import RowDecoder

COUNTS = {28: 46_816, 64: 189_952, 100: 426_400, 128: 674_816, 256: 2_529_280, 512: 9_777_152}
"""Parameters of five layers by hidden size."""


def make(dtype=torch.float64, **settings):
    torch.manual_seed(0)
    return RowDecoder(**{"n_values": 5, "n_code": 4, "hidden": 6, "n_layers": 3} | settings).to(
        dtype
    )


def inputs(batch=3, n_rows=4, dtype=torch.float64):
    rng = torch.Generator().manual_seed(1)
    rows = torch.rand(batch, n_rows, 5, generator=rng, dtype=dtype)
    return rows, torch.randn(batch, 4, generator=rng, dtype=dtype)


def plain(decoder, rows, code):
    """The decoder as a loop over torch's own cells."""
    zeros = rows.new_zeros(len(rows), decoder.hidden)
    states = [(zeros, zeros) for _ in decoder.cells]
    last, logits = rows.new_zeros(len(rows), decoder.n_values), []
    for row in rows.unbind(1):
        given = torch.cat([row, code, last], 1)
        for layer, cell in enumerate(decoder.cells):
            states[layer] = cell(given, states[layer])
            given = states[layer][0]
        logits.append(decoder.output(given))
        last = torch.sigmoid(logits[-1])
    return torch.stack(logits, 1)


@pytest.mark.parametrize("n_layers", [1, 2, 5])
def test_equals_a_loop_of_cells_with_all_gradients(n_layers):
    decoder = make(n_layers=n_layers)
    rows, code = (value.requires_grad_() for value in inputs())
    weight = torch.randn(3, 4, 5, dtype=torch.float64)
    asked = [rows, code, *decoder.parameters()]
    found, expected = decoder(rows, code), plain(decoder, rows, code)
    torch.testing.assert_close(found, expected)
    slopes = torch.autograd.grad((found * weight).sum(), asked)
    for slope, other in zip(
        slopes, torch.autograd.grad((expected * weight).sum(), asked), strict=True
    ):
        torch.testing.assert_close(slope, other)


def test_the_output_gate_lets_the_state_out():
    """Equation 13 prints the input gate; then a closed output gate would change nothing."""
    decoder = make(n_layers=1)
    cell, hidden = decoder.cells[0], decoder.hidden
    rows, code = inputs(n_rows=1)
    with torch.no_grad():
        cell.bias_ih[3 * hidden :] = -1e9  # the output gate of torch's order
        closed = decoder(rows, code)
        torch.testing.assert_close(closed, decoder.output.bias.expand_as(closed))
        cell.bias_ih[3 * hidden :] = 1e9
        gates = rows[:, 0] @ cell.weight_ih[:, :5].T + code @ cell.weight_ih[:, 5:9].T
        gates = gates + cell.bias_ih + cell.bias_hh
        into, _, candidate, _ = gates.chunk(4, 1)
        state = torch.tanh(torch.sigmoid(into) * torch.tanh(candidate))  # times 1, not times i
        torch.testing.assert_close(decoder(rows, code)[:, 0], decoder.output(state))


def test_a_row_sees_the_last_output_and_all_rows_above_but_none_below():
    decoder = make()
    rows, code = inputs()
    before = decoder(rows, code)
    changed = rows.clone()
    changed[:, 2] += 1
    after = decoder(changed, code)
    assert torch.equal(after[:, :2], before[:, :2])
    assert not torch.isclose(after[:, 2:], before[:, 2:]).all(2).any()


@pytest.mark.parametrize(("hidden", "count"), COUNTS.items())
def test_has_as_many_parameters_as_torchs_cells(hidden, count):
    decoder = RowDecoder(hidden=hidden)
    assert sum(p.numel() for p in decoder.cells.parameters()) == count
    assert sum(p.numel() for p in decoder.output.parameters()) == 29 * hidden - hidden + 28


def test_forget_gates_begin_open():
    decoder = make()
    for cell in decoder.cells:
        assert (cell.bias_ih + cell.bias_hh)[6:12].eq(1).all()
        assert (cell.bias_ih + cell.bias_hh)[:6].abs().max() < 1


def test_two_passes_may_be_open_at_once():
    decoder = make()
    rows, code = inputs()
    others = rows.flip(0)
    weight = decoder.output.weight
    alone = [
        torch.autograd.grad(decoder(x, code).square().sum(), weight)[0] for x in (rows, others)
    ]
    first, second = decoder(rows, code), decoder(others, code)
    together = torch.autograd.grad(first.square().sum() + second.square().sum(), weight)[0]
    torch.testing.assert_close(together, alone[0] + alone[1])


def test_passes_without_gradients_and_of_other_shapes_leave_no_trace():
    decoder = make()
    rows, code = inputs()
    expected = decoder(rows, code).detach()
    with torch.no_grad():
        assert torch.equal(decoder(rows, code), expected)
        decoder(rows[:2, :3], code[:2])
        assert torch.equal(decoder(rows, code), expected)
    assert torch.equal(decoder(rows, code), expected)


def test_a_second_backward_pass_is_refused():
    rows, code = inputs()
    loss = make()(rows, code).sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="can be asked for once"):
        loss.backward()


def test_a_copy_has_memory_of_its_own():
    decoder = make()
    rows, code = inputs()
    drawn = decoder(rows, code)
    twin = copy.deepcopy(decoder)
    assert torch.equal(twin(rows, code), drawn)
    assert twin._memory is not decoder._memory


@pytest.mark.parametrize("name", ["n_values", "n_code", "hidden", "n_layers"])
def test_refuses_sizes_of_nothing(name):
    with pytest.raises(ValueError, match=f"`{name}` must be greater than 0"):
        RowDecoder(**{name: 0})


def test_refuses_other_widths():
    rows, code = inputs()
    with pytest.raises(ValueError, match="`rows` must have 5 values"):
        make()(rows[:, :, :4], code)
    with pytest.raises(ValueError, match="`code` must have 4 numbers"):
        make()(rows, code[:, :3])
