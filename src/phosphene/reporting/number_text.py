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


def signal_scale(unit: object) -> tuple[float, str]:
    """Return the factor and the unit with which a signal is drawn: microvolts for volts."""
    return (1.0, unit) if isinstance(unit, str) and unit not in ("", "V") else (1e6, "µV")


def squared_unit(unit: str) -> str:
    """Return µV² or, where the unit is several letters and dots, (a.u.)²."""
    return f"({unit})²" if "." in unit else f"{unit}²"


def percent_text(share: float) -> str:
    """Return a share as whole percent, never rounded up to 100 %."""
    percent = 99 if 0.99 < share < 1 else round(100 * share)
    return f"{percent} %"
