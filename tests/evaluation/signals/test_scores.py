import time

import numpy as np
import pytest

from phosphene.evaluation.signals.scores import choose_sets, score_signals
from phosphene.evaluation.signals.spectrum import BANDS
from phosphene.evaluation.signals.surrogates import gaussian_noise, phase_randomised

N_CHANS, N_TIMES, SFREQ = 3, 63, 1250.0
PICTURES = {"train": np.repeat(np.arange(0, 12), 12), "test": np.repeat(np.arange(12, 20), 16)}
METRICS = [
    "IS[domain]",
    "Fréchet distance[domain]",
    "Fréchet distance[raw]",
    *(f"spectrum distance, {band}" for band in list(BANDS)[2:]),  # windows of 50 ms
    "high-frequency spectrum error",
    "amplitude distance",
    "amplitude distance over time",
    "difference of channel correlations",
    "picture specificity (rank)",
    "picture specificity (nearest)",
    "true response, own part",
    "true response",
]


def waves(n, rng):
    return rng.standard_normal((n, N_CHANS, N_TIMES)).cumsum(axis=2) / 4


def describe(signals):
    """Stand in for a network: 4 features and 3 probabilities of each window."""
    features = np.stack([signals.mean((1, 2)), signals.std((1, 2)), *signals[:, :2, 40].T], axis=1)
    odds = np.exp(features[:, :3])
    return {"features": features, "probabilities": odds / odds.sum(axis=1, keepdims=True)}


@pytest.fixture(scope="module")
def session():
    """Real windows with planted responses, and systems of which it is known how good they are."""
    rng = np.random.default_rng(0)
    true = 3 * np.sin(np.arange(N_TIMES) / 6) + rng.standard_normal((20, N_CHANS, N_TIMES))
    real, systems = {}, {name: {} for name in ("good", "blind", *("autoencoder", "noise"))}
    systems["phase-randomised"] = {}
    for name, picture in PICTURES.items():
        n = len(picture)
        shown = (true[picture] + waves(n, rng)).astype(np.float32)
        drawn = {
            "good": true[picture] + waves(n, rng),
            "blind": true.mean(axis=0) + waves(n, rng),
            "autoencoder": 0.99 * shown,
            "noise": gaussian_noise(shown, rng),
            "phase-randomised": phase_randomised(shown, rng),
        }
        real |= {name: shown, f"{name}_picture": picture}
        for system, signals in drawn.items():
            systems[system] |= {name: signals.astype(np.float32), f"{name}_picture": picture}
    chosen = choose_sets(real, systems, n_scored=64, seed=0)
    described = {"real": {}, "other half": {}} | {system: {} for system in systems}
    for name, of_set in chosen.items():
        rows = {"real": of_set.real, "other half": of_set.other_half} | of_set.generated
        for system, mine in rows.items():
            arrays = systems.get(system, real)
            found = describe(arrays[name][mine])
            described[system] |= {f"{name}_{kind}": array for kind, array in found.items()}
    return {
        "real": real,
        "generated": systems,
        "chosen": chosen,
        "described": {"domain": described},
        "true_responses": true,
    }


@pytest.fixture(scope="module")
def scores(session):
    given = dict(session)
    return score_signals(given.pop("real"), given.pop("generated"), sfreq=SFREQ, **given)


def value(scores, name, method):
    (found,) = [s for s in scores if s.name == name and s.method == method]
    return found


def test_every_metric_has_a_row_for_every_system_and_set(scores, session):
    names = [f"{m}, {s} pictures" for m in METRICS for s in ("training", "test")]
    methods = ["real", *session["generated"]]
    assert [(s.name, s.method) for s in scores] == [(n, m) for n in names for m in methods]
    assert {s.section for s in scores} == {"signals"}
    assert {s.unit for s in scores} == {"pictures"}
    assert {s.n for s in scores if s.name.endswith("test pictures")} == {8}


def test_roles_say_what_must_fail(scores):
    roles = {s.method: s.role for s in scores}
    assert roles == {
        "real": "reference",
        "good": "result",
        "blind": "result",
        "autoencoder": "baseline",
        "noise": "control",
        "phase-randomised": "control",
    }


def test_all_sets_have_the_same_number_of_windows(session):
    for of_set in session["chosen"].values():
        assert len(of_set.real) == len(of_set.other_half) == len(of_set.picture) == 64
        assert {len(rows) for rows in of_set.generated.values()} == {64}


@pytest.mark.parametrize("where", ["training", "test"])
@pytest.mark.parametrize("kind", ["raw", "domain"])
def test_distances_order_systems_as_they_are(scores, where, kind):
    name = f"Fréchet distance[{kind}], {where} pictures"
    real, good, noise = (value(scores, name, method) for method in ("real", "good", "noise"))
    assert good.value < 3 * real.value  # floors of few windows vary
    assert noise.value > 2 * good.value
    assert f"excess over real data {good.value - real.value:.4g}" in good.note
    assert "excess" not in real.note


@pytest.mark.parametrize("where", ["training", "test"])
def test_only_systems_that_see_the_picture_are_specific(scores, where):
    name = f"picture specificity (rank), {where} pictures"
    for method in ("real", "good", "autoencoder"):
        assert value(scores, name, method).low > 0.5
        assert not value(scores, name, method).inside_chance()
    for method in ("blind", "noise", "phase-randomised"):
        assert value(scores, name, method).inside_chance()


@pytest.mark.parametrize(
    "name", ["high-frequency spectrum error", "spectrum distance, gamma 30-80 Hz"]
)
def test_phases_keep_spectra(scores, name):
    real, phases, noise = (
        value(scores, f"{name}, test pictures", method).value
        for method in ("real", "phase-randomised", "noise")
    )
    assert abs(phases - real) < 0.5 * abs(noise - real)


def test_phases_lose_the_response(scores):
    name = "amplitude distance over time, test pictures"
    real, phases = (value(scores, name, method) for method in ("real", "phase-randomised"))
    assert phases.low > real.high


def test_the_common_response_counts_only_where_it_is_not_taken_off(scores):
    whole = value(scores, "true response, test pictures", "blind")
    own = value(scores, "true response, own part, test pictures", "blind")
    assert whole.value > 0.7
    assert whole.inside_chance()
    assert own.inside_chance()
    assert value(scores, "true response, own part, test pictures", "good").value > 0.6


def test_inception_score_says_that_it_is_no_criterion(scores):
    assert "no usable criterion" in value(scores, "IS[domain], test pictures", "good").note


def test_features_of_inception_are_called_fid(session):
    of_test = {"chosen": {"test": session["chosen"]["test"]}}
    described = {"inception-2015": session["described"]["domain"]}
    good = {"good": session["generated"]["good"]}
    found = score_signals(session["real"], good, sfreq=SFREQ, described=described, **of_test)
    assert [s.name for s in found[:4:2]] == [
        "IS[inception-2015], test pictures",
        "FID[inception-2015], test pictures",
    ]


def test_without_networks_and_truth_their_scores_are_left_out_and_the_rest_stays(scores, session):
    chosen = {"test": session["chosen"]["test"]}
    found = score_signals(session["real"], session["generated"], sfreq=SFREQ, chosen=chosen)
    left = [s for s in scores if s.name.endswith("test pictures") and "domain" not in s.name]
    assert found == [s for s in left if "true" not in s.name]


def test_fewer_windows_of_one_set_limit_the_other(session):
    chosen = choose_sets(session["real"], session["generated"], n_scored=1000, seed=0)
    assert [len(of_set.picture) for of_set in chosen.values()] == [64, 64]


def test_features_of_other_windows_are_refused(session):
    arrays = {key: a[:10] for key, a in session["described"]["domain"]["good"].items()}
    described = {"domain": session["described"]["domain"] | {"good": arrays}}
    with pytest.raises(ValueError, match="must describe the 64 chosen windows of 'good'; got 10"):
        score_signals(
            session["real"],
            {"good": session["generated"]["good"]},
            sfreq=SFREQ,
            chosen=session["chosen"],
            described=described,
        )


def test_too_few_true_responses_are_refused(session):
    with pytest.raises(ValueError, match="one row per picture; got 5 rows"):
        score_signals(
            session["real"],
            {},
            sfreq=SFREQ,
            chosen=session["chosen"],
            true_responses=session["true_responses"][:5],
        )


@pytest.mark.parametrize(
    ("real", "systems", "message"),
    [
        ({}, {}, "got neither"),
        ({"test_picture": [0, 0, 1, 1]}, {"real": {}}, "call the system otherwise"),
        ({"test_picture": [0, 0, 1, 1]}, {"GAN": {}}, "'GAN' has none of 'test'"),
    ],
)
def test_choice_refuses(real, systems, message):
    arrays = {key: np.array(rows) for key, rows in real.items()}
    with pytest.raises(ValueError, match=message):
        choose_sets(arrays, systems, seed=0)


@pytest.mark.slow
def test_a_session_of_the_thesis_is_scored_in_two_minutes():
    rng = np.random.default_rng(0)
    real = {}
    for name, picture in (
        ("train", np.repeat(np.arange(94), 50)),
        ("test", np.repeat(np.arange(94, 118), 50)),
    ):
        real[name] = rng.standard_normal((len(picture), 22, 313), dtype=np.float32)
        real[f"{name}_picture"] = picture
    systems = {f"system {number}": real for number in range(6)}  # one array: memory is scarce
    chosen = choose_sets(real, systems, seed=0)
    assert [len(of_set.picture) for of_set in chosen.values()] == [600, 600]
    began = time.process_time()
    found = score_signals(real, systems, sfreq=SFREQ, chosen=chosen)
    assert time.process_time() - began < 120
    assert len(found) == 2 * 7 * 13
