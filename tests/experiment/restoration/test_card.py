import pytest

from phosphene.experiment.restoration.card import restoration_card
from phosphene.score import Score

SPEC = {
    "recipe": "cnn_lstm_2018",
    "citation": "Somebody 2018",
    "name": "CNN-LSTM",
    "fold": "pictures",
    "network": {"network": "CNNLSTM"},
    "size": [28, 30],
    "color": 1,
    "corruption": "lower_half+salt_pepper:0.1",
}
DATA = {
    "name": "mnist",
    "origin": "plain pictures",
    "data_hash": "abc",
    "n_train": 60000,
    "n_test": 10000,
    "design": {"unit": "picture", "reason": "official test pictures"},
    "licence": "CC BY-SA 3.0\nmore",
    "citation": "LeCun",
}
SCORES = [
    Score(
        name="RMSE[missing]",
        value=0.25,
        n=10000,
        unit="pictures",
        section="restoration",
        method=method,
        role=role,
        fold=fold,
    )
    for method, role, fold in (
        ("CNN-LSTM", "result", "equal time"),
        ("mean picture", "baseline", "all"),
    )
]


def test_says_what_it_takes_what_it_undoes_and_what_it_cannot_know():
    card = restoration_card(SPEC, DATA, ())
    assert card.startswith("# Restoration of corrupted pictures (cnn_lstm_2018, CNN-LSTM)")
    assert "it is not recovered" in card
    assert "30 x 28 pixels (width x height), grey" in card
    assert "colored ones are refused unless --convert" in card
    assert "`lower_half+salt_pepper:0.1`" in card
    assert "60,000 pictures trained, 10,000 were held out (official test pictures)" in card
    assert "Licence found beside the pictures: CC BY-SA 3.0." in card
    assert "Cite: LeCun." in card
    assert "Not scored yet" in card


def test_scores_say_what_all_systems_had_equally_much_of():
    card = restoration_card(SPEC, DATA, SCORES)
    assert "| RMSE[missing] | CNN-LSTM, equal time | 0.250 |" in card
    assert "| RMSE[missing] | mean picture (baseline) | 0.250 |" in card
    assert "Not scored yet" not in card


@pytest.mark.parametrize("scores", [(), SCORES])
def test_a_doubt_is_told(scores):
    split = {"doubt": "twins"}
    assert "doubt: twins" in restoration_card(SPEC, DATA, scores, split=split)
    assert "doubt" not in restoration_card(SPEC, DATA, scores, split={})


def test_a_network_of_colors_refuses_grey_ones():
    card = restoration_card({**SPEC, "color": 3}, DATA, ())
    assert "RGB" in card
    assert "grey ones are refused" in card
