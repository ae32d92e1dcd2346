"""What a recipe that restores pictures brings to the common experiment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from phosphene.experiment.restoration.pictures import Pictures
from phosphene.training.devices import Devices


@runtime_checkable
class Restoring(Protocol):
    """A train step that ends in a network from corrupted to restored pictures."""

    devices: Devices

    @property
    def parts(self) -> Mapping[str, Any]:
        """All that changes from step to step; "network" is the one that is trained."""
        ...

    @property
    def sampler(self) -> nn.Module:
        """The network to restore with, in evaluation mode."""
        ...

    def __call__(self, batch: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
        """Update on (clean pictures,), which it corrupts itself."""
        ...


@runtime_checkable
class Make(Protocol):
    """Builds a system's network and train step."""

    def __call__(self, pictures: Pictures, *, lr: float, seed: int, n_steps: int) -> Restoring:
        """Build from pictures, learning rate, seed, and the iterations that are planned."""
        ...


@dataclass(frozen=True, kw_only=True)
class SystemPlan:
    """One way of restoring pictures."""

    name: str
    """As in the tables: "CNN-LSTM"."""
    spec: Callable[[Pictures], dict[str, Any]]
    """What `build_network` needs to build the network."""
    make: Make
    """Builds network and train step."""


@dataclass(frozen=True, kw_only=True)
class RestorationPlan:
    """The parts of an experiment on restoration that are a recipe's own."""

    recipe: str
    citation: str
    systems: tuple[SystemPlan, ...]
    """In the order of the tables. The last one is the recipe's own: it is given away as a bundle,
    and the others are compared with it."""

    @property
    def main(self) -> SystemPlan:
        """The system whose bundle a run leaves."""
        return self.systems[-1]
