from dataclasses import replace

from phosphene.reporting.contents import read_contents
from phosphene.reporting.tables import command, flatten, score_table, settings_tables
from phosphene.run_dir import RunDir
from phosphene.score import Score

RESULT = Score(
    name="AUC", value=0.7, n=90, unit="trials", chance=0.5, chance_low=0.45, chance_high=0.55
)
CONTROL = replace(RESULT, role="control", value=0.6, method="permuted labels", note="retrained")


def test_controls_stand_below_their_result_and_are_marked():
    baseline = replace(RESULT, role="baseline", method="shrinkage LDA")
    table = score_table([CONTROL, baseline, RESULT])
    (metric,) = table.sections[0].metrics
    assert [line.role for line in metric.lines] == ["result", "baseline", "control"]
    assert [line.inside for line in metric.lines] == [None, None, False]
    assert metric.lines[2].footnotes == (1,)
    assert table.footnotes == ("retrained",)


def test_sections_come_in_order_and_equal_notes_share_a_mark():
    picture = replace(CONTROL, section="pictures", name="class consistency (shown)")
    table = score_table([picture, CONTROL])
    assert [section.title for section in table.sections] == ["Decoding", "Pictures"]
    assert table.footnotes == ("retrained",)


def test_protocol_is_said_once_when_shared_and_noted_when_not():
    first = replace(RESULT, split="leave one recording out", interval="exact")
    table = score_table([first, replace(first, name="k-means accuracy", interval="bootstrap")])
    assert ("Split", "leave one recording out") in table.shared
    assert "Interval: exact." in table.footnotes


def test_single_folds_have_a_table_of_their_own_unless_nothing_is_pooled():
    fold = replace(RESULT, fold="r1")
    picture = replace(fold, section="pictures", name="IS[domain]")
    scores = [RESULT, fold, picture]
    main, single = score_table(scores), score_table(scores, single_folds=True)
    assert [len(section.metrics) for section in main.sections] == [1, 1]
    assert main.sections[1].metrics[0].fold == "r1"
    assert len(single.sections) == 1
    assert score_table([RESULT], single_folds=True) is None


def test_settings_are_flattened_by_dots():
    tree = {"a": {"b": 1e-4, "c": None}, "d": [{"e": True}, {"e": False}], "f": list(range(20))}
    assert flatten(tree)[:4] == [
        ("a.b", "0.0001"),
        ("a.c", "none"),
        ("d.1.e", "yes"),
        ("d.2.e", "no"),
    ]
    assert flatten(tree)[4][1].endswith("(20 in all)")


def test_settings_name_split_and_versions(finished_run):
    tables = dict(settings_tables(read_contents(finished_run)))
    assert ("kept apart", "recording") in tables["Split"]
    assert ("pictures for the judge", "500") in tables["Split"]
    assert "versions.numpy" in dict(tables["Versions and machine"])


def test_command_quotes_and_prefers_what_was_typed(tmp_path, finished_run):
    expected = "phosphene train eeg2image_2023 quick --data digits"
    assert command(read_contents(finished_run)) == expected
    run = RunDir.create(tmp_path / "run")
    assert command(read_contents(run)) == ""
    run.write_json("config.json", {"command": ["phosphene", "train", "my data; rm"]})
    assert command(read_contents(run)) == "phosphene train 'my data; rm'"


def test_split_table_counts_pictures_shown_on_both_sides(finished_run):
    contents = read_contents(finished_run)
    pictures = {"generator": ["a", "b"], "judge": ["c"], "shown_in_both": 1200}
    split = {**contents.split, "pictures": pictures}
    lines = dict(dict(settings_tables(replace(contents, split=split)))["Split"])
    assert lines["pictures for the generator"] == "2"
    assert lines["pictures shown in training and test"] == "1,200"


def test_remarks_of_signals_are_footnotes_one_by_one():
    common = {"n": 9, "unit": "pictures", "section": "signals", "method": "GAN"}
    scores = [
        Score(name="a", value=1.0, note="9 windows; excess over real data 0.25", **common),
        Score(name="b", value=2.0, note="reconstructions; 9 windows", **common),
    ]
    table = score_table(scores)
    assert table.footnotes == ("9 windows", "reconstructions")
    marks = [metric.lines[0].footnotes for metric in table.sections[0].metrics]
    assert marks == [(1,), (2, 1)]
