"""Who was recorded, and when: read from a file's name and the names of the folders around it."""

import re
from pathlib import Path

_SHORT = {"subject": "sub", "session": "ses"}
UNKNOWN = "unknown"


def name_from_path(path: Path, kind: str) -> str:
    """Return ``sub-...`` of a file's name, else the nearest folder that names one, else "unknown".

    Such a folder is called ``sub-...``, or ``subject...`` with a digit or a separator, as in
    ``subject7`` and ``subject_anna``; ``subjects`` is a folder of many.

    Parameters
    ----------
    path
        The recording.
    kind
        'subject', or 'session' for ``ses-...`` and ``session...``.
    """
    short = _SHORT[kind]
    own = re.search(rf"(?:^|_)({short}-[^\W_]+)(?=[_.])", path.name, re.IGNORECASE)
    if own:
        return own.group(1)
    folder = re.compile(rf"({short}-|{kind}[-_ ])\w+|{kind}(?!s)\w*\d\w*", re.IGNORECASE)
    names = reversed(path.resolve().parts[:-1])
    return next((name for name in names if folder.fullmatch(name)), UNKNOWN)
