"""The types that a JSON file must have before its values are used."""

from collections.abc import Mapping
from typing import Any

from phosphene._checks.files import shown

MAX_NUMBER = 2**53
"""Largest number that JSON carries without loss, and that fits every array."""

_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    None: "null",
}


def check_structure(value: Any, expected: Any, *, where: str, remedy: str, at: str = "") -> None:
    """Refuse JSON values of other types than expected.

    Parameters
    ----------
    value
        What was read.
    expected
        `str`, `int`, `float` (which takes whole numbers too), `bool`, None or `object` (anything);
        a tuple of alternatives; ``[T]``, a list of them; ``{str: T}``, an object with any names;
        ``{"name": T, "other?": T}``, an object with at least these, of which "other" may be
        missing.
    where
        The file, as the message names it.
    remedy
        What to do about it.
    at
        Names that lead to this value.

    Raises
    ------
    ValueError
        Naming the first value that differs.
    """
    if not _fits(value, expected):
        raise ValueError(
            f"`{at or 'the content'}` of {where} must be {_describe(expected)}; got "
            f"{shown(value)}; {remedy}"
        )
    further: list[tuple[str, Any, Any]] = []
    if isinstance(expected, tuple):
        expected = next(each for each in expected if _fits(value, each))
    if isinstance(expected, list):
        further = [(str(i), item, expected[0]) for i, item in enumerate(value)]
    elif isinstance(expected, Mapping) and str in expected:
        further = [(name, item, expected[str]) for name, item in value.items()]
    elif isinstance(expected, Mapping):
        for name, kind in expected.items():
            plain = name.removesuffix("?")
            if plain in value:
                further.append((plain, value[plain], kind))
            elif plain == name:
                raise ValueError(f"{where} must hold `{_join(at, name)}`; it lacks that; {remedy}")
    for name, item, kind in further:
        check_structure(item, kind, where=where, remedy=remedy, at=_join(at, name))


def _fits(value: Any, expected: Any) -> bool:
    """Say whether the outermost type is right."""
    if isinstance(expected, tuple):
        return any(_fits(value, each) for each in expected)
    if isinstance(expected, list | Mapping):
        return isinstance(value, list if isinstance(expected, list) else dict)
    if expected is None or expected is object:
        return value is None or expected is object
    if expected in (int, float):
        kinds = int if expected is int else int | float
        return (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and -MAX_NUMBER <= value <= MAX_NUMBER
        )
    return isinstance(value, expected)


def _describe(expected: Any) -> str:
    if isinstance(expected, tuple):
        return " or ".join(map(_describe, expected))
    if isinstance(expected, list):
        return "a list"
    return "an object" if isinstance(expected, Mapping) else _WORDS[expected]


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name[:100]
