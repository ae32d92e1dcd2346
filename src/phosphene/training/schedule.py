"""Learning rates over the course of training."""

from collections.abc import Callable
from math import cos, pi

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from phosphene._checks import check_option

SCHEDULES = ("constant", "cosine")


def make_schedule(
    optimizer: Optimizer, *, kind: str = "constant", n_steps: int | None = None, n_warmup: int = 0
) -> LambdaLR:
    """Return a schedule to be advanced once per step.

    Parameters
    ----------
    optimizer
        Optimiser whose learning rate is scaled.
    kind
        "constant", or "cosine": from full to zero over `n_steps`.
    n_steps
        Length of training; needed for "cosine".
    n_warmup
        Steps over which the rate first rises linearly.
    """
    check_option("schedule", kind, SCHEDULES)
    if kind == "cosine" and not n_steps:
        raise ValueError(
            f"a cosine schedule must know the length of training; got n_steps={n_steps}. "
            "Pass `n_steps`, or choose the constant schedule."
        )
    return LambdaLR(optimizer, _scale(kind, n_steps or 0, n_warmup))


def _scale(kind: str, n_steps: int, n_warmup: int) -> Callable[[int], float]:
    def scale(step: int) -> float:
        rise = min(1.0, (step + 1) / (n_warmup + 1))
        if kind == "constant":
            return rise
        return rise * (1 + cos(pi * min(step / n_steps, 1))) / 2

    return scale
