"""How to install what is missing."""

import shlex
import sys


def pip_install(*words: str) -> str:
    """Return the command that installs into the environment of this Python."""
    return shlex.join([sys.executable, "-m", "pip", "install", *words])
