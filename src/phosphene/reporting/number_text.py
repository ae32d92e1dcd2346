"""How numbers are written in a report."""

from phosphene.score import Score


def value_text(value: float) -> str:
    """Return three decimals below ten, fewer above: 0.893, 23.4, 6250."""
    size = abs(value)
    text = f"{value:.3f}" if size < 10 else f"{value:.1f}" if size < 1000 else f"{value:,.0f}"
    return text.replace("-", "−")


def range_text(low: float | None, high: float | None) -> str:
    """Return "0.880 to 0.905", or nothing where an end is unknown."""
    if low is None or high is None:
        return ""
    return f"{value_text(low)} to {value_text(high)}"


def count_text(score: Score) -> str:
    """Return "2,000 trials"."""
    return f"{score.n:,} {score.unit}"


def percent_text(share: float) -> str:
    """Return a share as whole percent, never rounded up to 100 %."""
    percent = 99 if 0.99 < share < 1 else round(100 * share)
    return f"{percent} %"
