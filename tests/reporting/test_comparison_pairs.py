from dataclasses import replace

import numpy as np
import pytest

from phosphene.evaluation.paired import paired_test
from phosphene.reporting.comparison_pairs import pair_block, pair_rows
from phosphene.reporting.comparison_runs import read_run
from phosphene.reporting.comparison_systems import group_runs
from phosphene.score import Score


def scored(values):
    """Scores of a run: pooled, and of each recording."""
    shared = {"name": "balanced accuracy", "method": "net", "split": "leave one recording out"}
    return (
        Score(value=float(np.mean(values)), n=len(values), unit="recordings", **shared),
        *(
            Score(value=float(v), n=50, unit="trials", fold=f"rec{i}", **shared)
            for i, v in enumerate(values)
        ),
        Score(value=0.5, n=50, unit="trials", fold="rec0", role="baseline", **shared),
    )


@pytest.fixture
def systems_of(write_result, tmp_path):
    def systems_of(tables):
        runs = []
        for name, seeds in tables.items():
            for seed, values in enumerate(seeds):
                run = read_run(
                    write_result(tmp_path / f"{name}{seed}", recipe=f"{name}_2020", seed=seed)
                )
                runs.append(replace(run, scores=scored(values)))
        return group_runs(runs)

    return systems_of


def test_difference_is_that_of_the_paired_test(systems_of):
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.8, 0.03, (2, 6)), rng.normal(0.6, 0.03, (1, 6))
    block = pair_block(systems_of({"a": first, "b": second}))
    (line,) = block.lines
    expected = paired_test(first, second, n_trials=np.full(6, 50.0))
    assert line.label == "a_2020 quick − b_2020 quick"
    assert line.cells[0].plain["value"] == pytest.approx(expected.difference)
    assert line.cells[1].plain["value"] == pytest.approx(expected.p_value)
    assert line.cells[2].small == ("differ",)
    assert line.cells[3].text.endswith("and one seed")
    (remark,) = block.remarks
    assert "one seed: b_2020 quick." in remark
    (row,) = pair_rows([block])
    assert row["p after Holm"]["value"] == pytest.approx(expected.p_value)


def test_many_pairs_are_corrected_and_those_with_the_best_are_shown(systems_of):
    rng = np.random.default_rng(1)
    tables = {f"s{i}": rng.normal(0.6, 0.05, (1, 6)) for i in range(6)}
    tables["best"] = rng.normal(0.65, 0.05, (1, 6)) + 0.1
    block = pair_block(systems_of(tables))
    assert len(block.lines) == 6
    assert all("best_2020" in line.label for line in block.lines)
    assert any("15 pairs" in remark for remark in block.remarks)
    for line in block.lines:
        plain, corrected = (line.cells[i].plain["value"] for i in (1, 2))
        assert corrected >= min(1, 15 * plain)  # of 21 pairs


def test_systems_without_shared_recordings_are_not_tested(systems_of):
    systems = systems_of({"a": [[0.7, 0.6]], "b": [[0.6, 0.5]]})
    block = pair_block(systems)
    assert (block.columns, block.lines, block.remarks) == ((), (), ())
    assert pair_rows([block]) == []
    assert pair_block(systems[:1]).lines == ()
