import pytest

from phosphene.reporting.comparison import compare_runs
from phosphene.reporting.comparison_page import comparison_to_json, render_comparison
from phosphene.reporting.comparison_restorations import (
    check_restorations,
    restoration_block,
    restoration_rows,
)
from phosphene.reporting.comparison_runs import read_run
from phosphene.reporting.comparison_systems import group_runs

ERROR, LATER = "RMSE[missing], equal time", "RMSE[missing], equal iterations"


@pytest.fixture(scope="module")
def runs(make_restoration_run):
    """Two seeds of one recipe and a run of another."""
    return [
        read_run(make_restoration_run(seed=0, gain=0.5)),
        read_run(make_restoration_run(seed=1, gain=0.6)),
        read_run(make_restoration_run(recipe="ours", gain=0.7)),
    ]


def column(block, key):
    place = [column.key for column in block.columns].index(key)
    return {line.label: line.cells[place] for line in block.lines}


def test_every_system_of_every_run_is_a_row_and_simple_methods_follow(runs):
    block = restoration_block(group_runs(runs), each_seed=False)
    lines = [(line.label, line.detail, line.reference) for line in block.lines]
    assert lines[:4] == [
        ("cnn_lstm_2018 quick: CNN-CNN with bottleneck", "2 seeds", False),
        ("cnn_lstm_2018 quick: CNN-LSTM", "2 seeds", False),
        ("ours quick: CNN-CNN with bottleneck", "", False),
        ("ours quick: CNN-LSTM", "", False),
    ]
    assert [label for label, _, reference in lines if reference] == [
        "corrupted picture",
        "mean picture",
        "total variation",
        "original picture",
    ]
    errors = column(block, ERROR)
    assert errors["cnn_lstm_2018 quick: CNN-LSTM"].text == "0.180"  # of 0.200 and 0.160
    assert errors["cnn_lstm_2018 quick: CNN-LSTM"].small == ("0.160 to 0.200",)
    assert errors["ours quick: CNN-LSTM"].text == "0.120"
    assert errors["mean picture"].text == "0.400"
    assert errors["original picture"].text == ""
    assert column(block, LATER)["ours quick: CNN-LSTM"].text == "0.120"


def test_sizes_and_speeds_stand_beside(runs):
    block = restoration_block(group_runs(runs), each_seed=False)
    assert column(block, "parameters")["ours quick: CNN-LSTM"].text == "1,234"
    assert column(block, "ms per iteration")["ours quick: CNN-LSTM"].text == "50"
    assert column(block, "iterations, equal time")["ours quick: CNN-LSTM"].text == "200"
    assert column(block, "parameters")["mean picture"].text == ""


def test_differences_within_a_run_are_no_columns(runs):
    block = restoration_block(group_runs(runs), each_seed=False)
    assert not [column.key for column in block.columns if "difference" in column.key]
    assert not [line.label for line in block.lines if " - " in line.label]


def test_page_and_json_hold_the_rows(runs):
    comparison = compare_runs(runs)
    stored = comparison_to_json(comparison)
    assert dict(comparison.facts)["Held out"] == "40 pictures, pictures held out"
    rows = {row["label"]: row["values"] for row in stored["restoration"]}
    assert rows["ours quick: CNN-LSTM"][ERROR]["value"] == pytest.approx(0.12)
    assert restoration_rows(comparison.blocks) == stored["restoration"]
    from datetime import UTC, datetime

    page = render_comparison(comparison, written=datetime.now(UTC))
    assert "Restored pictures: RMSE[missing], equal time" in page
    assert "ours quick: CNN-LSTM" in page


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("corruption", "lower_half", r"same corrupted pictures; .* the corruption .* --corruption"),
        ("split_seed", 3, "--split-seed"),
        ("n_scored", 7, "--n-scored"),
    ],
)
def test_other_corrupted_pictures_are_refused(make_restoration_run, runs, name, value, match):
    run = make_restoration_run()
    config = run.read_json("config.json")
    config["config"][name] = value
    run.write_json("config.json", config)
    with pytest.raises(ValueError, match=match):
        check_restorations([runs[0], read_run(run)])


def test_other_classifiers_are_refused_and_unnamed_ones_left_out(make_restoration_run, runs):
    run = make_restoration_run(recipe="ours")
    run.write_json("networks.json", {"classifier": {"digest": "cd" * 8}})
    with pytest.raises(ValueError, match="through one classifier"):
        check_restorations([runs[0], read_run(run)])
    run.write_json("networks.json", {"classifier": {}})
    both = [runs[0], read_run(run)]
    check_restorations(both)
    block = restoration_block(group_runs(both), each_seed=False)
    accuracy = column(block, "accuracy of the classifier, equal time")
    assert accuracy["cnn_lstm_2018 quick: CNN-LSTM"].text == "0.900"
    assert accuracy["ours quick: CNN-LSTM"].text == ""
    assert block.remarks == (
        "The accuracy of the classifier is left out of digits, which does not name its weights.",
    )


def test_runs_of_other_kinds_have_no_such_block():
    block = restoration_block([], each_seed=False)
    assert block.columns == ()
    assert restoration_rows([block]) == []
