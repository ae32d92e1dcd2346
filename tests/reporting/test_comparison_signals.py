import pytest

from phosphene.reporting.comparison import compare_runs
from phosphene.reporting.comparison_page import comparison_to_json
from phosphene.reporting.comparison_runs import read_run
from phosphene.reporting.comparison_signals import check_signals, signal_block
from phosphene.reporting.comparison_systems import group_runs

RANK, FRECHET = "picture specificity (rank)", "Fréchet distance[domain]"


def scores(value, methods=("GAN", "pre-trained GAN")):
    base = {"n": 9, "unit": "pictures", "section": "signals", "low": 0.0, "high": 9.0}
    luck = {"chance": 0.5, "chance_low": 0.4, "chance_high": 0.6}
    rows = [(method, "result", value) for method in methods]
    rows += [("real", "reference", 0.9), ("noise", "control", 0.55)]
    found = []
    for method, role, number in rows:
        one = {**base, "method": method, "role": role}
        found.append({**one, **luck, "name": f"{RANK}, test pictures", "value": number})
        for of, add in (("training", 5.0), ("test", 3.0)):
            name = f"{FRECHET}, {of} pictures"
            more = {"extractor": "domain", "higher_is_better": False}
            found.append({**one, "name": name, "value": number + add, **more})
    return found


@pytest.fixture
def read(write_result, tmp_path):
    def read(
        name, value=0.7, *, digest="cd", n_scored=100, methods=("GAN", "pre-trained GAN"), **to
    ):
        settings = {"n_scored": n_scored, **to.pop("settings", {})}
        run = write_result(tmp_path / name, draws=False, settings=settings, **to)
        run.write_json("scores.json", scores(value, methods))
        network = {"classifier": {"digest": digest}} if digest else {}
        run.write_json("networks.json", network)
        return read_run(run)

    return read


def table(block):
    names = [column.key for column in block.columns]
    return {
        line.label: {
            name: cell.text for name, cell in zip(names, line.cells, strict=True) if cell.text
        }
        for line in block.lines
    }


def test_each_run_brings_its_systems_on_test_pictures(read):
    runs = [read("a", 0.6, recipe="one"), read("b", 0.8, recipe="two", methods=("own",))]
    block = signal_block(group_runs(runs), each_seed=False)
    assert table(block) == {
        "one quick: GAN": {RANK: "0.600", FRECHET: "3.600"},
        "one quick: pre-trained GAN": {RANK: "0.600", FRECHET: "3.600"},
        "two quick: own": {RANK: "0.800", FRECHET: "3.800"},
        "real signals": {RANK: "0.900", FRECHET: "3.900"},
    }
    assert [column.small for column in block.columns] == ["", "lower is better"]
    assert block.lines[-1].reference
    assert block.lines[0].cells[0].small == ("0.000 to 9.000", "chance 0.400 to 0.600")


def test_seeds_are_averaged(read):
    runs = [read("a", 0.6, seed=0), read("b", 0.8, seed=1)]
    block = signal_block(group_runs(runs), each_seed=False)
    assert block.lines[0].detail == "2 seeds"
    assert block.lines[0].cells[0].text == "0.700"
    assert block.lines[0].cells[0].small[0] == "0.600 to 0.800"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"digest": "ef"}, "one classifier of windows; a has one with the hash cd, b ef"),
        ({"n_scored": 50}, "equally many windows; a has windows: 100, b 50"),
    ],
)
def test_what_cannot_be_compared_is_refused(read, second, message):
    with pytest.raises(ValueError, match=message):
        check_signals([read("a"), read("b", recipe="two", **second)])


def test_scores_through_an_unnamed_classifier_are_left_out_and_said(read):
    runs = [read("a", recipe="one"), read("b", recipe="two", digest="", methods=("own",))]
    check_signals(runs)
    block = signal_block(group_runs(runs), each_seed=False)
    rows = table(block)
    assert FRECHET in rows["one quick: GAN"]
    assert rows["two quick: own"] == {RANK: "0.700"}
    assert "left out of b" in block.remarks[0]


def test_a_comparison_holds_them_and_their_controls(read, write_result, tmp_path):
    comparison = compare_runs([read("a", recipe="one"), read("b", recipe="two")])
    assert [block.key for block in comparison.blocks if block.key != "cost"] == [
        "signals",
        "controls",
    ]
    rows = comparison_to_json(comparison)["signals"]
    assert rows[0]["label"] == "one quick: GAN"
    assert rows[0]["values"][RANK]["value"] == pytest.approx(0.7)
    controls = next(block for block in comparison.blocks if block.key == "controls")
    assert [column.key for column in controls.columns] == ["noise"]
    assert controls.lines[0].cells[0].state == "inside"
    plain = compare_runs([read_run(write_result(tmp_path / "c"))])
    assert "signals" not in comparison_to_json(plain)
    assert "signals" not in [block.key for block in plain.blocks]
