"""The processes that train one model together, each on its rows of every batch."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

Value = TypeVar("Value")

_PATIENCE = timedelta(days=1)
"""How long processes wait for the first one, which scores and reports alone."""


class Devices:
    """One process, or several that together do exactly what one would do.

    Every process makes the whole batch and draws all random numbers for it, so that generators stay
    equal everywhere, and keeps its own rows of both. What a loss takes from the whole batch is
    summed or gathered with gradients. Gradients are then averaged, therefore:

    - a mean over samples is taken over the process' own rows;
    - a loss of the whole batch is computed by every process from gathered values.

    Weights stay equal bit for bit on all processes, and equal those of one process up to rounding.

    Parameters
    ----------
    fabric
        A launched `lightning_fabric.Fabric`; None stands for a single process.
    """

    def __init__(self, fabric: Any = None) -> None:
        self._fabric = fabric
        self.n: int = 1 if fabric is None else fabric.world_size
        self.rank: int = 0 if fabric is None else fabric.global_rank

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files, scores and reports."""
        return self.rank == 0

    def rows(self, whole: Tensor) -> Tensor:
        """Return this process' rows of a tensor for the whole batch."""
        if self.n == 1:
            return whole
        check_divisible("a batch", len(whole), self.n)
        return whole.chunk(self.n)[self.rank]

    def gather(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes, in order; gradients find their way back."""
        if self.n == 1:
            return rows
        before = self.rank * len(rows)
        after = (self.n - 1) * len(rows) - before
        around = (0, 0) * (rows.ndim - 1) + (before, after)
        return self._sum(F.pad(rows, around))  # the others add zeros: exact

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of what each process holds, with gradients."""
        return value if self.n == 1 else self._sum(value) / self.n

    def mean_values(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return numbers averaged over the processes."""
        if self.n == 1:
            return dict(values)
        means = self.mean(torch.tensor(list(values.values()), dtype=torch.float64))
        return dict(zip(values, means.tolist(), strict=True))

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their mean over the processes, in one message."""
        if self.n == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        means = self.mean(torch.cat([gradient.flatten() for gradient in gradients]))
        parts = means.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))

    def agree(self, value: Value) -> Value:
        """Return the first process' value on all of them."""
        if self.n == 1:
            return value
        with _explained():
            return self._fabric.broadcast(value)

    def check_same_data(self, data_hash: str) -> None:
        """Refuse, on a process that is not the first, other data than the first one has."""
        first = self.agree(data_hash)
        if first != data_hash:
            raise ValueError(
                f"all processes must train on the same data; the first one's have the hash {first},"
                f" those here {data_hash}. Copy its data set folder to this machine."
            )

    @contextmanager
    def joined(self, networks: Iterable[nn.Module]) -> Iterator[None]:
        """Let batch norms see the whole batch, and dropouts draw for it, inside the scope.

        Only their `forward` is exchanged, so that weights and statistics keep their names.
        torch's own `SyncBatchNorm` runs on GPUs alone.
        """
        changed: list[nn.Module] = []
        if self.n > 1:
            for module in (module for network in networks for module in network.modules()):
                if isinstance(module, _BatchNorm):
                    module.forward = partial(  # pyright: ignore[reportAttributeAccessIssue]
                        _normalize, module, self, module.forward
                    )
                elif isinstance(module, _DropoutNd):
                    module.forward = partial(  # pyright: ignore[reportAttributeAccessIssue]
                        _drop, module, self, module.forward
                    )
                else:
                    continue
                changed.append(module)
        try:
            yield
        finally:
            for module in changed:
                del module.forward

    def _sum(self, value: Tensor) -> Tensor:
        return _Sum.apply(value, self._fabric)  # pyright: ignore[reportReturnType]


ALONE = Devices()
"""A single process."""


def launch_devices(n: int) -> Devices:
    """Return n processes on the CPU that run the same command, this one among them.

    Under torchrun or srun the processes are there already. Elsewhere this one starts the others,
    each with the words that it was started with itself (`sys.argv`).

    Parameters
    ----------
    n
        Processes on all machines together.

    Raises
    ------
    ValueError
        If torchrun or srun started another number.
    """
    launcher, started, n_machines = _started_processes(os.environ)
    if launcher and started != n:
        raise ValueError(
            f"`--devices` must be the number of processes that {launcher} started, {started}; got "
            f"{n}. Add --devices {started}."
        )
    if n == 1:
        return ALONE
    # Imported here, because it takes seconds.
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    environments = {"torchrun": TorchElasticEnvironment, "srun": SLURMEnvironment}
    environment = environments.get(launcher, LightningEnvironment)()
    fabric = Fabric(
        accelerator="cpu",
        devices=n // n_machines,
        num_nodes=n_machines,
        strategy=DDPStrategy(cluster_environment=environment, timeout=_PATIENCE),
    )
    with _explained():
        fabric.launch()
    return Devices(fabric)


def check_divisible(what: str, size: int, n: int) -> None:
    """Refuse a batch whose rows cannot be divided evenly among n processes."""
    if size % n:
        counts = [str(count) for count in range(2, min(size, 64) + 1) if size % count == 0]
        raise ValueError(
            f"{what} must divide evenly among the devices; got {size} rows for {n} devices. "
            f"Take {', '.join(counts)} devices, or another batch size."
        )


class _Sum(torch.autograd.Function):
    """Sum over processes. Each one's value adds to every sum, so gradients are summed likewise."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, fabric: Any) -> Tensor:
        ctx.fabric = fabric
        with _explained():
            return fabric.all_reduce(value.clone(), reduce_op="sum")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        return _Sum.apply(gradient.contiguous(), ctx.fabric), None  # pyright: ignore


def _normalize(
    norm: _BatchNorm, devices: Devices, alone: Callable[[Tensor], Tensor], values: Tensor
) -> Tensor:
    """Normalise by the mean and variance over the rows of all processes."""
    if not norm.training:
        return alone(values)
    axes = [0, *range(2, values.ndim)]
    shape = [1, -1] + [1] * (values.ndim - 2)
    variance, mean = torch.var_mean(values, axes, correction=0)
    parts = devices.gather(torch.stack([mean, variance]).unsqueeze(0))  # (process, 2, plane)
    mean = parts[:, 0].mean(0)
    variance = parts[:, 1].mean(0) + parts[:, 0].var(0, correction=0)
    with torch.no_grad():
        n = devices.n * values.numel() // values.shape[1]
        norm.num_batches_tracked.add_(1)  # pyright: ignore
        norm.running_mean.lerp_(mean, norm.momentum)  # pyright: ignore
        norm.running_var.lerp_(variance * (n / (n - 1)), norm.momentum)  # pyright: ignore
    scale = (variance + norm.eps).rsqrt() * norm.weight
    return (values - mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)


def _drop(
    dropout: _DropoutNd, devices: Devices, alone: Callable[[Tensor], Tensor], values: Tensor
) -> Tensor:
    """Drop what one process would drop of these rows in the whole batch."""
    if not dropout.training:
        return values
    shape = (devices.n * len(values), *values.shape[1:])
    ones = values.new_empty_strided(shape, values.stride()).fill_(1)  # draws follow the memory
    return values * devices.rows(alone(ones))


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the messages between processes fail with into one sentence."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError(
            "all processes must go on to the end; another one is gone. What it wrote last says "
            "why; with --resume the run continues."
        ) from error


def _started_processes(environment: Mapping[str, str]) -> tuple[str, int, int]:
    """Return who started this process with others, how many there are, and on how many machines."""
    if "TORCHELASTIC_RUN_ID" in environment:
        n = int(environment["WORLD_SIZE"])
        return "torchrun", n, n // int(environment["LOCAL_WORLD_SIZE"])
    if "SLURM_STEP_ID" in environment and int(environment.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        n = int(environment["SLURM_STEP_NUM_TASKS"])
        return "srun", n, int(environment["SLURM_STEP_NUM_NODES"])
    return "", 1, 1
