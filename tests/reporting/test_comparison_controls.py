import pytest

from phosphene.reporting.comparison_controls import control_block
from phosphene.reporting.comparison_runs import read_run
from phosphene.reporting.comparison_systems import group_runs


@pytest.fixture
def block_of(write_result, tmp_path):
    def block_of(*noises):
        runs = [
            read_run(write_result(tmp_path / f"r{i}", seed=i, noise=noise))
            for i, noise in enumerate(noises)
        ]
        return control_block(group_runs(runs))

    return block_of


def test_controls_in_their_range_are_inside(block_of):
    block = block_of(0.55)
    assert [column.key for column in block.columns] == ["noise input", "shuffled features"]
    (line,) = block.lines
    assert [(c.text, c.state, c.small) for c in line.cells] == [
        ("inside", "inside", ("1 of 1 inside",)),
        ("inside", "inside", ("1 of 1 inside",)),
    ]
    assert block.remarks == ()


@pytest.mark.parametrize(
    ("noise", "state"), [(0.605, "outside"), (0.95, "alarm"), (0.3, "outside")]
)
def test_a_control_that_leaves_its_range_is_named_with_its_run(block_of, noise, state):
    block = block_of(0.55, noise)
    (line,) = block.lines
    assert (line.cells[0].state, line.cells[0].small) == (state, ("1 of 2 inside",))
    (remark,) = block.remarks
    assert remark.startswith(
        f"r1: noise input: net, balanced accuracy: {noise:.3f}, expected 0.400"
    )
    assert ("do not trust" in remark) is (state == "alarm")
    assert line.cells[0].plain == {"state": state, "n_inside": 1, "n_checked": 2}


def test_kinds_that_no_run_has_get_no_column(write_result, tmp_path):
    runs = [read_run(write_result(tmp_path / "r", draws=False))]
    block = control_block(group_runs(runs))
    assert [column.key for column in block.columns] == ["noise input"]
