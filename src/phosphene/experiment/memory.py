"""What was computed once in a run is not computed again while what it rests on stays the same."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Memory:
    """Results of functions by name and arguments, for as long as this object lives.

    A run is scored after each stage, and most of its scores are then what they were: permutations
    and bootstraps take longer than reading their arrays. Arguments are compared by content, so a
    changed array or setting is never missed.
    """

    found: dict[str, Any] = field(default_factory=dict)

    def ask(self, function: Callable[..., Any], *arguments: Any, **words: Any) -> Any:
        """Return what the function returns, which must follow from its arguments alone."""
        key = _digest(function, arguments, words)
        if key not in self.found:
            self.found[key] = function(*arguments, **words)
        return self.found[key]


def _digest(function: Callable[..., Any], arguments: tuple, words: dict[str, Any]) -> str:
    found = hashlib.sha256(f"{function.__module__} {function.__qualname__}".encode())
    for name, value in [*enumerate(arguments), *sorted(words.items())]:
        plain = not isinstance(value, np.ndarray) or value.dtype.hasobject
        about = repr(value.tolist() if isinstance(value, np.ndarray) else value) if plain else ""
        found.update(f"\n{name} {np.shape(value)} {getattr(value, 'dtype', '')} {about}".encode())
        if not plain:
            found.update(np.ascontiguousarray(value).tobytes())
    return found.hexdigest()
