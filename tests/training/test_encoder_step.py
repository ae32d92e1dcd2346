import pytest
import torch

from phosphene.augment.signal import SignalAugmentation
from phosphene.models.encoders.compact_cnn import CompactCNN
from phosphene.models.encoders.lstm import LSTMEncoder
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.loop import fit
from phosphene.training.seeding import seeded, seeded_generator

STRONG = SignalAugmentation(max_shift=2, scale=0.1, channel_dropout=0.1, noise=0.1, mixup=0.3)


def make_data(n_trials=48, margin=0):
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(n_trials) % 3
    signals = torch.randn(n_trials, 3, 40 + 2 * margin, generator=rng)
    signals[torch.arange(n_trials), labels] += 1.5
    return signals, labels


def make_step(**options):
    with seeded(0):
        encoder = options.pop("encoder", None) or CompactCNN(3, 40, n_features=8)
    return EncoderStep(encoder, n_classes=3, rng=seeded_generator(1), **options)


@pytest.mark.parametrize("objective", ["softmax", "triplet", "both"])
def test_each_objective_lowers_its_loss(objective):
    signals, labels = make_data()
    step = make_step(objective=objective, lr=1e-2)
    losses = [step((signals, labels))["loss"] for _ in range(25)]
    assert torch.stack(losses[-5:]).mean() < 0.8 * losses[0]
    assert step.features(signals).shape == (48, 8)


def test_both_is_the_sum():
    signals, labels = make_data()
    values = make_step(objective="both")((signals, labels))
    torch.testing.assert_close(values["loss"], values["cross_entropy"] + values["triplet"])


def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path):
    signals, labels = make_data(margin=4)
    indices = balanced_index_batches(labels, batch_size=8, seed=0)
    batches = tensor_batches([signals, labels], indices)
    options = {
        "augmentation": STRONG,
        "margin": 4,
        "schedule": "cosine",
        "n_steps": 14,
        "n_warmup": 2,
        "weight_decay": 0.1,
        "label_smoothing": 0.1,
        "max_norm": 1.0,
    }
    whole = make_step(**options)
    fit(whole, batches, n_steps=14)
    fit(make_step(**options), batches, n_steps=9, checkpoints=tmp_path)
    torch.rand(5)  # a global state that differs must not matter
    resumed = make_step(**options)
    fit(resumed, batches, n_steps=14, checkpoints=tmp_path, resume=True)
    for name, value in whole.encoder.state_dict().items():
        assert torch.equal(value, resumed.encoder.state_dict()[name]), name
    assert torch.equal(whole.head.weight, resumed.head.weight)


def test_probabilities_come_from_the_head_without_dropout():
    signals, _ = make_data()
    step = make_step()
    features = step.features(signals, batch_size=7)
    assert torch.equal(features, step.features(signals, batch_size=7))
    probabilities = step.probabilities(features)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(48))
    with pytest.raises(ValueError, match="objective 'triplet' trains none"):
        make_step(objective="triplet").probabilities(features)


def make_head(seed=0):
    with seeded(seed):
        return torch.nn.Sequential(torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 3))


def test_a_head_from_outside_is_trained_and_used_in_its_modes():
    signals, labels = make_data()
    head = make_head()
    before = head[1].weight.clone()
    step = make_step(head=head, lr=1e-2)
    step((signals, labels))
    assert step.head is step.parts["head"] is head
    assert not torch.equal(head[1].weight, before)
    assert head[0].running_mean.any()
    features = step.features(signals)
    torch.testing.assert_close(step.probabilities(features), head.eval()(features).softmax(1))
    assert not head.training
    step((signals, labels))
    assert head.training


def test_gradient_descent_moves_as_published_by_keras():
    """v <- m v - lr g; p <- p + m v - lr g (Nesterov)."""
    signals, labels = make_data()
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(120, 8))
    encoder.n_features = 8
    step = make_step(encoder=encoder, optimizer="sgd", lr=0.1, momentum=0.9, nesterov=True)
    expected = {p: p.detach().clone() for p in step.weights}
    velocity = {p: torch.zeros_like(p) for p in step.weights}
    for _ in range(3):
        step((signals, labels))
        for p in step.weights:
            velocity[p] = 0.9 * velocity[p] - 0.1 * p.grad
            expected[p] += 0.9 * velocity[p] - 0.1 * p.grad
            torch.testing.assert_close(p.detach(), expected[p], rtol=1e-4, atol=1e-6)


def test_a_published_run_resumes_bit_for_bit(tmp_path):
    signals, labels = make_data()
    batches = tensor_batches(
        [signals, labels], balanced_index_batches(labels, batch_size=8, seed=0)
    )
    options = {
        "optimizer": "sgd",
        "lr": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "schedule": "inverse_time",
        "lr_decay": 0.5,
    }
    whole = make_step(head=make_head(), **options)
    fit(whole, batches, n_steps=9)
    fit(make_step(head=make_head(), **options), batches, n_steps=5, checkpoints=tmp_path)
    resumed = make_step(head=make_head(1), **options)
    fit(resumed, batches, n_steps=9, checkpoints=tmp_path, resume=True)
    assert resumed.optimizer.param_groups[0]["lr"] == pytest.approx(0.1 / (1 + 0.5 * 9))
    for name in ("encoder", "head"):
        expected = getattr(whole, name).state_dict()
        for key, value in getattr(resumed, name).state_dict().items():
            assert torch.equal(value, expected[key]), key


def test_frozen_bias_of_the_published_encoder_stays():
    signals, labels = make_data()
    step = make_step(encoder=LSTMEncoder(3, n_features=8, hidden=(4,)), objective="triplet")
    step((signals, labels))
    assert not step.encoder.layers[0].bias_hh_l0.any()


def test_weight_decay_spares_biases_and_norms():
    groups = make_step(weight_decay=0.1).optimizer.param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(value.ndim > 1 for value in groups[0]["params"])


def test_refusals():
    with pytest.raises(ValueError, match="Did you mean 'triplet'"):
        make_step(objective="triplett")
    with pytest.raises(ValueError, match="mixup must go with the softmax objective"):
        make_step(objective="both", augmentation=SignalAugmentation(mixup=0.2))
    with pytest.raises(ValueError, match="Did you mean 'sgd'"):
        make_step(optimizer="sdg")
    for options in ({"momentum": 0.9}, {"optimizer": "sgd", "nesterov": True}):
        with pytest.raises(ValueError, match="momentum must go with gradient descent"):
            make_step(**options)
    with pytest.raises(ValueError, match="a head must have a softmax objective"):
        make_step(objective="triplet", head=make_head())
