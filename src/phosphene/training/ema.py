"""Exponential moving average of a network's weights."""

import copy
from typing import Any

import torch
from torch import nn


class EMA:
    """Follow a network with an average of its past weights.

    The average starts fast and slows down to `decay`: after n updates the weight of the past is
    min(decay, (1 + n) / (10 + n)). Running statistics of batch norms are averaged likewise, other
    buffers copied. The averaged network stays in evaluation mode.

    Parameters
    ----------
    module
        Network to follow; a copy is made.
    decay
        Weight of the past at each update.
    """

    def __init__(self, module: nn.Module, *, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"`decay` must lie in [0, 1); got {decay}. Try 0.999.")
        self.decay, self.n_updates = decay, 0
        self.module = copy.deepcopy(module).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the current weights of the network."""
        self.n_updates += 1
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        averaged, current = self.module.state_dict(), module.state_dict()
        for name, value in current.items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - decay)
            else:
                averaged[name].copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Return the averaged weights and the number of updates."""
        return {"module": self.module.state_dict(), "n_updates": self.n_updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` returned."""
        self.module.load_state_dict(state["module"])
        self.n_updates = state["n_updates"]
