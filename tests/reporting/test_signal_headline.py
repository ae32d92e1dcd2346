from dataclasses import replace

import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.headline import must_fail
from phosphene.reporting.signal_headline import (
    WARNING,
    charted,
    main_signal_score,
    metric_of,
    set_of,
    signal_tiles,
    write_signal_headline,
)
from phosphene.score import Score, scores_to_json

RANK = Score(
    name="picture specificity (rank), test pictures",
    value=0.7,
    low=0.65,
    high=0.75,
    n=24,
    unit="pictures",
    chance=0.5,
    chance_low=0.4,
    chance_high=0.6,
    section="signals",
    method="pre-trained GAN",
    split="pictures held out",
)
REAL = replace(RANK, value=0.9, low=0.8, high=1.0, method="real", role="reference")
NOISE = replace(RANK, value=0.5, low=0.4, high=0.6, method="noise", role="control")
DISTANCE = replace(
    RANK,
    name="Fréchet distance[domain], test pictures",
    value=12.5,
    low=11.0,
    high=14.0,
    chance=None,
    chance_low=None,
    chance_high=None,
    higher_is_better=False,
)
FLOOR = replace(DISTANCE, value=3.25, low=3.0, high=3.5, method="real", role="reference")


@pytest.fixture
def contents(make_signal_run):
    def make(*scores, finished=True):
        run = make_signal_run(scores_to_json(scores), GAN=0.5)
        run.write_json("state.json", {"stage": "GAN", "finished": finished})
        return read_contents(run)

    return make


def test_the_name_says_which_pictures():
    assert (set_of(RANK), metric_of(RANK)) == ("test", "picture specificity (rank)")
    train = replace(RANK, name="IS[domain], training pictures")
    assert (set_of(train), metric_of(train)) == ("train", "IS[domain]")
    plain = replace(RANK, name="on test pictures or others")
    assert (set_of(plain), metric_of(plain)) == ("", plain.name)


def test_the_main_score_is_of_the_last_system_that_is_given_pictures():
    train = replace(RANK, name="picture specificity (rank), training pictures")
    gan = replace(RANK, method="GAN")
    blind = replace(RANK, method="pre-trained GAN without pictures")
    assert main_signal_score([NOISE, blind, gan, RANK, train]) is RANK
    assert main_signal_score([RANK, gan, blind]) is gan
    assert main_signal_score([blind]) is blind
    assert main_signal_score([NOISE, REAL, train]) is None


@pytest.mark.parametrize(
    ("low", "high", "label", "words"),
    [
        (0.65, 0.75, "Specific to the picture", "resemble the responses to their own picture"),
        (0.55, 0.75, "Not specific to the picture", "cannot be told to belong"),
        (0.2, 0.3, "Below chance", "resemble the responses to other pictures"),
        (None, None, "Cannot tell", "no interval"),
    ],
)
def test_the_verdict_is_the_rank_against_chance(contents, low, high, label, words):
    found = write_signal_headline(contents(replace(RANK, low=low, high=high), NOISE))
    assert found.label == label
    assert words in found.sentence
    assert "0.700" in found.sentence
    assert found.pictures == WARNING
    assert "draw from a model, not a recording" in WARNING


def test_what_it_rests_on_stands_beside(contents):
    truth = replace(RANK, name="true response, own part, test pictures", value=0.41)
    means = replace(truth, value=0.88, method="real", role="reference")
    found = write_signal_headline(contents(RANK, REAL, NOISE, DISTANCE, FLOOR, truth, means))
    basis, distance, known = found.asides
    assert "24 pictures (pictures held out)" in basis
    assert "real showings of the same pictures have 0.900" in basis
    assert (
        "12.5 (11.0 to 14.0); the floor, between two halves of real showings, is 3.250" in distance
    )
    assert "by 0.410" in known
    assert "means of real showings reach 0.880" in known
    alone = write_signal_headline(contents(RANK, DISTANCE))
    assert "without the distance between halves of real data it says little" in alone.asides[1]


@pytest.mark.parametrize(
    ("finished", "words"), [(True, "ended without"), (False, "No signals are scored yet")]
)
def test_without_scores_nothing_is_decided(contents, finished, words):
    found = write_signal_headline(contents(finished=finished))
    assert found.label == "Not decided yet"
    assert words in found.sentence
    assert found.pictures == WARNING


def test_noise_that_knows_the_picture_is_an_alarm(contents):
    assert must_fail(NOISE)
    found = write_signal_headline(contents(RANK, replace(NOISE, value=0.95)))
    assert found.label == "Do not trust"
    assert found.alarms[0].startswith("Noise score above chance")
    assert "cannot stand" in found.sentence
    assert not must_fail(replace(DISTANCE, role="control"))  # no chance range, nothing to fail


def test_tiles_and_charts_hold_the_same_numbers(contents):
    nearest = replace(RANK, name="picture specificity (nearest), test pictures", value=0.25)
    found = contents(RANK, REAL, NOISE, nearest, DISTANCE, FLOOR)
    assert signal_tiles(found) == [
        ("0.700", "rank of the own picture", "chance 0.500"),
        ("0.250", "own picture nearest", "chance 0.500"),
        ("12.5", "Fréchet distance", "real data 3.250"),
        ("24", "held-out pictures", "pre-trained GAN"),
    ]
    ranks, distances = charted(found.scores)
    assert [s.method for s in ranks] == ["pre-trained GAN", "noise", "real"]
    assert [s.method for s in distances] == ["pre-trained GAN", "real"]
