"""The LSTM that redraws a picture row by row, with a backward pass of its own for speed."""

from math import sqrt
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns

sigmoid_backward: Any = torch.ops.aten.sigmoid_backward
tanh_backward: Any = torch.ops.aten.tanh_backward


class RowDecoder(nn.Module):
    """Redraw a picture row by row from a thought vector, its corrupted rows and its own last row.

    A stack of LSTM layers. The bottom one reads the row x_t, the vector v and the output y_{t-1}
    (zero before the first row); each other one reads the layer below; states begin at zero; the
    output is y_t = sigmoid(h_t W + b) of the top layer (equations 8 to 14).

    Equation 13 prints h = tanh(C) * i. The output gate, which the paper defines in equation 10 and
    says to decide "the outflow of the current hidden state", would then be used nowhere: we take
    h = tanh(C) * o, the LSTM that the paper describes in words.

    Two biases per gate, as torch's LSTM has (the published equations show none): with one the
    decoder has 4 `hidden` values less per layer. Weights start as those of torch's LSTM do, the
    bias of the forget gates at 1 (Jozefowicz et al., 2015).

    Parameters
    ----------
    n_values
        Length of a row: columns times colour planes.
    n_code
        Length of the thought vector.
    hidden
        Length of the states; the paper does not give it.
    n_layers
        Layers (section 5.2: five).

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141, section 4.2.2
    Jozefowicz, Zaremba and Sutskever, ICML 2015, https://proceedings.mlr.press/v37/jozefowicz15
    """

    def __init__(
        self, n_values: int = 28, n_code: int = 100, *, hidden: int = 128, n_layers: int = 5
    ) -> None:
        super().__init__()
        check_positive("n_values", n_values)
        check_positive("n_code", n_code)
        check_positive("hidden", hidden)
        check_positive("n_layers", n_layers)
        self.n_values, self.n_code, self.hidden = n_values, n_code, hidden
        n_inputs = [2 * n_values + n_code, *[hidden] * (n_layers - 1)]
        self.cells = nn.ModuleList(nn.LSTMCell(n, hidden) for n in n_inputs)
        self.output = nn.Linear(hidden, n_values)
        self._memory = _Memory()
        bound = 1 / sqrt(hidden)
        for value in self.parameters():
            nn.init.uniform_(value, -bound, bound)
        for cell in self.cells:
            with torch.no_grad():
                cell.bias_ih[hidden : 2 * hidden] = 1.0  # pyright: ignore
                cell.bias_hh[hidden : 2 * hidden] = 0.0  # pyright: ignore

    def forward(
        self, rows: Float[Tensor, "batch row value"], code: Float[Tensor, "batch code"]
    ) -> Float[Tensor, "batch row value"]:
        """Return rows of the picture before the sigmoid: ``sigmoid`` of them lies in [0, 1]."""
        check_columns("rows", rows, self.n_values, "values", axis=2)
        check_columns("code", code, self.n_code, "numbers")
        weights = [
            _sorted_gates(torch.cat([cell.weight_ih, cell.weight_hh], 1))  # pyright: ignore
            for cell in self.cells
        ]
        biases = [_sorted_gates(cell.bias_ih + cell.bias_hh) for cell in self.cells]  # pyright: ignore
        output = self.output.weight, self.output.bias
        logits: Any = _RowLoop.apply(
            self._memory, torch.is_grad_enabled(), rows, code, *output, *weights, *biases
        )
        return logits


class _Cell:
    """Views of what one layer holds at one row, each (batch, ...).

    Parameters
    ----------
    gates
        (batch, 4 hidden), sorted as input, forget, output, candidate; going back their gradients
        take their place.
    read
        (batch, below + hidden): the layer below, or the last output for the bottom one, and the
        layer's own last state. One matrix product serves both.
    following
        `read` of the next row.
    last_cell, cell
        C of the last row and of this one.
    squashed
        tanh(C).
    """

    __slots__ = (
        "below", "candidate", "cell", "gates", "into", "kept", "last_cell", "opened", "out",
        "read", "squashed", "state",
    )  # fmt: skip

    def __init__(
        self,
        gates: Tensor,
        read: Tensor,
        following: Tensor,
        last_cell: Tensor,
        cell: Tensor,
        squashed: Tensor,
    ) -> None:
        hidden = cell.shape[1]
        self.gates, self.read, self.last_cell, self.cell = gates, read, last_cell, cell
        self.squashed = squashed
        self.into, self.kept, self.out, self.candidate = gates.split(hidden, 1)
        self.opened = gates[:, : 3 * hidden]
        self.below, self.state = read[:, :-hidden], following[:, -hidden:]


class _Tensors:
    """What one pass writes."""

    def __init__(
        self, like: Tensor, n_rows: int, batch: int, n_inputs: tuple[int, ...], hidden: int
    ) -> None:
        n_layers = len(n_inputs)
        self.gates = [like.new_empty(n_rows, batch, 4 * hidden) for _ in n_inputs]
        self.reads = [like.new_zeros(n_rows + 1, batch, n) for n in n_inputs]
        cells = like.new_zeros(n_layers, n_rows + 1, batch, hidden)
        squashed = like.new_empty(n_layers, n_rows, batch, hidden)
        self.cells = [
            [
                _Cell(
                    self.gates[layer][row],
                    self.reads[layer][row],
                    self.reads[layer][row + 1],
                    cells[layer, row],
                    cells[layer, row + 1],
                    squashed[layer, row],
                )
                for layer in range(n_layers)
            ]
            for row in range(n_rows)
        ]
        """By row and layer. Nothing writes what the first row reads: zeros."""
        self.drawn = [read[:, :-hidden] for read in self.reads[0][1:]]
        """Output of each row, for the bottom layer to read."""


class _Memory:
    """Keep the tensors of a pass for the next one of the same shape.

    They are some 60 MB at hidden size 128 and batch 100. To ask the system for fresh ones at each
    step takes longer than the matrix products.
    """

    def __init__(self) -> None:
        self._free: list[tuple[Any, _Tensors]] = []

    def take(self, like: Tensor, *shape: Any) -> tuple[Any, _Tensors]:
        """Return tensors that nobody else holds."""
        key = (*shape, like.dtype, like.device)
        while self._free:
            found = self._free.pop()
            if found[0] == key:
                return found
        return key, _Tensors(like, *shape)

    def give_back(self, tensors: tuple[Any, _Tensors]) -> None:
        """Let the next pass have them."""
        self._free = [tensors]

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Memory":
        return _Memory()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Memory, ()


class _RowLoop(torch.autograd.Function):
    """All that happens row after row.

    What does not depend on the row before is multiplied for all rows at once. Going back, the loop
    finds the gradients of the gates; those of the weights follow in one product per layer over all
    rows. tanh is computed from the sigmoid, which takes a fifth of the time.
    """

    @staticmethod
    def forward(
        ctx: Any,
        memory: _Memory,
        keeps: bool,
        rows: Tensor,
        code: Tensor,
        of_output: Tensor,
        output_bias: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        n_layers = len(parameters) // 2
        weights, biases = parameters[:n_layers], parameters[n_layers:]
        batch, n_rows, n_values = rows.shape
        hidden, n_known = len(biases[0]) // 4, n_values + code.shape[1]
        n_inputs = tuple(weight.shape[1] - n_known * (not n) for n, weight in enumerate(weights))
        held = memory.take(rows, n_rows, batch, n_inputs, hidden)
        tensors = held[1]
        rows = rows.transpose(0, 1).contiguous()  # (row, batch, value)
        factor = rows.new_ones(4 * hidden)
        factor[3 * hidden :] = 2  # tanh(x) = 2 sigmoid(2 x) - 1
        scaled = [weight.t() * factor for weight in weights]
        offsets: list[Tensor] = [bias * factor for bias in biases]
        drive = tensors.gates[0].flatten(0, 1)
        torch.mm(rows.flatten(0, 1), scaled[0][:n_values], out=drive)
        tensors.gates[0] += torch.addmm(offsets[0], code, scaled[0][n_values:n_known])
        scaled[0] = scaled[0][n_known:]
        logits = output_bias.expand(n_rows, batch, n_values).clone()
        for row, cells in enumerate(tensors.cells):
            state = None
            for layer, cell in enumerate(cells):
                if state is None:
                    cell.gates.addmm_(cell.read, scaled[0])
                else:
                    cell.below.copy_(state)
                    torch.addmm(offsets[layer], cell.read, scaled[layer], out=cell.gates)
                cell.gates.sigmoid_()
                cell.candidate.mul_(2).sub_(1)
                torch.mul(cell.kept, cell.last_cell, out=cell.cell)
                cell.cell.addcmul_(cell.into, cell.candidate)
                torch.mul(cell.cell, 2, out=cell.squashed).sigmoid_().mul_(2).sub_(1)
                state = torch.mul(cell.out, cell.squashed, out=cell.state)
            logits[row].addmm_(cells[-1].state, of_output.t())
            torch.sigmoid(logits[row], out=tensors.drawn[row])
        if keeps:
            ctx.memory, ctx.held = memory, held
            ctx.save_for_backward(rows, code, of_output, *weights)
        else:
            memory.give_back(held)
        return logits.transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.held is None:
            raise RuntimeError(
                "the gradient of a row decoder can be asked for once; it was asked for twice. "
                "Call the decoder again, or add the losses before `backward`."
            )
        rows, code, of_output, *weights = ctx.saved_tensors
        held, ctx.held = ctx.held, None
        tensors: _Tensors = held[1]
        gates, reads = tensors.gates, tensors.reads
        hidden = gates[0].shape[2] // 4
        n_values, n_known = len(of_output), len(of_output) + code.shape[1]
        looped = [weights[0][:, n_known:], *weights[1:]]
        of_logits = gradients[0].transpose(0, 1).clone(memory_format=torch.contiguous_format)
        of_reads = [torch.zeros_like(read[0]) for read in reads]
        of_belows = [of_read[:, :-hidden] for of_read in of_reads]
        of_states = [of_read[:, -hidden:] for of_read in of_reads]
        of_cells = [torch.zeros_like(of_state) for of_state in of_states]
        of_opened = torch.empty_like(tensors.cells[0][0].opened)
        of_into, of_kept, of_out = of_opened.split(hidden, 1)
        for row in reversed(range(len(of_logits))):
            of_logit = of_logits[row]
            of_logit += sigmoid_backward(of_belows[0], tensors.drawn[row])
            of_state = of_logit @ of_output
            for layer in reversed(range(len(gates))):
                cell, of_cell = tensors.cells[row][layer], of_cells[layer]
                of_state += of_states[layer]
                of_cell += tanh_backward(of_state * cell.out, cell.squashed)
                torch.mul(of_cell, cell.candidate, out=of_into)
                torch.mul(of_cell, cell.last_cell, out=of_kept)
                torch.mul(of_state, cell.squashed, out=of_out)
                tanh_backward.grad_input(
                    of_cell * cell.into, cell.candidate, grad_input=cell.candidate
                )
                of_cell *= cell.kept
                sigmoid_backward.grad_input(of_opened, cell.opened, grad_input=cell.opened)
                torch.mm(cell.gates, looped[layer], out=of_reads[layer])
                of_state = of_belows[layer]
        flat = [gate.flatten(0, 1) for gate in gates]  # gradients by now
        of_drive = gates[0].sum(0)
        of_known = flat[0].t() @ rows.flatten(0, 1), of_drive.t() @ code
        of_weights = [
            gate.t() @ read[:-1].flatten(0, 1) for gate, read in zip(flat, reads, strict=True)
        ]
        of_weights[0] = torch.cat([*of_known, of_weights[0]], 1)
        of_biases = [of_drive.sum(0), *(gate.sum(0) for gate in flat[1:])]
        of_rows = None
        if ctx.needs_input_grad[2]:
            of_rows = (gates[0] @ weights[0][:, :n_values]).transpose(0, 1)
        of_code = of_drive @ weights[0][:, n_values:n_known]
        logits, states = of_logits.flatten(0, 1), reads[-1][1:, :, -hidden:].flatten(0, 1)
        of_outputs = logits.t() @ states, logits.sum(0)
        ctx.memory.give_back(held)
        return None, None, of_rows, of_code, *of_outputs, *of_weights, *of_biases


def _sorted_gates(values: Tensor) -> Tensor:
    """Bring torch's input, forget, candidate, output to input, forget, output, candidate."""
    into, kept, candidate, out = values.chunk(4)
    return torch.cat([into, kept, out, candidate])
