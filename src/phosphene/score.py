"""A number that travels with its protocol."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from phosphene._checks import check_option
from phosphene._checks.structure import check_structure

SECTIONS = ("decoding", "pictures", "signals", "restoration", "ceiling")
ROLES = ("result", "baseline", "control", "reference")

_NUMBERS = ("low", "high", "chance", "chance_low", "chance_high")
_TEXTS = ("section", "role", "method", "fold", "split", "selected_on", "interval", "note")
_STORED = {
    **{"name": str, "value": float, "n": int, "unit": str},
    **{f"{name}?": (None, float) for name in _NUMBERS},
    **{f"{name}?": str for name in _TEXTS},
    **{"higher_is_better?": bool, "extractor?": (None, str)},
}
"""What each record of scores.json must hold; a name with "?" may be missing."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number with its interval, chance level and the way it was obtained."""

    name: str
    """Metric, with the extractor in brackets where one is used: "IS[domain]"."""
    value: float
    low: float | None = None
    """Lower end of the 95 % interval."""
    high: float | None = None
    """Upper end of the 95 % interval."""
    n: int
    """Independent units that the interval rests on: not windows, not noise draws."""
    unit: str
    """What `n` counts: "trials", "recordings", "pictures"."""
    chance: float | None = None
    """Value expected when the input says nothing about the class."""
    chance_low: float | None = None
    """Lower end of the 95 % range of the value under chance."""
    chance_high: float | None = None
    """Upper end of the 95 % range of the value under chance."""
    higher_is_better: bool = True
    section: str = "decoding"
    """Where it is shown, one of `SECTIONS`."""
    role: str = "result"
    """"result", "baseline" (a simpler method), "control" (must fail) or "reference" (real data)."""
    method: str = ""
    """What was scored: "compact_cnn + softmax head", "shrinkage LDA", "real pictures"."""
    fold: str = "all"
    split: str = ""
    """How training and test were kept apart: "leave one recording out"."""
    extractor: str | None = None
    """Network whose features or probabilities the metric reads."""
    selected_on: str = "nothing (last step)"
    """Data that chose the checkpoint. Never test data."""
    interval: str = ""
    """How `low` and `high` were made."""
    note: str = ""
    """What a control retrains; why a leak was allowed."""

    def __post_init__(self) -> None:
        check_option("section", self.section, SECTIONS)
        check_option("role", self.role, ROLES)
        for name in ("value", *_NUMBERS):
            number = getattr(self, name)
            if number is None:
                continue
            if not math.isfinite(number):
                raise ValueError(
                    f"`{name}` of score {self.name!r} ({self.method or 'no method'}) must be "
                    f"finite; got {number!r}. Report no score where it cannot be computed."
                )
            object.__setattr__(self, name, float(number))  # numpy scalars are not JSON
        object.__setattr__(self, "n", int(self.n))
        if self.n < 1:
            raise ValueError(f"`n` of score {self.name!r} must be at least 1; got {self.n}.")

    def inside_chance(self) -> bool | None:
        """Say whether the value lies in its range under chance, None where there is no range."""
        if self.chance_low is None or self.chance_high is None:
            return None
        return self.chance_low <= self.value <= self.chance_high


def scores_to_json(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """Return plain dictionaries, one per score, in the order given."""
    return [asdict(score) for score in scores]


def scores_from_json(records: Sequence[Mapping[str, Any]]) -> list[Score]:
    """Read what `scores_to_json` wrote, refusing fields that no score has, and other types."""
    known = {field.name for field in fields(Score)}
    remedy = "score the run again with `phosphene evaluate`."
    check_structure(records, [{}], where="scores.json", remedy=remedy)
    for record in records:
        for key in record:
            check_option("score field", key, known)
    check_structure(records, [_STORED], where="scores.json", remedy=remedy)
    return [Score(**record) for record in records]
