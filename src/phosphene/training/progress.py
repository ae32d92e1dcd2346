"""The small interface through which training reports how far it is."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Hears of one stage after the other; a bar on a terminal, log lines elsewhere."""

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        ...

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Hear that `step` steps are done, with current values such as the loss."""
        ...

    def finish(self) -> None:
        """End the stage."""
        ...


class SilentProgress:
    """Say nothing."""

    def start(self, stage: str, total: int) -> None:
        """Ignore the stage."""

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Ignore the step."""

    def finish(self) -> None:
        """Ignore the end."""
