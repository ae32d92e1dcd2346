"""Arithmetic of a train step: TF32, bfloat16, compiled networks; the step itself stays as it is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from phosphene._checks import check_option
from phosphene.training.devices import Devices
from phosphene.training.loop import TrainStep

AUTOCASTS = ("none", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How the networks of a step compute; by default in float32 and nothing less.

    float16, which needs its losses scaled, is left out. So are weights in channels_last: Adam's
    fused form adds up wrong numbers where moments from a checkpoint lie in another order.
    """

    autocast: str = "none"
    """"bfloat16": convolutions and matrix products in 8 bits of mantissa, with weights, moments,
    losses and what enters and leaves a network in float32. "none": all in float32."""
    tf32: bool = False
    """Round what float32 convolutions and matrix products multiply to 10 bits of mantissa, on GPUs
    since Ampere. torch's own default does so in convolutions alone; off means off in both."""
    tuned: bool = False
    """Let cuDNN time its algorithms for each new shape and keep the fastest. Which one that is may
    differ between runs, and so do their last digits."""
    compiled: bool = False
    """Fuse the networks' operations by `torch.compile`: a minute before the first step. Such
    networks cannot be differentiated twice, so a slope penalty (R1) fails."""

    def __post_init__(self) -> None:
        check_option("autocast", self.autocast, AUTOCASTS)

    def check_device(self, device: torch.device) -> None:
        """Refuse a device without the units that these settings need.

        Raises
        ------
        ValueError
            On a CPU for `tf32` and `tuned`, on GPUs before Ampere for `tf32` and bfloat16.
        """
        for name, wanted in (("tf32", self.tf32), ("tuned", self.tuned)):
            if wanted and device.type != "cuda":
                raise ValueError(
                    f"`{name}` must go with a CUDA device; got {device}. Set `{name}` to False."
                )
        if device.type != "cuda" or not (self.tf32 or self.autocast == "bfloat16"):
            return
        major, minor = torch.cuda.get_device_capability(device)
        if major < 8:
            raise ValueError(
                "`tf32` and bfloat16 need a GPU of compute capability 8.0 or more; got "
                f"{major}.{minor}. Compute in float32."
            )


class PreciseStep:
    """A train step whose networks compute with other settings.

    Each call exchanges the `forward` of the networks among the step's parts, as `Devices.joined`
    does, and torch's flags, and puts both back. Weights, optimisers, draws and losses are the
    step's own and stay float32, so checkpoints are those of the step and may be resumed with other
    settings. A frozen network that is no part of the step, such as a guide, computes in float32.

    Parameters
    ----------
    step
        Step with its networks on the device where they train. Each network returns a
        tensor, or a named tuple of tensors and None.
    precision
        Settings.

    Raises
    ------
    ValueError
        If the device lacks what the settings need, or networks are to be compiled whose batch norms
        exchange messages with other processes.
    """

    def __init__(self, step: TrainStep, precision: Precision) -> None:
        self.step, self.precision = step, precision
        self._networks = [part for part in step.parts.values() if isinstance(part, nn.Module)]
        device = next(self._networks[0].parameters()).device
        precision.check_device(device)
        if precision.compiled and step.devices.n > 1:
            raise ValueError(
                f"`compiled` must go with one process, as batch norms of several exchange messages;"
                f" got {step.devices.n}. Set `compiled` to False."
            )
        # Made once: a new function at each call would be compiled anew.
        self._forwards = [_forward(network, precision, device) for network in self._networks]

    @property
    def devices(self) -> Devices:
        """The processes that train together."""
        return self.step.devices

    @property
    def parts(self) -> Mapping[str, Any]:
        """What changes from step to step: all of it the step's own."""
        return self.step.parts

    def __call__(self, batch: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
        """Make the step's update with these settings."""
        with _flags(self.precision), self._exchanged():
            return self.step(batch)

    @contextmanager
    def _exchanged(self) -> Iterator[None]:
        try:
            for network, forward in zip(self._networks, self._forwards, strict=True):
                network.forward = forward
            yield
        finally:
            for network in self._networks:
                network.__dict__.pop("forward", None)


def _forward(network: nn.Module, precision: Precision, device: torch.device) -> Callable[..., Any]:
    """Return the network's own `forward` with the settings that act inside it."""
    forward = network.forward
    if precision.autocast == "bfloat16":
        full = forward

        def forward(*inputs: Tensor) -> Any:
            # Autocast would keep rounded weights to the end of its outermost scope, over updates.
            with torch.autocast(device.type, torch.bfloat16, cache_enabled=False):
                result = full(*inputs)
            if isinstance(result, tuple):  # a named one, where some values may be missing
                return type(result)(*(v if v is None else v.float() for v in result))  # pyright: ignore[reportArgumentType]
            return result.float()

    return torch.compile(forward) if precision.compiled else forward


@contextmanager
def _flags(precision: Precision) -> Iterator[None]:
    """Set torch's flags inside the scope.

    By their older names: torch 2.9 and 2.10 do not compile after the newer ones (`fp32_precision`)
    were set, and no version lets both be mixed.
    """
    matmul: Any = torch.backends.cuda.matmul
    cudnn: Any = torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    matmul.allow_tf32 = cudnn.allow_tf32 = precision.tf32
    cudnn.benchmark = precision.tuned
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before
