"""Mistakes on the command line, as opposed to failures: they end with exit code 2."""

from collections.abc import Iterable

from phosphene._checks import check_option


class WrongUseError(ValueError):
    """The command line names something that does not exist or lacks something it needs."""


def check_use(name: str, value: str, options: Iterable[str]) -> None:
    """Refuse a word of the command line that is none of the options, naming the nearest."""
    try:
        check_option(name, value, options)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
