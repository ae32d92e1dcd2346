"""Mistakes on the command line, as opposed to failures: they end with exit code 2."""

from collections.abc import Iterable, Sequence

from phosphene._checks import check_option


class WrongUseError(ValueError):
    """The command line names something that does not exist or lacks something it needs."""


def check_use(name: str, value: str, options: Iterable[str]) -> None:
    """Refuse a word of the command line that is none of the options, naming the nearest."""
    try:
        check_option(name, value, options)
    except ValueError as error:
        raise WrongUseError(str(error)) from None


def read_pairs(words: Sequence[str], *, option: str, example: str) -> dict[str, str]:
    """Read words like 1=houses; the last equals sign parts them, for codes may hold some."""
    pairs: dict[str, str] = {}
    for word in words:
        left, equals, right = word.rpartition("=")
        if not (left and equals and right):
            raise WrongUseError(f"`{option}` takes pairs like {example}; got '{word}'.")
        if left in pairs:
            raise WrongUseError(f"`{option}` names '{left}' twice; got {' '.join(words)}.")
        pairs[left] = right
    return pairs
