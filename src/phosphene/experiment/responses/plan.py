"""What a recipe from pictures to signals brings to the common experiment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from phosphene.experiment.responses.session import Session
from phosphene.training.devices import Devices


@runtime_checkable
class GeneratorStep(Protocol):
    """A train step that ends in a generator of windows."""

    devices: Devices

    @property
    def parts(self) -> Mapping[str, Any]:
        """All that changes from step to step."""
        ...

    @property
    def sampler(self) -> nn.Module:
        """The generator to draw with, in evaluation mode."""
        ...

    def __call__(self, batch: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
        """Update on (windows, pictures, index of each window's picture)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Autoencoders that were trained before; None for a system that does without."""

    signals: nn.Module | None = None
    """Of windows, with `encoder` and `decoder`."""
    pictures: nn.Module | None = None
    """Of pictures, with `encoder`."""


@dataclass(frozen=True, kw_only=True)
class SystemPlan:
    """One way of making windows from pictures."""

    name: str
    """As in the tables: "pre-trained GAN"."""
    pretrained: bool
    """Whether it begins with the weights of the autoencoders."""
    uses_pictures: bool
    """Whether its windows depend on the picture."""
    n_steps: int
    """Steps of its training, one batch each."""
    spec: Callable[[Session], dict[str, Any]]
    """What `build_network` needs to build the generator."""
    make: Callable[[Session, Pretrained, int], GeneratorStep]
    """Builds networks and train step from session, autoencoders and seed."""


@dataclass(frozen=True, kw_only=True)
class ResponsePlan:
    """The parts of an experiment from pictures to signals that are a recipe's own."""

    recipe: str
    citation: str
    signal_autoencoder: Callable[[Session], nn.Module] | None
    """Builds the autoencoder of windows; None where no system begins with one."""
    picture_autoencoder: Callable[[Session], nn.Module] | None
    """Builds that of pictures."""
    autoencoder_lr: float
    """Adam step of both."""
    autoencoder_betas: tuple[float, float]
    """Adam's averages for both."""
    systems: tuple[SystemPlan, ...]
    """In the order of the tables; the last one that uses pictures is given away as a bundle."""

    @property
    def main(self) -> SystemPlan | None:
        """The system whose bundle a run leaves."""
        with_pictures = [system for system in self.systems if system.uses_pictures]
        return (with_pictures or list(self.systems) or [None])[-1]
