from dataclasses import replace
from pathlib import Path

import pytest

from phosphene.recipe import Recipe
from phosphene.reporting.comparison import BEST, REAL, compare_runs
from phosphene.reporting.comparison_runs import read_run
from phosphene.score import Score


@pytest.fixture
def read(write_result, tmp_path):
    def read(name, **fields):
        return read_run(write_result(tmp_path / name, **fields))

    return read


def _table(comparison, key):
    """Return {row: {column: text}} of a block."""
    block = next(block for block in comparison.blocks if block.key == key)
    names = [column.key for column in block.columns]
    return {
        line.label: {n: cell.text for n, cell in zip(names, line.cells, strict=True)}
        for line in block.lines
    }


def test_decoding_stands_beside_the_linear_decoder_of_the_same_run(read):
    comparison = compare_runs([read("a", value=0.7), read("b", recipe="b_2021", value=0.8)])
    table = _table(comparison, "decoding")
    assert table["fake_2020 quick"] == {
        "balanced accuracy": "0.700",
        "balanced accuracy of shrinkage LDA": "0.600",
        "AUC": "0.750",
        "k-means accuracy": "0.600",
    }
    assert table["b_2021 quick"]["balanced accuracy"] == "0.800"


def test_pictures_stand_above_real_ones_and_decoders_leave_the_table(read):
    comparison = compare_runs([read("a", value=0.7), read("b", recipe="b_2021", draws=False)])
    assert _table(comparison, "pictures") == {
        "fake_2020 quick": {"class consistency (shown)": "0.700", "IS[domain]": "2.200"},
        REAL: {"class consistency (shown)": "", "IS[domain]": "1.900"},
    }


def test_seeds_are_averaged_and_counted(read):
    comparison = compare_runs([read(f"s{k}", seed=k, value=0.6 + 0.1 * k) for k in range(3)])
    assert _table(comparison, "decoding")["fake_2020 quick"]["balanced accuracy"] == "0.700"
    (line,) = (x for b in comparison.blocks for x in b.lines if b.key == "decoding")
    assert line.detail == "3 seeds"
    assert line.cells[0].small[0] == "0.600 to 0.800"
    each = compare_runs([run for s in comparison.systems for run in s.runs], each_seed=True)
    assert each.blocks[0].lines[0].cells[0].small[0] == "0.600, 0.700, 0.800"


def test_scores_through_unnamed_networks_are_left_out_and_said(read):
    older = read("b", recipe="b_2021", networks=None)
    comparison = compare_runs([read("a"), older])
    table = _table(comparison, "pictures")
    assert table["fake_2020 quick"]["IS[domain]"] == "2.200"
    assert set(table["b_2021 quick"].values()) == {""}
    assert any("does not name its weights" in note and "b" in note for note in comparison.notes)
    assert _table(compare_runs([older]), "pictures")["b_2021 quick"]["IS[domain]"] == "2.200"


def test_published_weights_and_domain_are_separate_columns(read):
    run = read("a")
    more = Score(
        name="IS[inception-2015]", value=3.0, n=40, unit="pictures", section="pictures", fold="a",
        extractor="inception-2015",
    )  # fmt: skip
    comparison = compare_runs([replace(run, scores=(*run.scores, more))])
    assert list(_table(comparison, "pictures")["fake_2020 quick"]) == [
        "class consistency (shown)",
        "IS[domain]",
        "IS[inception-2015]",
    ]


def test_the_best_possible_decoder_is_a_reference_row(read):
    run = read("a")
    reference = {"section": "ceiling", "role": "reference"}
    best = Score(name="balanced accuracy", value=0.9, n=9, unit="draws", **reference)
    comparison = compare_runs([replace(run, scores=(best, *run.scores))])
    row = _table(comparison, "decoding")[BEST]
    assert row == {name: "0.900" if name == "balanced accuracy" else "" for name in row}


def test_what_is_not_known_of_cost_has_no_column(read):
    cost = _table(compare_runs([read("a")]), "cost")["fake_2020 quick"]
    assert cost == {"encoder parameters": "1,200", "training seconds": "40.5", "threads": "2"}
    bare = compare_runs([read("b", networks=None, timings=None)])
    assert "cost" not in [block.key for block in bare.blocks]


def test_notes_tell_of_leaks_and_of_other_threads(read):
    leaky = {"leak_reason": "a test"}
    runs = [
        read("a", split=leaky),
        read("b", recipe="b_2021", split=leaky, timings={"n_threads": 8}),
    ]
    notes = compare_runs(runs).notes
    assert notes.count("Leak allowed: a test.") == 1
    assert "Times were taken with 2 and 8 threads: they do not compare." in notes


def test_facts_name_data_split_and_trials(read):
    facts = dict(compare_runs([read("a")]).facts)
    assert facts["Data"] == "data (hash d1d1d1d1d1d1), 2 classes"
    assert facts["Held out"] == "40 trials, 2 folds"


def test_published_numbers_stay_apart(read):
    recipe = Recipe(
        key="fake_2020",
        title="",
        task="signal to class",
        paper="Nobody, 2020",
        url="https://x.org",
        wants="",
        presets={},
        published={"IS": 6.78},
        train=list,
        evaluate=list,
        module_folder=Path(),
    )
    comparison = compare_runs([read("a")], recipes=[recipe])
    (number,) = comparison.published
    assert (number.name, number.value, number.paper) == ("IS", 6.78, "Nobody, 2020")
    assert not any("6.78" in c.text for b in comparison.blocks for x in b.lines for c in x.cells)


def test_runs_that_cannot_be_compared_are_refused(read):
    with pytest.raises(ValueError, match="of the same data"):
        compare_runs([read("a"), read("b", recipe="b_2021", environment={"data_hash": "e"})])
