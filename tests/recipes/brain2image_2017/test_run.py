from dataclasses import replace

import pytest
import torch

from phosphene.data.scaling import ChannelScaler
from phosphene.experiment.plan import Painter, PainterStep
from phosphene.export.networks import build_network
from phosphene.recipes.brain2image_2017 import config, run
from phosphene.training.devices import ALONE
from phosphene.training.gan_step import GANStep
from phosphene.training.vae_step import VAEStep


def make(settings, *, seed=0):
    return run.Brain2ImagePainter(settings).make(color=1, n_classes=4, seed=seed)


@pytest.mark.parametrize(
    ("encoder", "network"), [("lstm", "HumanMindLSTM"), ("transformer", "TransformerEncoder")]
)
def test_spec_builds_the_encoder(smoke, easy_trials, encoder, network):
    spec = run.encoder_spec(replace(smoke, encoder=encoder, n_features=12), easy_trials)
    assert spec["network"] == network
    scaled = ChannelScaler.fit(easy_trials.epochs).apply(easy_trials.epochs[:5])
    assert build_network(spec).eval()(torch.from_numpy(scaled)).shape == (5, 12)


@pytest.mark.parametrize(("generator", "step"), [("gan", GANStep), ("vae", VAEStep)])
def test_painter_fits_the_interface(smoke, generator, step):
    painter = run.Brain2ImagePainter(replace(smoke, generator=generator))
    assert isinstance(painter, Painter)
    made = painter.make(color=1, n_classes=4, seed=0, guide=None, devices=ALONE)
    assert isinstance(made, PainterStep)
    assert isinstance(made, step)


@pytest.mark.parametrize("generator", ["gan", "vae"])
def test_spec_is_that_of_the_generator_that_is_trained(smoke, generator):
    painter = run.Brain2ImagePainter(replace(smoke, generator=generator, n_noise=5, image_size=32))
    built = build_network(painter.spec(color=3, n_classes=4), kind="generators")
    step = painter.make(color=3, n_classes=4, seed=0)
    built.load_state_dict(step.sampler.state_dict())
    pictures = step.sampler(torch.zeros(2, 5), torch.zeros(2, 16))
    assert pictures.shape == (2, 3, 32, 32)
    torch.testing.assert_close(built.eval()(torch.zeros(2, 5), torch.zeros(2, 16)), pictures)


@pytest.mark.parametrize("generator", ["gan", "vae"])
def test_same_seed_gives_the_same_update(smoke, generator):
    settings = replace(smoke, generator=generator)
    batch = torch.rand(8, 1, 16, 16), torch.rand(8, 16), torch.arange(8) % 4
    first, again, other = (make(settings, seed=seed) for seed in (0, 0, 1))
    values = [{k: float(v) for k, v in step(batch).items()} for step in (first, again, other)]
    assert values[0] == values[1]
    assert values[0] != values[2]


def test_gan_is_the_plain_one_of_its_time(smoke):
    step = make(replace(smoke, generator_lr=3e-4, discriminator_lr=2e-4, mismatch=0.25))
    assert (step.mismatch, step.mode_seeking, step.pair.policy) == (0.25, 0.0, ())
    assert step.guide is step.pair.ema is None
    assert step.pair.noise == "normal"
    rates = [(each.param_groups[0]["lr"], each.defaults["betas"]) for each in step.pair.optimizers]
    assert rates == [(2e-4, (0.5, 0.999)), (3e-4, (0.5, 0.999))]
    both_unsure = step.discriminator_loss(torch.zeros(3), torch.zeros(3), halved=False)
    assert float(both_unsure) == pytest.approx(2 * 0.693147, rel=1e-5)  # cross-entropy, not hinge


def test_vae_takes_its_settings():
    settings = replace(config.smoke(), generator="vae", generator_lr=5e-4, kl_weight=0.5)
    step = make(replace(settings, likelihood="bernoulli", kl_warmup=7, beta1=0.9))
    assert (step.likelihood, step.kl_weight, step.n_kl_warmup) == ("bernoulli", 0.5, 7)
    assert step.optimizer.defaults["betas"] == (0.9, 0.999)
    assert step.optimizer.defaults["lr"] == 5e-4


def test_both_encoders_are_the_same_network_trained_for_different_things(smoke, easy_trials):
    plan = run.make_plan(smoke)
    assert plan.compared.name != plan.encoder.name
    assert (plan.encoder.objective, plan.compared.objective) == ("softmax", "triplet")
    assert plan.encoder.spec(easy_trials) == plan.compared.spec(easy_trials)
    main, other = (each.train.args[0] for each in (plan.encoder, plan.compared))
    assert (main.epochs, main.lr, main.eps) == (other.epochs, other.lr, other.eps)
    assert (
        run.make_plan(replace(smoke, compare_triplets=False, second_generator=False)).compared
        is None
    )


def test_triplets_need_two_trials_of_each_class_in_a_batch():
    quick = config.quick()
    run.make_plan(quick).check(n_classes=32, n_devices=1)
    with pytest.raises(ValueError, match=r"--compare-batch 64 for 40 classes\. Give .* 80 or more"):
        run.make_plan(quick).check(n_classes=40, n_devices=1)
    alone = replace(quick, compare_triplets=False)
    run.make_plan(alone).check(n_classes=40, n_devices=1)
    run.make_plan(config.paper()).check(n_classes=40, n_devices=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder_batch": 15}, "`--encoder-batch` must divide"),
        ({"balanced_batches": True, "encoder_batch": 5}, "`--encoder-batch`, in whole rows"),
        ({"compare_batch": 15}, "`--compare-batch`, in whole rows"),
        ({"generator_batch": 5}, "`--generator-batch`, in whole rows"),
    ],
)
def test_batches_are_divided_among_devices(changes, words):
    paper = replace(config.paper(), compare_batch=20, generator_batch=20)
    run.make_plan(paper).check(n_classes=5, n_devices=2)
    with pytest.raises(ValueError, match=words):
        run.make_plan(replace(paper, **changes)).check(n_classes=5, n_devices=2)
