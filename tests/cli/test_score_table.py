import json

from phosphene.cli.score_table import print_scores
from phosphene.score import Score, scores_from_json

SCORES = [
    Score(name="AUC", value=0.5, n=6, unit="recordings", role="control", method="noise input"),
    Score(
        name="AUC", value=0.7, low=0.6, high=0.8, n=6, unit="recordings", method="LSTM",
        chance=0.5, chance_low=0.45, chance_high=0.55, note="Wide [margin].",
    ),
    Score(name="Fréchet distance[domain]", value=31.25, n=90, unit="pictures", section="pictures"),
]  # fmt: skip


def test_table_has_interval_chance_and_n(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    print_scores(SCORES)
    text = capsys.readouterr().out
    lstm = next(line for line in text.splitlines() if "LSTM" in line)
    for part in ("AUC", "0.700", "0.600–0.800", "0.450–0.550", "6 recordings"):
        assert part in lstm
    assert text.index("LSTM") < text.index("noise input")
    assert "Pictures" in text
    assert "31.2" in text
    assert "Wide [margin]." in text


def test_extractor_in_brackets_is_not_markup(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    print_scores(SCORES)
    assert "Fréchet distance[domain]" in capsys.readouterr().out


def test_json_is_the_scores(capsys):
    print_scores(SCORES, as_json=True)
    assert scores_from_json(json.loads(capsys.readouterr().out)) == SCORES


def test_leaves_decoding_of_single_recordings_to_the_report(capsys):
    from phosphene.cli.score_table import print_scores
    from phosphene.score import Score

    print_scores(
        [
            Score(name="AUC", value=0.7, n=100, unit="trials"),
            Score(name="AUC", value=0.123, n=10, unit="trials", fold="recording 7"),
            Score(
                name="IS[domain]", value=1.5, n=10, unit="pictures", section="pictures", fold="0"
            ),
        ]
    )
    printed = capsys.readouterr().out
    assert "0.123" not in printed
    assert "1 scores of single recordings" in printed
    assert "0.700" in printed
    assert "IS[domain], 0" in printed


def test_leaves_pictures_of_single_classes_to_the_report(capsys):
    words = {"section": "pictures", "unit": "pictures", "n": 10}
    whole = Score(name="IS[domain]", value=1.5, **words)
    single = Score(name="IS of class cat[domain]", value=1.234, note="Low is good.", **words)
    print_scores([whole, single, single])
    printed = capsys.readouterr().out
    assert "IS[domain]" in printed
    assert "1.234" not in printed
    assert "Low is good." not in printed
    assert "2 scores of single classes: in the report" in printed
