"""Who was recorded, and when: read from the names of the folders around a file."""

import re
from pathlib import Path

PATTERNS = {
    "subject": re.compile(r"(subject[-_ ]?|sub-)\w+", re.IGNORECASE),
    "session": re.compile(r"(session[-_ ]?|ses-)\w+", re.IGNORECASE),
}
UNKNOWN = "unknown"


def name_from_folders(path: Path, kind: str) -> str:
    """Return the nearest folder called ``subject...`` or ``sub-...``, else "unknown".

    Parameters
    ----------
    path
        The recording.
    kind
        'subject', or 'session' for folders called ``session...`` or ``ses-...``.
    """
    pattern = PATTERNS[kind]
    names = reversed(path.resolve().parts[:-1])
    return next((name for name in names if pattern.fullmatch(name)), UNKNOWN)
