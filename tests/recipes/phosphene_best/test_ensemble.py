from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from phosphene.evaluation.probes import shrinkage_lda
from phosphene.experiment.plan import TrainEncoder
from phosphene.export.networks import build_network
from phosphene.models.encoders.tangent_space import TangentSpaceEncoder
from phosphene.recipes.phosphene_best import ensemble
from phosphene.recipes.phosphene_best.ensemble import EnsembleSettings

SMALL = EnsembleSettings(n_networks=2, network_features=4, steps=4, epochs=1, batch=12)


def fit_members(settings, trials, watch, *, labels=None, seed=0, checkpoints=None):
    return ensemble.fit_members(
        settings,
        trials,
        trials.labels if labels is None else labels,
        seed=seed,
        stage="encoder",
        watch=watch,
        checkpoints=checkpoints,
    )


def test_train_encoder_is_what_an_experiment_calls():
    assert isinstance(ensemble.train_encoder, TrainEncoder)


def test_one_decoder_gives_the_weighted_mean_of_all_members(easy_trials, quiet_watch):
    members = fit_members(SMALL, easy_trials, quiet_watch.watch)
    system = members.join()
    votes = members.logits(easy_trials.epochs)
    assert list(votes) == ["network 0", "network 1", "tangent space", "discriminant"]
    mean = sum(s * v for s, v in zip(members.shares, votes.values(), strict=True))
    found = system.decoder.probabilities(system.features(easy_trials.epochs))
    np.testing.assert_allclose(found, softmax(mean, axis=1), atol=1e-4)


def test_the_discriminant_is_shrinkage_lda(easy_trials, quiet_watch):
    settings = replace(SMALL, n_networks=0, tangent_space=False)
    members = fit_members(settings, easy_trials, quiet_watch.watch)
    signals = members.signals.numpy()
    lda = shrinkage_lda(signals, easy_trials.labels, n_classes=3, step=members.encoder.step)
    found = softmax(members.logits(easy_trials.epochs)["discriminant"], axis=1)
    np.testing.assert_allclose(found, lda.predict_proba(signals), atol=1e-3)


def test_learns_classes_that_differ_and_none_from_permuted_labels(easy_trials, quiet_watch):
    half = np.arange(len(easy_trials)) % 2 == 0
    train, test = easy_trials.select(half.nonzero()[0]), easy_trials.select((~half).nonzero()[0])
    settings = replace(SMALL, steps=30)
    shuffled = np.random.default_rng(0).permutation(train.labels)

    def accuracy(labels):
        system = fit_members(settings, train, quiet_watch.watch, labels=labels).join()
        found = system.decoder.probabilities(system.features(test.epochs)).argmax(1)
        return (found == test.labels).mean()

    assert accuracy(train.labels) > 0.9
    assert accuracy(shuffled) < 0.6


def test_a_resumed_training_ends_as_an_undisturbed_one(easy_trials, quiet_watch, tmp_path):
    whole = fit_members(SMALL, easy_trials, quiet_watch.watch).join()
    first = fit_members(SMALL, easy_trials, quiet_watch.watch, checkpoints=tmp_path).join()
    resumed = fit_members(SMALL, easy_trials, quiet_watch.watch, checkpoints=tmp_path).join()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]
    for other in (first, resumed):
        for name, value in whole.encoder.state_dict().items():
            assert torch.equal(value, other.encoder.state_dict()[name]), name
        np.testing.assert_array_equal(whole.decoder.weight, other.decoder.weight)


def test_state_dict_and_spec_are_all_that_the_encoder_is(easy_trials, quiet_watch):
    system = fit_members(SMALL, easy_trials, quiet_watch.watch).join()
    again = build_network(ensemble.ensemble_spec(SMALL, easy_trials), kind="encoders")
    again.load_state_dict(system.encoder.state_dict())
    signals = torch.from_numpy(system.scaler.apply(easy_trials.epochs[:5]))
    torch.testing.assert_close(again.eval()(signals), system.encoder.eval()(signals))


@pytest.mark.parametrize("tangent_space", [True, False])
@pytest.mark.parametrize("discriminant", [True, False])
def test_number_of_features_is_that_of_the_network(easy_trials, tangent_space, discriminant):
    settings = replace(SMALL, tangent_space=tangent_space, discriminant=discriminant)
    network = build_network(ensemble.ensemble_spec(settings, easy_trials))
    assert network.n_features == ensemble.n_ensemble_features(settings, n_classes=3)


def test_equal_shares_weigh_groups_by_their_spread():
    spread = np.array([[-1.0, 1.0]])
    logits = {"network 0": spread, "network 1": spread, "tangent space": 4 * spread}
    shares = ensemble.equal_shares(logits)
    assert sum(shares) == pytest.approx(1)
    assert shares[0] == shares[1] == pytest.approx(2 * shares[2])


def test_the_tangent_head_reads_standardised_features_as_plain_ones():
    rng = torch.Generator().manual_seed(0)
    signals = torch.randn(60, 2, 20, generator=rng)
    labels = np.arange(60) % 2
    signals[labels == 1, 0] *= 3
    space = TangentSpaceEncoder(2, 20, n_classes=2)
    weight, bias = ensemble.fit_tangent_head(space, signals, labels)
    logits = space.eval()(signals).double().numpy() @ weight.T + bias
    assert (logits.argmax(1) == labels).mean() > 0.95


def test_every_network_is_logged_under_its_number(easy_trials, quiet_watch):
    fit_members(SMALL, easy_trials, quiet_watch.watch)
    assert {record["stage"] for record in quiet_watch.records} == {"encoder 0", "encoder 1"}
