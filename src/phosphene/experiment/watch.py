"""Who is told how a training of a fold goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from phosphene.training.devices import ALONE, Devices
from phosphene.training.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Where a training writes its records, whom it tells how far it is, and who takes part."""

    log: Callable[[Mapping[str, Any]], None]
    progress: Progress
    fold: str
    devices: Devices = ALONE

    def record(self, values: Mapping[str, Any]) -> None:
        """Append a record of the fold."""
        self.log({**values, "fold": self.fold})
