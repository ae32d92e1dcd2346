"""Learning rates over the course of training."""

from collections.abc import Callable
from math import cos, pi

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from phosphene._checks import check_at_least, check_option

SCHEDULES = ("constant", "cosine", "inverse_time")


def make_schedule(
    optimizer: Optimizer,
    *,
    kind: str = "constant",
    n_steps: int | None = None,
    n_warmup: int = 0,
    decay: float = 0.0,
) -> LambdaLR:
    """Return a schedule to be advanced once per step.

    Parameters
    ----------
    optimizer
        Optimiser whose learning rate is scaled.
    kind
        "constant"; "cosine": from full to zero over `n_steps`; "inverse_time": divided by
        1 + `decay` * step, the `decay` of Keras' optimisers.
    n_steps
        Length of training; needed for "cosine".
    n_warmup
        Steps over which the rate first rises linearly.
    decay
        Growth of the divisor per step, for "inverse_time" alone.
    """
    check_option("schedule", kind, SCHEDULES)
    check_at_least("decay", decay, 0)
    if (decay > 0) != (kind == "inverse_time"):
        raise ValueError(
            f"a decay must go with the inverse_time schedule, and that one with a decay; got the "
            f"schedule {kind!r} and a decay of {decay:g}. Change one of them."
        )
    if kind == "cosine" and not n_steps:
        raise ValueError(
            f"a cosine schedule must know the length of training; got n_steps={n_steps}. "
            "Pass `n_steps`, or choose the constant schedule."
        )
    return LambdaLR(optimizer, _scale(kind, n_steps or 0, n_warmup, decay))


def _scale(kind: str, n_steps: int, n_warmup: int, decay: float) -> Callable[[int], float]:
    def scale(step: int) -> float:
        rise = min(1.0, (step + 1) / (n_warmup + 1))
        if kind == "constant":
            return rise
        if kind == "inverse_time":
            return rise / (1 + decay * step)
        return rise * (1 + cos(pi * min(step / n_steps, 1))) / 2

    return scale
