import pytest

from phosphene.experiment.response_card import classifier_card, response_card
from phosphene.score import Score

COMMON = {
    "recipe": "lfpgan_2020",
    "citation": "Somebody 2020",
    "fold": "pictures",
    "ch_names": ["V1-0", "V1-1"],
    "n_times": 313,
    "sfreq": 1250.0,
    "tmin": 0.0,
}
SPEC = COMMON | {
    "name": "pre-trained GAN",
    "generator": {"network": "LFPGenerator"},
    "picture_size": [54, 69],
    "source_size": [918, 1174],
    "window_mean": 1.25e-6,
    "window_sd": 1e-4,
}
CLASSIFIER = COMMON | {"classifier": {"network": "LFPCNN"}, "stimuli": ["a", "b", "c"]}
DATA = {
    "name": "session",
    "origin": "imported",
    "data_hash": "abc",
    "n_trials": 5900,
    "recorded_s": 1200.0,
    "images": {"n": 118, "n_shown": 118},
    "licence": "",
    "citation": "Allen Institute",
}
SCORES = [
    Score(name="specificity", value=0.8, n=24, unit="pictures", section="signals", method="GAN"),
    Score(
        name="specificity",
        value=0.5,
        n=24,
        unit="pictures",
        section="signals",
        role="control",
        method="noise",
    ),
    Score(name="accuracy", value=0.33, n=90, unit="showings", chance=0.01, method="LFPCNN"),
]


def test_says_what_goes_in_what_comes_out_and_that_it_is_no_recording():
    card = response_card(SPEC, DATA, ())
    assert card.startswith("# Pictures to local field potentials (lfpgan_2020, pre-trained GAN)")
    assert "generated, not recorded" in card
    assert "generate BUNDLE --images PICTURES --n 50 --volts" in card
    assert "1174 x 918 pixels (width x height)" in card
    assert "shrunk to 69 x 54" in card
    assert "2 channels (V1-0, V1-1), 313 samples at 1250 Hz from 0 s" in card
    assert "SD 0.0001 V and mean\n  1.25e-06 V" in card
    assert "5900 showings, 20.0 minutes" in card
    assert "118 pictures, 118 shown" in card
    assert "Cite: Allen Institute" in card
    assert "Not scored yet" in card


def test_pictures_that_are_not_shrunk_and_none_at_all():
    assert "shrunk" not in response_card({**SPEC, "picture_size": [918, 1174]}, DATA, ())
    card = response_card({**SPEC, "picture_size": None, "source_size": None}, DATA, ())
    assert "It takes no pictures" in card
    assert "generate BUNDLE --n 50" in card
    assert "--images" not in card


def test_scores_stand_in_the_card():
    card = response_card(SPEC, DATA, SCORES)
    assert "| specificity | GAN | 0.800 |" in card
    assert "| specificity | noise (control) | 0.500 |" in card
    assert "| accuracy | LFPCNN | 0.330 |  | 0.010 | 90 showings |" in card


def test_a_classifiers_card_has_its_own_scores_and_a_way_to_use_it():
    card = classifier_card(CLASSIFIER, DATA, SCORES)
    assert "which of 3 pictures" in card
    assert "| accuracy | LFPCNN | 0.330 |" in card
    assert "specificity" not in card
    assert "Not scored yet" in classifier_card(CLASSIFIER, DATA, SCORES[:2])
    code = [line[4:] for line in card.splitlines() if line.startswith("    ")]
    imports = "\n".join(line for line in code if line.startswith("from"))
    exec(imports)  # what the card names exists


@pytest.mark.parametrize("make", [response_card, classifier_card])
def test_a_leak_doubt_or_simulation_is_told(make):
    spec = SPEC if make is response_card else CLASSIFIER
    clean = make(spec, DATA, SCORES)
    assert "trained no system" in clean
    assert "whole recording" not in clean
    card = make(spec, DATA, SCORES, {"leak_reason": "asked for"})
    assert "may have trained it all the same (leak allowed: asked for)" in card
    assert "may be known (leak allowed: asked for)" in card
    assert "saw the whole recording" in make({**spec, "autoencoder_data": "all"}, DATA, ())
    assert "simulated, of no animal" in make(spec, {**DATA, "origin": "simulated"}, ())
