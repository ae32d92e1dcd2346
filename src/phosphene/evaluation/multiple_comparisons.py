"""P-values of several tests, corrected for their number."""

import numpy as np
from jaxtyping import Float


def holm(p_values: Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """Correct p-values so that any false finding among them is as rare as the level says.

    Valid however the tests depend on each other, and never weaker than Bonferroni's correction.

    Parameters
    ----------
    p_values
        One per test, 0 to 1, in any order.

    Returns
    -------
    numpy.ndarray
        Corrected p-values in the same order; compare with the level itself.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 1979.
    """
    order = _check_and_order(p_values)
    n = len(p_values)
    steps = p_values[order] * (n - np.arange(n))
    corrected = np.empty(n)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def benjamini_hochberg(p_values: Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """Correct p-values so that of all findings a share of at most the level is false on average.

    Finds more than `holm` and promises less. Valid for tests that are independent or positively
    dependent, as those of one data set usually are.

    Parameters
    ----------
    p_values
        One per test, 0 to 1, in any order.

    Returns
    -------
    numpy.ndarray
        Corrected p-values in the same order; compare with the share itself.

    References
    ----------
    Benjamini and Hochberg, Journal of the Royal Statistical Society B 1995.
    """
    order = _check_and_order(p_values)
    n = len(p_values)
    steps = p_values[order] * n / np.arange(1, n + 1)
    corrected = np.empty(n)
    corrected[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1)
    return corrected


def _check_and_order(p_values: np.ndarray) -> np.ndarray:
    if not ((p_values >= 0) & (p_values <= 1)).all():  # NaN fails too
        raise ValueError(
            f"p-values lie between 0 and 1; got {p_values.tolist()}; leave out tests that could "
            "not be made."
        )
    return np.argsort(p_values, kind="stable")
