import functools
from typing import NamedTuple

import pytest
import torch
from torch import nn

from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.training.batches import index_batches, tensor_batches
from phosphene.training.devices import ALONE, Devices
from phosphene.training.gan_step import GANStep
from phosphene.training.loop import TrainStep, fit
from phosphene.training.precision import PreciseStep, Precision
from phosphene.training.seeding import seeded, seeded_generator

BFLOAT16 = Precision(autocast="bfloat16")


def make_gan(**options):
    with seeded(0):
        generator = DCGANGenerator(n_noise=4, n_features=3, size=16, color=1, width=2)
        discriminator = DCGANDiscriminator(n_features=3, size=16, color=1, width=2)
    return GANStep(generator, discriminator, rng=seeded_generator(1), **options)


def make_batch(n=8):
    rng = torch.Generator().manual_seed(0)
    return torch.rand(n, 1, 16, 16, generator=rng) * 2 - 1, torch.randn(n, 3, generator=rng)


def weights(gan):
    networks = gan.generator, gan.discriminator
    return [value for network in networks for value in network.state_dict().values()]


class Twice:
    """Read a weight, replace it, and read it again."""

    devices = ALONE

    def __init__(self):
        self.network = nn.Linear(1, 1, bias=False)
        self.network.weight.data.fill_(1)
        self.parts = {"network": self.network}

    def __call__(self, batch):
        first = self.network(*batch)
        with torch.no_grad():
            self.network.weight.fill_(3)
        return {"loss": first.detach().sum(), "second": self.network(*batch).detach().sum()}


class Watched(Twice):
    """Note what the network computes with; fail if asked to."""

    def __init__(self, *, fails=False):
        super().__init__()
        self.fails, self.seen = fails, None
        self.network = nn.Sequential(nn.Linear(4, 2))
        self.network[0].register_forward_hook(self.note)
        self.parts = {"network": self.network}

    def note(self, _, __, result):
        backends = torch.backends
        flags = backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32
        self.seen = result.dtype, *flags, backends.cudnn.benchmark

    def __call__(self, batch):
        result = self.network(*batch)
        if self.fails:
            raise RuntimeError("failed")
        assert result.dtype == torch.float32
        return {"loss": result.sum()}


def test_float32_is_the_step_itself_bit_for_bit():
    bare, wrapped = make_gan(), make_gan()
    precise = PreciseStep(wrapped, Precision())
    for _ in range(2):
        expected, found = bare(make_batch()), precise(make_batch())
        assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert all(map(torch.equal, weights(bare), weights(wrapped)))


def test_bfloat16_is_computed_inside_and_float32_leaves():
    step = Watched()
    PreciseStep(step, BFLOAT16)((torch.ones(1, 4),))
    assert step.seen[0] == torch.bfloat16


def test_bfloat16_comes_near_float32_and_keeps_weights_and_moments():
    bare, wrapped = make_gan(), make_gan()
    expected, found = bare(make_batch()), PreciseStep(wrapped, BFLOAT16)(make_batch())
    for name, value in expected.items():
        assert not torch.equal(found[name], value)
        torch.testing.assert_close(found[name], value, rtol=0.03, atol=0.003)
    moments = [
        value
        for optimizer in wrapped.pair.optimizers
        for state in optimizer.state.values()
        for value in state.values()
    ]
    assert {value.dtype for value in moments} == {torch.float32}
    assert torch.bfloat16 not in {value.dtype for value in weights(wrapped)}


def test_weights_are_read_anew_after_an_update_also_inside_another_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        values = PreciseStep(Twice(), BFLOAT16)((torch.ones(1, 1),))
    assert (float(values["loss"]), float(values["second"])) == (1.0, 3.0)


@pytest.mark.parametrize("fails", [False, True])
def test_forward_and_flags_are_put_back(fails):
    step, backends = Watched(fails=fails), torch.backends
    names = list(step.network.state_dict())
    before = backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32, backends.cudnn.benchmark
    assert before == (False, True, False)  # torch's defaults
    precise = PreciseStep(step, Precision())
    if fails:
        with pytest.raises(RuntimeError, match="failed"):
            precise((torch.ones(1, 4),))
    else:
        precise((torch.ones(1, 4),))
    assert step.seen == (torch.float32, False, False, False)
    after = backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32, backends.cudnn.benchmark
    assert after == before
    assert "forward" not in step.network.__dict__
    assert list(step.network.state_dict()) == names


def test_flags_are_set_inside(monkeypatch):
    monkeypatch.setattr(Precision, "check_device", lambda *_: None)
    step = Watched()
    PreciseStep(step, Precision(tf32=True, tuned=True))((torch.ones(1, 4),))
    assert step.seen == (torch.float32, True, True, True)


def test_compiled_networks_give_the_same_updates(monkeypatch):
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=backend))
    bare, wrapped = Watched(), Watched()
    wrapped.network.load_state_dict(bare.network.state_dict())
    precise = PreciseStep(wrapped, Precision(compiled=True))
    for number in range(3):
        batch = (torch.full((2, 4), float(number)),)
        torch.testing.assert_close(precise(batch)["loss"], bare(batch)["loss"])
    assert len(graphs) == 1  # compiled once, not at each call


def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path):
    batches = tensor_batches(make_batch(30), index_batches(30, batch_size=8, seed=0))
    whole, resumed = make_gan(), make_gan()
    assert isinstance(PreciseStep(whole, BFLOAT16), TrainStep)
    fit(PreciseStep(whole, BFLOAT16), batches, n_steps=5)
    fit(PreciseStep(make_gan(), BFLOAT16), batches, n_steps=3, checkpoints=tmp_path)
    fit(PreciseStep(resumed, BFLOAT16), batches, n_steps=5, checkpoints=tmp_path, resume=True)
    assert all(map(torch.equal, weights(whole), weights(resumed)))


def test_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match=r"'bfloat16', 'none'; got 'bfloat'. Did you mean 'bfloat"):
        Precision(autocast="bfloat")


@pytest.mark.parametrize("name", ["tf32", "tuned"])
def test_settings_of_gpus_are_refused_on_a_cpu(name):
    with pytest.raises(ValueError, match=f"`{name}` must go with a CUDA device; got cpu"):
        PreciseStep(Twice(), Precision(**{name: True}))


@pytest.mark.parametrize("precision", [Precision(tf32=True), BFLOAT16], ids=["tf32", "bfloat16"])
def test_old_gpus_are_refused(monkeypatch, precision):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    with pytest.raises(ValueError, match=r"8\.0 or more; got 7\.5"):
        precision.check_device(torch.device("cuda"))
    Precision(tuned=True).check_device(torch.device("cuda"))


def test_compiling_is_refused_for_several_processes():
    step = Twice()
    step.devices = Devices()
    step.devices.n = 2
    with pytest.raises(ValueError, match=r"`compiled` must go with one process.* got 2"):
        PreciseStep(step, Precision(compiled=True))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "precision",
    [Precision(), Precision(tf32=True, tuned=True), BFLOAT16, Precision(compiled=True)],
    ids=["float32", "tf32", "bfloat16", "compiled"],
)
def test_a_gpu_comes_near_the_cpu(precision):
    bare = make_gan()
    with seeded(0):
        networks = (
            DCGANGenerator(n_noise=4, n_features=3, size=16, color=1, width=2).cuda(),
            DCGANDiscriminator(n_features=3, size=16, color=1, width=2).cuda(),
        )
    # A generator of the CPU draws the same there.
    step = GANStep(*networks, rng=seeded_generator(1))
    expected, found = bare(make_batch()), PreciseStep(step, precision)(make_batch())
    for name, value in expected.items():
        torch.testing.assert_close(found[name].cpu(), value, rtol=0.03, atol=0.003)


class Judged(NamedTuple):
    """What a discriminator with an optional head returns."""

    logit: torch.Tensor
    class_logits: torch.Tensor | None


class TwoHeads(nn.Module):
    """Returns a named tuple."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1)

    def forward(self, values):
        return Judged(self.linear(values), None)


def test_networks_that_return_several_values_keep_their_names_in_full_precision():
    class Step(Watched):
        def __init__(self):
            super().__init__()
            self.network = TwoHeads()
            self.parts = {"network": self.network}

        def __call__(self, batch):
            found = self.network(*batch)
            assert isinstance(found, Judged)
            assert found.class_logits is None
            assert found.logit.dtype == torch.float32
            return {"loss": found.logit.sum().detach()}

    values = PreciseStep(Step(), BFLOAT16)((torch.randn(3, 4),))
    assert torch.isfinite(values["loss"])
