import json

from phosphene.cli.main import main


def test_table_names_presets_and_published_numbers(fake, capsys):
    assert main(["recipes"]) == 0
    text = capsys.readouterr().out
    for part in ("fake_2020", "Nobody, 2020", "paper, quick", "Inception Score 6.78", "next"):
        assert part in text


def test_json(fake, capsys):
    assert main(["recipes", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["key"] == "fake_2020"
    assert record["published"] == {"Inception Score": 6.78}
