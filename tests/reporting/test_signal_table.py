from phosphene.reporting.signal_table import signal_table
from phosphene.score import Score


def score(name, method, value, role="result", of="test", section="signals"):
    ends = {"train": ", training pictures", "test": ", test pictures"}
    return Score(
        name=name + ends[of],
        value=value,
        low=value - 0.5,
        high=value + 0.5,
        n={"train": 94, "test": 24}[of],
        unit="pictures",
        section=section,
        role=role,
        method=method,
    )


def test_rows_and_columns_are_those_of_the_thesis():
    scores = [
        score("amplitude distance", "GAN", 3.0),
        score("Fréchet distance[raw]", "noise", 9343.4, "control"),
        score("Fréchet distance[raw]", "real", 120.0, "reference"),
        score("Fréchet distance[raw]", "pre-trained GAN", 2126.8),
        score("Fréchet distance[raw]", "GAN", 5789.57, of="train"),
        score("IS[domain]", "GAN", 1.93),
        score("FID[inception-2015]", "GAN", 320.69),
        score("IS[domain]", "real", 1.29, "reference"),
    ]
    table = signal_table(scores)
    assert table.sets == (("training pictures", 1), ("test pictures", 3))
    assert table.metrics == (
        "Fréchet distance[raw]",
        "IS[domain]",
        "FID[inception-2015]",
        "Fréchet distance[raw]",
    )
    assert [row.method for row in table.rows] == ["pre-trained GAN", "GAN", "noise", "real"]
    assert [cell.value for cell in table.rows[1].cells] == ["5,790", "1.930", "320.7", ""]
    assert table.rows[3].cells[1].interval == "0.790 to 1.790"
    assert table.counts == "94 training pictures and 24 test pictures"


def test_scores_of_pictures_are_not_of_signals():
    assert signal_table([score("IS[domain]", "generated", 7.0, section="pictures")]) is None
    assert signal_table([score("amplitude distance", "GAN", 7.0)]) is None
