from dataclasses import replace

from phosphene.reporting.figures.class_scores import class_scores
from phosphene.score import Score


def score(name, value, *, role="result", extractor="domain", fold="r1", n=50):
    return Score(
        name=f"{name}[{extractor}]",
        value=value,
        low=value - 0.2,
        high=value + 0.2,
        n=n,
        unit="pictures",
        section="pictures",
        role=role,
        fold=fold,
        extractor=extractor,
        note="low is good",
    )


APPLE, CAR = score("IS of class apple", 1.5), score("IS of class car", 1.2)
REAL = score("IS of class apple", 1.1, role="reference", n=40)
WHOLE, REAL_WHOLE = score("IS", 7.5), score("IS", 9.0, role="reference")


def test_each_class_stands_beside_its_real_pictures_and_all_come_last():
    (table,) = class_scores([WHOLE, REAL_WHOLE, APPLE, CAR, REAL])
    apple, car, whole = table.lines
    assert (apple.name, apple.value, apple.real, apple.n_real) == ("apple", "1.500", "1.100", "40")
    assert apple.interval == "1.300 to 1.700"
    assert apple.real_at < apple.row.dot
    assert (car.name, car.real, car.n_real, car.real_at) == ("car", "", "", None)
    assert (whole.name, whole.value, whole.real) == ("all classes", "7.500", "9.000")
    assert whole.row is None
    ends = (apple.row.whisker.left + apple.row.whisker.width, car.row.whisker.left, apple.real_at)
    assert max(ends) - min(ends) > 50  # the axis is that of single classes
    assert table.caveat == "low is good"
    assert (table.extractor, table.fold) == ("domain", "r1")
    assert set(table.scores) == {APPLE, CAR, REAL}


def test_folds_and_extractors_have_tables_of_their_own():
    other = score("IS of class apple", 6.1, extractor="inception-2015")
    pooled = score("IS of class apple", 1.4, fold="all")
    tables = class_scores([APPLE, other, pooled])
    assert [(table.extractor, table.fold) for table in tables] == [
        ("domain", "r1"),
        ("inception-2015", "r1"),
        ("domain", ""),
    ]
    assert [len(table.lines) for table in tables] == [1, 1, 1]


def test_class_names_may_hold_anything():
    name = "a[domain] of class <b>"
    (table,) = class_scores([score(f"IS of class {name}", 2.0)])
    assert table.lines[0].name == name


def test_controls_and_other_scores_stay_where_they_are():
    control = score("IS of class apple", 3.0, role="control")
    (table,) = class_scores([APPLE, control, WHOLE])
    assert set(table.scores) == {APPLE}
    assert class_scores([control, WHOLE, REAL]) == ()
    assert class_scores([replace(APPLE, section="decoding")]) == ()
