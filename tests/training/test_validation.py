from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from phosphene.training.devices import ALONE
from phosphene.training.loop import fit
from phosphene.training.validation import BestWeights, ValidatedStep


@dataclass
class Count:
    """Adds one to a weight with each step."""

    network: torch.nn.Linear = field(default_factory=lambda: torch.nn.Linear(1, 1, bias=False))
    devices: Any = ALONE

    def __post_init__(self):
        torch.nn.init.zeros_(self.network.weight)
        self.parts = {"network": self.network}

    def __call__(self, batch):
        with torch.no_grad():
            self.network.weight += 1
        return {"loss": torch.zeros(())}

    @property
    def value(self):
        return float(self.network.weight.detach())


def validated(values, *, every=2):
    """A step whose measure is read from a table by the weight."""
    step = Count()
    return ValidatedStep(
        step, networks=("network",), measure=lambda: values[step.value], every=every
    )


def batches(step):
    return ()


MEASURES = {2.0: 0.25, 4.0: 0.75, 6.0: 0.75, 8.0: 0.5}


def test_keeps_the_first_weights_of_the_highest_measure():
    step = validated(MEASURES)
    records = []
    fit(step, batches, n_steps=8, log=records.append, log_every=2)
    assert [record["validation accuracy"] for record in records] == [0.25, 0.75, 0.75, 0.5]
    assert step.step.value == 8
    assert step.load_best() == 4
    assert step.step.value == 4


@pytest.mark.parametrize("stop", [1, 4, 5])
def test_a_resumed_training_keeps_the_same(tmp_path, stop):
    def train(n_steps):
        step = validated(MEASURES)
        fit(step, batches, n_steps=n_steps, checkpoints=tmp_path, resume=True)
        return step

    train(stop)
    step = train(8)
    assert step.best.n_steps == 8
    assert step.load_best() == 4
    assert step.step.value == 4


def test_nothing_measured_keeps_the_last_weights():
    step = validated(MEASURES, every=100)
    fit(step, batches, n_steps=3)
    assert step.load_best() == 0
    assert step.step.value == 3


def test_kept_weights_do_not_change_with_the_network():
    network = torch.nn.Linear(1, 1)
    best = BestWeights()
    best.offer(1.0, {"net": network})
    kept = best.weights["net"]["weight"].clone()
    torch.nn.init.constant_(network.weight, 100.0)
    torch.testing.assert_close(best.weights["net"]["weight"], kept)


def test_refuses_to_measure_never():
    with pytest.raises(ValueError, match="`every` must be at least 1"):
        validated(MEASURES, every=0)
