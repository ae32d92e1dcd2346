"""Choosing a checkpoint on validation trials."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from phosphene._checks import check_at_least
from phosphene.training.loop import TrainStep


class ValidatedStep:
    """A step that keeps the weights with which a measure on validation trials was highest.

    The measure is taken after every `every`-th step; of equal values the first one's weights stay.
    Those weights are among the parts, so that a resumed training ends with the same.

    Parameters
    ----------
    step
        What updates the networks.
    networks
        Names of the parts whose weights are kept.
    measure
        Returns the value to be high, on trials that neither train nor test.
    every
        Steps between measures.
    """

    def __init__(
        self,
        step: TrainStep,
        *,
        networks: tuple[str, ...],
        measure: Callable[[], float],
        every: int,
    ) -> None:
        check_at_least("every", every, 1)
        self.step, self.networks, self.measure, self.every = step, networks, measure, every
        self.devices = step.devices
        self.best = BestWeights()
        self.parts: dict[str, Any] = {**step.parts, "best": self.best}

    def __call__(self, batch: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
        """Update, measure when it is time, and return what the step logs."""
        values = dict(self.step(batch))
        self.best.n_steps += 1
        if self.best.n_steps % self.every == 0:
            value = self.measure()
            self.best.offer(value, {name: self.parts[name] for name in self.networks})
            values["validation accuracy"] = torch.tensor(value)
        return values

    def load_best(self) -> int:
        """Put the kept weights into the networks; return the step they are of, 0 without any."""
        for name, state in self.best.weights.items():
            self.parts[name].load_state_dict(state)
        return self.best.step


class BestWeights:
    """The weights that measured best so far, and how many steps were taken."""

    def __init__(self) -> None:
        self.n_steps, self.step, self.value = 0, 0, float("-inf")
        self.weights: dict[str, dict[str, Tensor]] = {}

    def offer(self, value: float, networks: Mapping[str, Any]) -> None:
        """Keep a copy of the networks' weights if the value is the highest."""
        if value > self.value:
            self.step, self.value = self.n_steps, value
            self.weights = {
                name: {key: tensor.detach().clone() for key, tensor in net.state_dict().items()}
                for name, net in networks.items()
            }

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        vars(self).update(state)
