"""Tell electrodes apart by what their names mean, however a file spells them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence


def plain_name(name: str) -> str:
    """Return a name without case, type, reference and punctuation: 'EEG Fp1-LE' becomes fp1."""
    plain = re.sub(r"^(eeg|meas)[\s_.-]+", "", name.strip().casefold())
    plain = re.sub(r"[\s_.-]+(ref|le|re|avg|ar|a1|a2|m1|m2)$", "", plain)
    return re.sub(r"[^a-z0-9]", "", plain)


def find_renames(found: Sequence[str], wanted: Iterable[str]) -> dict[str, str]:
    """Return new names for channels, old to new, where their names show what they are.

    A name that two channels could mean, or that could mean two electrodes, stays as it is, and so
    does one whose electrode is there already.
    """
    wanted = list(dict.fromkeys(wanted))
    meant, given = Counter(map(plain_name, wanted)), Counter(map(plain_name, found))
    by_plain = {plain_name(name): name for name in wanted if meant[plain_name(name)] == 1}
    return {
        name: by_plain[plain]
        for name in found
        if (plain := plain_name(name)) in by_plain and given[plain] == 1 and by_plain[plain] != name
    }
