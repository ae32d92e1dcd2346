import pytest

from phosphene.reporting.comparison_runs import read_run
from phosphene.reporting.comparison_systems import Measure, Measured, group_runs
from phosphene.score import Score


@pytest.fixture
def read(write_result, tmp_path):
    def read(name, **fields):
        return read_run(write_result(tmp_path / name, **fields))

    return read


def test_seeds_of_one_recipe_and_settings_are_one_system(read):
    runs = [read("a", seed=0), read("b", seed=1), read("c", recipe="other_2021")]
    systems = group_runs(runs)
    assert [(s.label, [r.name for r in s.runs]) for s in systems] == [
        ("fake_2020 quick", ["a", "b"]),
        ("other_2021 quick", ["c"]),
    ]


def test_namesakes_are_called_by_what_differs(read):
    augments = {"a": [], "b": ["color"]}
    runs = [read(name, settings={"augment": some}) for name, some in augments.items()]
    labels = [s.label for s in group_runs(runs)]
    assert labels == ["fake_2020 quick, augment none", "fake_2020 quick, augment color"]
    runs = [read("c", settings={"x": 0.0}), read("d", settings={"x": 0.25})]
    assert [s.label for s in group_runs(runs)] == [
        "fake_2020 quick, x 0",
        "fake_2020 quick, x 0.25",
    ]


def test_long_differences_are_cut_and_then_told_by_the_folder(read):
    many = [{f"x{i}": i * sign for i in range(1, 7)} for sign in (1, -1)]
    labels = [
        s.label for s in group_runs([read(n, settings=m) for n, m in zip("ab", many, strict=True)])
    ]
    assert labels[0] == "fake_2020 quick, x1 1, x2 2, x3 3, x4 4, …"
    assert len(set(labels)) == 2


def test_a_variant_is_called_by_its_name(write_result, tmp_path):
    run = read_run(write_result(tmp_path / "r"), variant="neither")
    assert [s.label for s in group_runs([run])] == ["neither"]


def _measure(*values):
    each = [
        Measured(run=f"r{i}", seed=i, value=v, low=v - 1, high=v + 1) for i, v in enumerate(values)
    ]
    return Measure(each=tuple(each))


def test_one_run_has_its_interval_and_several_their_ends():
    assert (_measure(3.0).value, _measure(3.0).low, _measure(3.0).high) == (3.0, 2.0, 4.0)
    several = _measure(3.0, 5.0, 7.0)
    assert (several.value, several.low, several.high) == (5.0, 3.0, 7.0)


def test_seeds_that_agree_keep_the_interval():
    assert (_measure(3.0, 3.0).low, _measure(3.0, 3.0).high) == (2.0, 4.0)


def test_chance_of_several_seeds_holds_all_of_theirs():
    ends = [(0.4, 0.6), (0.45, 0.7)]
    each = [
        Measured(run="r", seed=i, value=0.5, chance_low=low, chance_high=high)
        for i, (low, high) in enumerate(ends)
    ]
    assert Measure(each=tuple(each)).chance == (0.4, 0.7)
    assert Measure(each=(*each, Measured(run="r", seed=2, value=0.5))).chance is None


def test_a_seed_without_the_score_leaves_the_system_without_it(read):
    (system,) = group_runs([read("a", seed=0), read("b", seed=1, draws=False)])

    def drawn(run):
        return [s for s in run.scores if s.section == "pictures" and s.role == "result"][:1]

    assert system.measure(drawn) is None
    assert system.measure(lambda run: run.scores[:1]).value == pytest.approx(0.7)


def test_folds_scored_apart_count_by_their_mean_without_interval(read):
    (system,) = group_runs([read("a")])
    scores = [
        Score(name="IS", value=v, low=0.0, high=9.0, n=1, unit="pictures") for v in (2.0, 4.0)
    ]
    measure = system.measure(lambda run: scores)
    assert (measure.value, measure.low, measure.high) == (3.0, None, None)


def test_plain_numbers_need_every_run(read):
    (system,) = group_runs([read("a", seed=0), read("b", seed=1, timings=None)])
    assert system.number(lambda run: run.train_s) is None
    assert system.number(lambda run: 2.0).value == 2.0
