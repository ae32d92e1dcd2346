import pytest
import torch
from torch import nn

from phosphene.augment.corruption import PAPER_CORRUPTION, parse_corruption
from phosphene.models.restoration.cnn_cnn import CNNCNN
from phosphene.models.restoration.cnn_lstm import CNNLSTM
from phosphene.training.batches import index_batches, tensor_batches
from phosphene.training.loop import TrainStep, fit
from phosphene.training.restoration_step import RestorationStep
from phosphene.training.seeding import draw_seed, seeded, seeded_generator

EVERYTHING = {
    "loss": "mse",
    "l2": 1e-3,
    "clip": 0.1,
    "ema_decay": 0.9,
    "schedule": "cosine",
    "n_steps": 6,
    "n_warmup": 2,
}


def make_step(corruption=PAPER_CORRUPTION, network="CNNLSTM", **options):
    with seeded(0):
        built = (
            CNNLSTM((8, 8), n_code=4, hidden=8, n_layers=2, dropout=0.25)
            if network == "CNNLSTM"
            else CNNCNN((8, 8), n_code=4)
        )
    return RestorationStep(
        built, rng=seeded_generator(1), corruption=parse_corruption(corruption), **options
    )


def make_batch(n=12):
    """Bars, bright in the columns 2 to 4 or 5 to 7."""
    pictures = torch.zeros(n, 1, 8, 8)
    pictures[0::2, :, :, 2:4] = 1
    pictures[1::2, :, :, 5:7] = 1
    return pictures


@pytest.mark.parametrize(
    "options", [{}, EVERYTHING, {"optimizer": "adadelta", "lr": 1.0}], ids=["plain", "all", "delta"]
)
def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path, options):
    batches = tensor_batches((make_batch(),), index_batches(12, batch_size=4, seed=0))
    whole = make_step(**options)
    assert isinstance(whole, TrainStep)
    fit(whole, batches, n_steps=6)
    fit(make_step(**options), batches, n_steps=3, checkpoints=tmp_path)
    resumed = make_step(**options)
    fit(resumed, batches, n_steps=6, checkpoints=tmp_path, resume=True)
    for name, value in resumed.sampler.state_dict().items():
        assert torch.equal(value, whole.sampler.state_dict()[name]), name


@pytest.mark.parametrize("network", ["CNNLSTM", "CNNCNN"])
def test_learns_to_draw_the_missing_half(network):
    step = make_step("lower_half+salt_pepper:0.05", network, lr=1e-2)
    pictures = make_batch()
    step.network.start_bias(pictures.mean(0))
    first = step((pictures,))["loss"]
    for _ in range(60):
        last = step((pictures,))["loss"]
    assert last < 0.5 * first
    corrupted = parse_corruption("lower_half")(pictures).images
    with torch.no_grad():
        lower = step.sampler(corrupted)[:, :, 4:]
    assert ((lower > 0.5) == (pictures[:, :, 4:] > 0.5)).float().mean() > 0.95


def test_the_loss_is_that_of_freshly_corrupted_pictures():
    step, rng = make_step(loss="mse", l2=0.01), seeded_generator(1)
    pictures = make_batch()
    corrupted = step.corruption(pictures, generator=rng).images
    with seeded(draw_seed(rng)), torch.no_grad():
        error = (step.network.train()(corrupted) - pictures).square().mean()
    weights = sum(p.square().sum() for p in step.network.parameters() if p.ndim > 1)
    values = step((pictures,))
    torch.testing.assert_close(values["error"], error)
    torch.testing.assert_close(values["loss"], error + 0.01 * weights.detach())
    again = step.corruption(pictures, generator=rng).images
    assert not torch.equal(again, corrupted)


def test_the_root_is_over_the_batch():
    roots = make_step(loss="rmse")((make_batch(),))["error"]
    squares = make_step(loss="mse")((make_batch(),))["error"]
    torch.testing.assert_close(roots, squares.sqrt())


def test_long_gradients_are_shortened():
    step = make_step(clip=1e-3)
    step((make_batch(),))
    norm = torch.stack([p.grad.norm() for p in step.weights]).norm()
    assert norm.item() == pytest.approx(1e-3, rel=1e-3)


def test_labels_are_not_used():
    alone, labelled = make_step(), make_step()
    alone((make_batch(),))
    labelled((make_batch(), torch.arange(12)))
    for first, second in zip(alone.weights, labelled.weights, strict=True):
        assert torch.equal(first, second)


def test_sampler_is_the_average_in_evaluation_mode():
    step = make_step(ema_decay=0.9)
    step((make_batch(),))
    assert step.sampler is step.ema.module
    plain = make_step()
    assert plain.sampler is plain.network
    assert not any(module.training for module in (step.sampler, plain.sampler))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "rsme"}, "Did you mean 'rmse'"),
        ({"optimizer": "sgd"}, "`optimizer` must be one of"),
        ({"lr": 0.0}, "`lr` must be greater than 0"),
        ({"l2": -1.0}, "`l2` must be at least 0"),
        ({"clip": 0.0}, "`clip` must be greater than 0"),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(options, message):
    with pytest.raises(ValueError, match=message):
        RestorationStep(
            nn.Conv2d(1, 1, 1),
            rng=seeded_generator(0),
            corruption=parse_corruption("none"),
            **options,
        )
