"""Calls of libraries that read files: their errors become one sentence, their warnings notes."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_SAID = 160


@contextlib.contextmanager
def one_sentence(path: Path, *, by: str = "MNE") -> Iterator[list[str]]:
    """Turn what a reader raises into one ValueError and collect its warnings.

    Parameters
    ----------
    path
        The file that is read; its folder is cut out of messages.
    by
        The library.

    Yields
    ------
    list of str
        Fills with the warnings, shortened, when the block ends.

    Raises
    ------
    ValueError
        In place of any other exception but KeyboardInterrupt and SystemExit.
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with _quiet_logging() if by == "MNE" else contextlib.nullcontext():
                yield notes
        except ImportError as error:
            raise ValueError(
                f"this kind of file needs another package; {path.name} cannot be read without it "
                f"({_short(error, path)}); install what it names."
            ) from None
        except MemoryError:
            raise ValueError(
                f"a recording must fit into memory; {path.name} does not; cut it into shorter "
                f"files."
            ) from None
        except Exception as error:
            said = _short(error, path) or type(error).__name__
            raise ValueError(
                f"a recording must be a whole file of its format; {by} cannot read {path.name} "
                f"({said}); copy or export it again."
            ) from None
        finally:
            ignored = (DeprecationWarning, FutureWarning, ResourceWarning)
            heard = [w.message for w in caught if not issubclass(w.category, ignored)]
            notes.extend(dict.fromkeys(_short(message, path) for message in heard))


def _quiet_logging() -> contextlib.AbstractContextManager[Any]:
    """Keep MNE from printing what its warnings say already."""
    import mne

    return mne.use_log_level("error")


def _short(message: Warning | Exception | str, path: Path) -> str:
    """Return the first sentence of a message on one line, without folders."""
    text = str(message)
    for folder in (str(path.parent.resolve()), str(path.parent)):
        if len(folder) > 1:
            text = text.replace(f"{folder}/", "").replace(folder, "")
    text = re.sub(r"\s+", " ", text).strip()
    text = re.split(r"(?<=[a-z0-9)])\. (?=[A-Z])", text)[0].rstrip(".")
    return text if len(text) <= MAX_SAID else f"{text[: MAX_SAID - 3]}..."
