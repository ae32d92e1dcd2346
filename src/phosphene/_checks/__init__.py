"""The one place that phrases common errors: rule, value, remedy."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


def nearest_name(value: str, options: Iterable[str]) -> str | None:
    """Return the option that `value` most likely meant, None if nothing is near."""
    by_folded = {option.casefold(): option for option in options}
    near = difflib.get_close_matches(value.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def check_option(name: str, value: str, options: Iterable[str]) -> None:
    """Refuse a value that is not among the options, naming the nearest one."""
    options = list(options)
    if value in options:
        return
    if not options:
        raise ValueError(f"`{name}` has no options to choose from; got {value!r}.")
    near = nearest_name(value, options)
    remedy = f" Did you mean {near!r}?" if near else ""
    rule = f"one of {', '.join(map(repr, sorted(options)))}" if options[1:] else repr(options[0])
    got = repr(value) if len(value) <= 100 else f"{value[:97]!r}..."  # it may come from a file
    raise ValueError(f"`{name}` must be {rule}; got {got}.{remedy}")


def check_positive(name: str, value: int | float) -> None:
    """Refuse zero, negative numbers and NaN."""
    if not value > 0:
        raise ValueError(f"`{name}` must be greater than 0; got {value!r}.")


def check_at_least(name: str, value: int | float, least: int | float) -> None:
    """Refuse what is below `least`, infinity and NaN."""
    if not least <= value < float("inf"):
        raise ValueError(f"`{name}` must be at least {least} and finite; got {value!r}.")


def check_share(name: str, value: int | float, *, below_one: bool = False) -> None:
    """Refuse what is no share from 0 to 1; 1 itself where it must stay below."""
    if not 0 <= value <= 1 or (below_one and value == 1):
        end = "and below 1" if below_one else "and at most 1"
        raise ValueError(f"`{name}` must be at least 0 {end}; got {value!r}.")


def check_shape(
    name: str, shape: Sequence[int], expected: tuple[int | None, ...], axes: str
) -> None:
    """Refuse a shape that differs from the expected one.

    Parameters
    ----------
    name
        Parameter as the caller knows it.
    shape
        Shape that was passed.
    expected
        Length of each axis; None accepts any length.
    axes
        Names of the axes, space separated, as in "trial chan time".
    """
    fits = len(shape) == len(expected) and all(
        want is None or have == want for have, want in zip(shape, expected, strict=True)
    )
    if fits:
        return
    names = axes.split()
    wanted = ", ".join(
        axis if want is None else f"{axis}={want}"
        for axis, want in zip(names, expected, strict=True)
    )
    raise ValueError(f"`{name}` must have the shape ({wanted}); got {tuple(shape)}.")


def check_finite(name: str, array: Any) -> None:
    """Refuse NaN and infinity, saying how many there are and where the first one is."""
    import numpy as np

    bad = ~np.isfinite(np.asarray(array))
    if not bad.any():
        return
    first = tuple(int(axis[0]) for axis in np.nonzero(bad))
    raise ValueError(
        f"`{name}` must be finite; got {int(bad.sum())} NaN or infinite values of {bad.size}, "
        f"the first at index {first}. Remove or interpolate them first."
    )
