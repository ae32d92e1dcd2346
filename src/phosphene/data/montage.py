"""Standard electrode positions by name, as MNE has them."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from phosphene import _checks

if TYPE_CHECKING:
    import mne

RENAMED = ("1005", "1010", "1020", "alphabetic", "postfixed", "prefixed", "primed")
"""Montages that MNE called ``standard_...`` up to 1.12; both names are taken."""


def montage_names() -> list[str]:
    """Return the names of all montages."""
    import mne

    return sorted({*mne.channels.get_builtin_montages(), *(f"standard_{name}" for name in RENAMED)})


def load_montage(name: str) -> "mne.channels.DigMontage":
    """Return a montage by name; an unknown one is refused with the nearest."""
    import mne

    _checks.check_option("montage", name, montage_names())
    with warnings.catch_warnings(), mne.use_log_level("error"):
        warnings.simplefilter("ignore", FutureWarning)  # MNE 1.13 renames standard_1020
        return mne.channels.make_standard_montage(name)


def check_montage(name: str, ch_names: Sequence[str], *, source: str) -> None:
    """Refuse channels that a montage does not know, naming the nearest electrode.

    Raises
    ------
    ValueError
        For an unknown montage or an unknown channel. Upper and lower case differ.
    """
    known = load_montage(name).ch_names
    unknown = [channel for channel in ch_names if channel not in known]
    if unknown:
        near = _checks.nearest_name(unknown[0], known)
        more = f" and {len(unknown) - 1} others" if unknown[1:] else ""
        raise ValueError(
            f"each channel must be an electrode of the montage {name}; '{unknown[0]}'{more} of "
            f"{source} is none; "
            + (
                f"did you mean --rename-channels '{unknown[0]}={near}'?"
                if near
                else f"leave it out with --drop-channels '{unknown[0]}', or choose another montage."
            )
        )
