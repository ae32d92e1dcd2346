import pytest
import torch
from torch import nn

from phosphene.models.generators.lfp_flow import LFPFlow, VelocityNetwork, integrate
from phosphene.training.batches import index_batches, tensor_batches
from phosphene.training.flow_step import FlowStep
from phosphene.training.loop import TrainStep, fit
from phosphene.training.seeding import seeded, seeded_generator

EVERYTHING = {
    "weight_decay": 0.1,
    "condition_jitter": 0.2,
    "ema_decay": 0.9,
    "schedule": "cosine",
    "n_steps": 6,
    "n_warmup": 2,
}


class Points(nn.Module):
    """A generator of the points themselves; a picture's condition is its brightness."""

    def __init__(self, n_values=2, n_condition=0, **options):
        super().__init__()
        options = {"width": 32, "n_blocks": 1, "dropout": 0.0, **options}
        with seeded(0):
            self.flow = VelocityNetwork(n_values, n_condition, **options)
        self.asked = []

    def condition(self, pictures, index=None, *, n):
        if pictures is None:
            return torch.zeros(n, 0)
        self.asked.append(len(pictures))
        known = pictures.mean((2, 3))
        return known if index is None else known[index]

    def encode(self, windows, condition):
        return windows.flatten(1)

    @torch.no_grad()
    def draw(self, n, condition=None, seed=0):
        start = torch.randn(n, self.flow.n_values, generator=torch.Generator().manual_seed(seed))
        condition = torch.zeros(n, 0) if condition is None else condition
        return integrate(lambda x, time: self.flow(x, time, condition), start, n_steps=16)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_learns_to_shift_and_scale_a_gaussian():
    centre, spread = torch.tensor([1.5, -0.5]), torch.tensor([0.4, 1.6])
    points = centre + spread * normal(2048, 2)
    step = FlowStep(Points(), rng=seeded_generator(0), lr=2e-2, schedule="cosine", n_steps=120)
    fit(step, tensor_batches((points,), index_batches(2048, batch_size=256, seed=0)), n_steps=120)
    drawn = step.sampler.draw(4000, seed=5)
    torch.testing.assert_close(drawn.mean(0), centre, atol=0.12, rtol=0)
    torch.testing.assert_close(drawn.std(0), spread, atol=0.12, rtol=0)


def test_learns_what_a_picture_changes():
    """Points lie where the picture's brightness says."""
    pictures = torch.tensor([-1.0, 1.0])[:, None, None, None].expand(2, 1, 4, 4)
    index = torch.arange(512) % 2
    points = 1.5 * (2 * index - 1.0)[:, None] + 0.3 * normal(512, 1)
    step = FlowStep(Points(1, 1), rng=seeded_generator(0), lr=1e-2)
    for _ in range(80):
        step((points, pictures, index))
    for picture, centre in enumerate((-1.5, 1.5)):
        drawn = step.sampler.draw(500, condition=pictures[picture, :, 0, :1].expand(500, 1))
        assert float(drawn.mean()) == pytest.approx(centre, abs=0.25)
        assert float(drawn.std()) < 0.6


def test_the_loss_is_that_of_the_velocity_on_the_line():
    step = FlowStep(Points(3), rng=seeded_generator(1))
    ends = normal(64, 3)
    rng = seeded_generator(1)
    starts, times = torch.randn(64, 3, generator=rng), torch.rand(64, generator=rng)
    points = (1 - times[:, None]) * starts + times[:, None] * ends
    with torch.no_grad():
        found = step.generator.flow(points, times, torch.zeros(64, 0))
    expected = (found - (ends - starts)).square().mean()
    torch.testing.assert_close(step((ends,))["loss"], expected)


def test_each_picture_is_described_once_and_alone():
    step = FlowStep(Points(1, 1), rng=seeded_generator(0))
    pictures = normal(3, 1, 4, 4)
    index = torch.tensor([2, 0, 1, 2])
    for _ in range(2):
        step((normal(4, 1), pictures, index))
    assert step.generator.asked == [1, 1, 1]
    _, condition = step._describe(normal(4, 1), pictures, index)
    torch.testing.assert_close(condition, pictures.mean((2, 3))[index])


def make_small(**options):
    with seeded(0):
        generator = LFPFlow(
            3, 20, n_patterns=2, n_components=5, n_flow=4, width=8, n_blocks=2, dropout=0.1
        )
        generator.components.copy_(torch.randn(5, 3, 20))
        generator.readout.normal_()
    generator.scale.fill_(1.0)
    generator.feature_sd.fill_(1.0)
    return FlowStep(generator, rng=seeded_generator(1), **options)


def small_batches():
    pictures = normal(2, 1, 54, 69).tanh()
    order = index_batches(12, batch_size=6, seed=0)
    windows = normal(12, 3, 20)
    return lambda step: (windows[order(step)], pictures, order(step) % 2)


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["plain", "everything"])
def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path, options):
    whole = make_small(**options)
    assert isinstance(whole, TrainStep)
    fit(whole, small_batches(), n_steps=6)
    fit(make_small(**options), small_batches(), n_steps=3, checkpoints=tmp_path)
    resumed = make_small(**options)
    fit(resumed, small_batches(), n_steps=6, checkpoints=tmp_path, resume=True)
    for name, value in resumed.sampler.state_dict().items():
        assert torch.equal(value, whole.sampler.state_dict()[name]), name


def test_only_the_flow_changes():
    step = make_small(lr=0.1, ema_decay=0.5)
    before = {name: value.clone() for name, value in step.generator.state_dict().items()}
    for number in range(2):
        step(small_batches()(number))
    for state in (step.generator.state_dict(), step.sampler.state_dict()):
        changed = {name for name, value in state.items() if not torch.equal(value, before[name])}
        assert changed
        assert all(name.startswith("flow.") for name in changed)
    assert not step.sampler.training


@pytest.mark.parametrize(
    "options", [{"lr": 0.0}, {"weight_decay": -1.0}, {"condition_jitter": -0.1}]
)
def test_refuses_values_that_cannot_be_trained_with(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        FlowStep(Points(), rng=seeded_generator(0), **options)
