import pytest

from phosphene._checks.structure import check_structure

FIELDS = {
    "name": str,
    "size": {"n": int, "rate": float},
    "tags": [str],
    "counts": {str: int},
    "note": (None, str),
    "more?": {"x": bool},
    "any": object,
}
SOUND = {
    "name": "a",
    "size": {"n": 1, "rate": 2},
    "tags": [],
    "counts": {"a": 1},
    "note": None,
    "any": [1],
}


def check(value):
    check_structure(value, FIELDS, where="a.json", remedy="write it again.")


def test_accepts_what_is_expected_and_more():
    check(SOUND)
    check({**SOUND, "note": "x", "more": {"x": True}, "unknown": 1})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": 1}, "`name` of a.json must be text; got 1; write it again."),
        ({"size": []}, "`size` of a.json must be an object; got []"),
        ({"size": {"n": 1}}, "a.json must hold `size.rate`; it lacks that"),
        ({"size": {"n": 1.0, "rate": 1}}, "`size.n` of a.json must be a whole number; got 1.0"),
        ({"size": {"n": True, "rate": 1}}, "`size.n` of a.json must be a whole number"),
        ({"size": {"n": 2**70, "rate": 1}}, "`size.n` of a.json must be a whole number"),
        ({"size": {"n": 1, "rate": 10**400}}, "`size.rate` of a.json must be a number"),
        ({"tags": ["a", None]}, "`tags.1` of a.json must be text; got None"),
        ({"counts": {"a": "1"}}, "`counts.a` of a.json must be a whole number; got '1'"),
        ({"note": 1}, "`note` of a.json must be null or text; got 1"),
        ({"more": {}}, "a.json must hold `more.x`"),
    ],
)
def test_names_the_first_value_of_another_type(change, says):
    with pytest.raises(ValueError, match=r"of a\.json|must hold") as error:
        check({**SOUND, **change})
    assert str(error.value).startswith(says)


def test_messages_stay_short():
    with pytest.raises(ValueError, match="the content") as error:
        check(["x" * 10_000])
    assert len(str(error.value)) < 300
