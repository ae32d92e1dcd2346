"""Standard electrode positions by name, as MNE has them."""

import shlex
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from phosphene import _checks
from phosphene.data.channel_names import find_renames, plain_name

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
    """Refuse channels that a montage does not know, with the options that make them fit.

    Raises
    ------
    ValueError
        For an unknown montage or an unknown channel. Upper and lower case differ.
    """
    known = load_montage(name).ch_names
    unknown = [channel for channel in ch_names if channel not in known]
    if not unknown:
        return
    renames = {old: new for old, new in find_renames(ch_names, known).items() if old in unknown}
    left = [channel for channel in unknown if channel not in renames]
    near = None
    if len(unknown) == len(left) == 1 and plain_name(left[0]) not in map(plain_name, known):
        near = _checks.nearest_name(left[0], [name for name in known if name not in ch_names])
    if near:
        remedy = f"did you mean --rename-channels {shlex.quote(f'{left[0]}={near}')}?"
    else:
        words = (shlex.join(f"{old}={new}" for old, new in renames.items()), shlex.join(left))
        remedies = [
            f"rename with --rename-channels {words[0]}" if renames else "",
            f"leave out with --drop-channels {words[1]}" if left else "",
            "or choose another montage.",
        ]
        remedy = ", ".join(filter(None, remedies))
    raise ValueError(
        f"each channel must be an electrode of the montage {name}; {', '.join(unknown)} of "
        f"{source} {'are' if unknown[1:] else 'is'} none; {remedy}"
    )
