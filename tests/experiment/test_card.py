from dataclasses import replace

import pytest

from phosphene.data.scaling import SCALERS
from phosphene.experiment.card import SCALING, model_card
from phosphene.score import Score, scores_from_json

SPEC = {
    "recipe": "eeg2image_2023",
    "citation": "Somebody et al. 2023",
    "encoder": {"network": "CompactCNN"},
    "generator": {"network": "DCGANGenerator"},
    "classes": ["faces", "houses"],
    "ch_names": ["TP9", "AF7"],
    "montage": "standard_1020",
    "n_times": 103,
    "sfreq": 128.0,
    "tmin": -0.1,
    "unit": "V",
    "preprocessing": {"steps": [{"step": "band-pass", "hz": [1.0, 30.0]}]},
    "fold": "subject1_a",
}
DATA = {
    "name": "n170",
    "origin": "imported",
    "data_hash": "abc",
    "n_trials": 100,
    "per_class": {"faces": 60, "houses": 40},
    "per_subject": {"subject1": {"faces": 60, "houses": 40}},
    "n_recordings": 2,
    "pairing": {"kind": "class-only", "reason": "no names"},
    "images": {"n": 12, "n_shown": 8},
    "licence": "BSD-3\nCopyright somebody",
    "citation": "Somebody 2017",
}


def test_says_what_goes_in_what_comes_out_and_what_it_is_not_for():
    card = model_card(SPEC, DATA, ())
    assert "faces, houses" in card
    assert "2 channels (TP9, AF7), montage\n  standard_1020, in V" in card
    assert "103 samples at 128 Hz from -0.1 s" in card
    assert "band-pass: hz [1.0, 30.0]" in card
    assert "not the picture that was seen" in card
    assert "Not for diagnosis" in card
    assert "Somebody et al. 2023" in card


@pytest.mark.parametrize(
    ("scaling", "words"),
    [("channel", "- Scaled per channel by mean and SD"), ("window", "no amplitude is left")],
)
def test_says_how_signals_are_scaled(scaling, words):
    assert set(SCALING) == set(SCALERS)
    assert words in model_card({**SPEC, "scaling": SCALING[scaling]}, DATA, ())


def test_single_classes_are_left_to_the_report():
    score = Score(
        name="IS of class faces[domain]", value=1.2345, n=9, unit="pictures", section="pictures"
    )
    assert "of class faces" not in model_card(
        SPEC, DATA, [score, replace(score, name="IS[domain]")]
    )


def test_says_whose_data_it_learned_from():
    card = model_card(SPEC, DATA, ())
    assert "100 trials (faces 60, houses 40) of 1 person, 2 recordings" in card
    assert "beside the pictures: BSD-3." in card
    assert "Copyright" not in card
    assert "Cite: Somebody 2017" in card
    assert "Fold `subject1_a`" in card
    simulated = model_card(SPEC, {**DATA, "origin": "simulated", "licence": ""}, ())
    assert "simulated, of nobody" in simulated
    assert "none; ask the owner" in simulated


def test_scores_stand_with_interval_chance_and_controls():
    scores = [
        Score(name="AUC", value=0.7, low=0.6, high=0.8, n=6, unit="recordings", chance=0.5),
        Score(
            name="AUC",
            value=0.51,
            n=6,
            unit="recordings",
            role="control",
            method="permuted | labels",
            chance_low=0.4,
            chance_high=0.6,
        ),
        Score(name="AUC", value=0.9, n=1, unit="recordings", fold="subject1_a"),
    ]
    card = model_card(SPEC, DATA, scores)
    assert "| AUC |  | 0.700 | 0.600 to 0.800 | 0.500 | 6 recordings |" in card
    assert "| permuted / labels (control) | 0.510 |  | 0.400 to 0.600 |" in card
    assert "0.900" not in card
    assert "Not scored yet" in model_card(SPEC, DATA, ())


def test_notes_of_scores_stand_under_them_once():
    score = Score(name="AUC", value=0.7, n=6, unit="recordings", note="nothing retrained")
    other = Score(name="AUC", value=0.6, n=6, unit="recordings", note="120 epochs")
    plain = Score(name="AUC", value=0.5, n=6, unit="recordings")
    card = model_card(SPEC, DATA, [score, other, score, plain])
    rows = [line[-5:] for line in card.splitlines() if line.startswith("| AUC")]
    assert rows == ["| 1 |", "| 2 |", "| 1 |", " |  |"]
    assert "Notes:\n\n1. nothing retrained.\n2. 120 epochs.\n" in card


def test_a_leak_or_doubt_is_told_where_the_card_spoke_of_clean_trials():
    score = Score(name="AUC", value=0.7, n=6, unit="recordings")
    clean = model_card(SPEC, DATA, [score], split={"leak_reason": None})
    assert clean.count("trained nothing") == 2
    split = {"leak_reason": "one recording only", "doubt": "unknown samples"}
    card = model_card(SPEC, DATA, [score], split=split)
    assert "trained nothing" not in card
    stamps = "training may know (leak allowed: one recording only; doubt: unknown samples)"
    assert f"on held-out trials that {stamps}; controls" in card
    assert "were held out, but training may know them (leak allowed: one" in card


def test_bundle_of_a_run_carries_it_with_the_runs_scores(trained):
    text = (trained.run.path / "bundle" / "README.md").read_text()
    spec, data = (trained.run.read_json(f) for f in ("bundle/spec.json", "dataset.json"))
    scores = scores_from_json(trained.run.read_json("scores.json"))
    assert text == model_card(spec, data, scores)
    assert "permuted labels" in text
    assert spec["montage"] == data["montage"]
    assert spec["scaling"]["divide_by"] == "scaler.scale"
