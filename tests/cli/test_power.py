import json

import pytest

from phosphene.cli.main import main


def ask(capsys, *words):
    assert main(["power", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_words_name_what_is_detected_and_what_is_needed(capsys):
    assert main(["power", "--accuracy", "0.57"]) == 0
    text = capsys.readouterr().out
    for part in ("6 recordings of 50 trials", "detects", "needed", "subjects", "next"):
        assert part in text


def test_needed_numbers_have_the_power_asked_for(capsys):
    found = ask(capsys, "--accuracy", "0.57", "--power", "0.9")
    more = ask(
        capsys, "--accuracy", "0.57", "--power", "0.9",
        "--recordings", str(found["needed_recordings"]),
    )  # fmt: skip
    assert found["power"] < 0.9 <= more["power"]
    again = ask(capsys, "--accuracy", str(found["detectable_accuracy"]))
    assert again["power"] == pytest.approx(0.9, abs=1e-3)


def test_ceiling_and_features_give_what_is_learned(capsys):
    few, many = (ask(capsys, "--ceiling", "0.6", "--features", str(n)) for n in (16, 224))
    assert 0.6 > few["accuracy"] > many["accuracy"] > 0.5
    assert few["power"] > many["power"]
    assert few["needed_recordings"] < many["needed_recordings"]


def test_data_set_gives_its_own_design(data_folder, capsys):
    found = ask(capsys, str(data_folder))
    assert found["data"] == str(data_folder)
    assert (found["n_recordings"], found["n_units"], found["n_classes"]) == (4, 60, 4)
    assert found["n_subjects"] == 2
    assert ask(capsys, str(data_folder), "--recordings", "40")["n_recordings"] == 40


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--accuracy", "0.4"), "between chance"),
        (("--classes", "3", "--ceiling", "0.6"), "two classes"),
        (("--power", "1.0"), "`power`"),
    ],
)
def test_wrong_use(words, message, capsys):
    assert main(["power", *words]) == 2
    assert message in capsys.readouterr().err


def test_level_is_that_of_the_verdict(capsys):
    from phosphene.evaluation.verdict import ALPHA

    assert ask(capsys)["level"] == ALPHA
