import pytest
import torch
from torch import nn

from phosphene.models.autoencoders.lfp_picture import SMALL_SIZE, LFPPictureEncoder
from phosphene.models.autoencoders.lfp_signal import SignalDecoder, SignalEncoder
from phosphene.models.discriminators.lfpgan import Combination, LFPCritic
from phosphene.models.generators.lfpgan import LFPGenerator, RandomInput
from phosphene.training.batches import index_batches, tensor_batches
from phosphene.training.loop import TrainStep, fit
from phosphene.training.seeding import seeded, seeded_generator
from phosphene.training.wgan_step import WGANStep, paired_batches

THESIS = {"n_critic": 2}
LITERAL = {"n_critic": 1, "penalty": "literal"}
EVERYTHING = {
    "n_critic": 2,
    "distance_weighted": False,
    "drift": 1e-3,
    "ema_decay": 0.9,
    "schedule": "cosine",
    "n_steps": 4,
    "n_warmup": 2,
}


def make_step(*, pictures=False, **options):
    """The thesis' networks; without pictures for shorter windows of few channels."""
    n_chans, n_times = (2, 313) if pictures else (2, 292)
    with seeded(0):
        encoders = [LFPPictureEncoder(SMALL_SIZE) if pictures else None for _ in range(2)]
        random_input = RandomInput(n_times, n_out=8 if pictures else 10)
        generator = LFPGenerator(SignalDecoder(n_chans, n_times), random_input, encoders[0])
        combination = Combination(12 if pictures else 10, n_latent=n_times - 198)
        critic = LFPCritic(SignalEncoder(n_chans, n_times), combination, encoders[1])
    return WGANStep(generator, critic, rng=seeded_generator(1), **options)


def make_signals(n=8, n_times=292):
    times = torch.arange(n_times) / 40
    rng = torch.Generator().manual_seed(0)
    phase = 6 * torch.rand(n, 1, 1, generator=rng)
    signals = (times + phase + torch.arange(2)[:, None]).sin()
    return nn.functional.layer_norm(signals, (2, n_times))


def make_pictures(n=3):
    return torch.rand(n, 1, *SMALL_SIZE, generator=torch.Generator().manual_seed(2)) * 2 - 1


def weights_of(network):
    return {name: value.clone() for name, value in network.named_parameters()}


def moved(before, network):
    return any(not torch.equal(value, before[name]) for name, value in network.named_parameters())


@pytest.mark.parametrize(
    "options", [THESIS, LITERAL, EVERYTHING], ids=["thesis", "literal", "everything"]
)
def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path, options):
    batches = tensor_batches([make_signals(12)], index_batches(12, batch_size=4, seed=0))
    whole = make_step(**options)
    assert isinstance(whole, TrainStep)
    fit(whole, batches, n_steps=4)
    fit(make_step(**options), batches, n_steps=1, checkpoints=tmp_path)
    resumed = make_step(**options)
    fit(resumed, batches, n_steps=4, checkpoints=tmp_path, resume=True)
    for name in ("generator", "critic", "sampler"):
        expected = getattr(whole, name).state_dict()
        for key, value in getattr(resumed, name).state_dict().items():
            assert torch.equal(value, expected[key]), key


def test_the_generator_is_updated_every_n_critic_steps():
    step = make_step(n_critic=2)
    turns = []
    for _ in range(4):
        before = weights_of(step.generator), weights_of(step.critic)
        values = step((make_signals(4),))
        assert moved(before[1], step.critic)
        assert moved(before[0], step.generator) == ("loss_generator" in values)
        turns.append("loss_generator" in values)
        assert {"loss", "distance", "penalty"} <= values.keys()
    assert turns == [False, True, False, True]


def test_each_update_moves_its_own_network_alone():
    step = make_step(pictures=True)
    signals, pictures = make_signals(3, 313), make_pictures()
    fake = step.generator(step.draw_noise(3), pictures)
    before = weights_of(step.generator), weights_of(step.critic)
    step._update_critic(signals, fake.detach(), pictures, None)
    assert not moved(before[0], step.generator)
    assert moved(before[1], step.critic)
    before = weights_of(step.critic)
    step._update_generator(fake, pictures, None)
    assert not moved(before, step.critic)
    assert all(value.requires_grad for value in step.critic.parameters())


def test_the_loss_is_the_equation():
    """Eq. 2.9 from what the step logs."""
    values = make_step()((make_signals(),))
    expected = -values["distance"] + values["distance"].clamp(min=0) * 10 * values["penalty"]
    torch.testing.assert_close(values["loss"], expected)
    values = make_step(distance_weighted=False, penalty_weight=3.0)((make_signals(),))
    torch.testing.assert_close(values["loss"], -values["distance"] + 3 * values["penalty"])


class Counted(nn.Module):
    """Counts the pictures that a network sees."""

    def __init__(self, network):
        super().__init__()
        self.network, self.n_seen = network, []

    def forward(self, pictures):
        self.n_seen.append(len(pictures))
        return self.network(pictures)


def test_each_picture_is_encoded_once_per_network_and_update():
    step = make_step(pictures=True, n_critic=1)
    for network in (step.generator, step.critic):
        network.picture_encoder = Counted(network.picture_encoder)
    index = torch.tensor([0, 2, 1, 2, 0, 0])
    step((make_signals(6, 313), make_pictures(3), index))
    assert step.generator.picture_encoder.n_seen == [3]
    assert step.critic.picture_encoder.n_seen == [3, 3]  # its own update, the generator's


def test_one_picture_for_each_signal_or_an_index_say_the_same():
    """Each picture equally often: so batch norms of the picture encoders agree as well."""
    index = torch.tensor([0, 1, 2, 2, 1, 0])
    pictures, signals = make_pictures(3), make_signals(6, 313)
    values = [
        make_step(pictures=True, n_critic=1)(batch)
        for batch in ((signals, pictures[index]), (signals, pictures, index))
    ]
    for name, value in values[0].items():
        torch.testing.assert_close(value, values[1][name], rtol=1e-3, atol=1e-4)


def test_penalty_reaches_the_picture_encoder():
    step = make_step(pictures=True, distance_weighted=False, penalty_weight=1e4)
    step((make_signals(3, 313), make_pictures()))
    first = next(step.critic.picture_encoder.parameters())
    assert first.grad is not None
    assert first.grad.abs().max() > 0


def test_noise_is_normal():
    noise = make_step().draw_noise(300)
    assert noise.shape == (300, 3, 292)
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(1, abs=0.01)


def test_draws_follow_the_generator_alone():
    """Dropout included, which takes torch's global state otherwise."""
    values = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        values.append(make_step(n_critic=1)((make_signals(),)))
    assert values[0].keys() == values[1].keys()
    assert all(torch.equal(values[0][name], values[1][name]) for name in values[0])


def test_sampler_is_the_average_in_evaluation_mode():
    step = make_step(ema_decay=0.9, n_critic=1)
    step((make_signals(4),))
    assert step.sampler is step.ema.module
    assert not step.sampler.training
    plain = make_step()
    assert plain.sampler is plain.generator
    assert not plain.sampler.training


class Offset(nn.Module):
    """Adds a constant to noise of one value."""

    noise_shape = (1, 1)

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.tensor(-2.0))

    def forward(self, noise, pictures, index):
        return 0.3 * noise + self.place


class Curve(nn.Module):
    """A critic of one value."""

    picture_encoder = None

    def __init__(self):
        super().__init__()
        with seeded(0):
            self.body = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, signals, pictures, index, codes):
        return self.body(signals.flatten(1)).squeeze(1)


def test_a_generator_of_one_value_comes_to_lie_on_the_data():
    step = WGANStep(
        Offset(), Curve(), rng=seeded_generator(0), generator_lr=0.05, critic_lr=0.02, n_critic=2
    )
    rng = seeded_generator(3)
    course = []
    for _ in range(200):
        step((1 + 0.3 * torch.randn(32, 1, 1, generator=rng),))
        course.append(step.generator.place.item())
    assert course[0] < -1.9
    assert sum(course[-80:]) / 80 == pytest.approx(1, abs=0.4)


def test_paired_batches_hold_each_picture_once():
    signals, pictures = make_signals(10), make_pictures(4)
    rows = torch.tensor([3, 1, 1, 3, 3, 0, 0, 1, 3, 3])
    indices = index_batches(10, batch_size=5, seed=0)
    batches = paired_batches(signals, pictures=pictures, rows=rows, indices=indices)
    for number in range(4):
        found, shown, index = batches(number)
        chosen = indices(number)
        assert torch.equal(found, signals[chosen])
        assert torch.equal(shown[index], pictures[rows[chosen]])
        assert len(shown) == len(rows[chosen].unique())


def test_refusals():
    with pytest.raises(ValueError, match="Did you mean 'gradient'"):
        make_step(penalty="gradients")
    with pytest.raises(ValueError, match="`n_critic` must be greater than 0"):
        make_step(n_critic=0)
    with pytest.raises(ValueError, match="`penalty_weight` must be at least 0"):
        make_step(penalty_weight=-1.0)
    signals, pictures = make_signals(3), make_pictures(2)
    indices = index_batches(3, batch_size=2, seed=0)
    for rows, match in (
        (torch.tensor([0, 1]), "got 3 windows and 2 rows"),
        (torch.tensor([0, 1, 2]), "one of the 2 pictures; got 0 to 2"),
        (torch.tensor([-1, 1, 0]), "got -1 to 1"),
    ):
        with pytest.raises(ValueError, match=match):
            paired_batches(signals, pictures=pictures, rows=rows, indices=indices)
