"""Files that are not trusted: what is opened, and how much is read before it is checked.

Limits are compared before anything is allocated. They hold for a file that somebody else may have
made; whoever trusts a larger one sets the environment variable `FACTOR_VARIABLE`.
"""

import json
import math
import os
import re
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

FACTOR_VARIABLE = "PHOSPHENE_LIMIT_FACTOR"
MAX_JSON_BYTES = 64 << 20
MAX_DEPTH = 64
"""Lists and objects inside one another in a JSON file."""
SHOWN = 100
"""Characters of a value from a file that a message repeats."""

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its writer
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


def check_amount(what: str, amount: int, limit: int, *, unit: str = "bytes") -> None:
    """Refuse more than the limit times `PHOSPHENE_LIMIT_FACTOR`, and say how to raise it."""
    if amount <= limit or amount <= limit * _factor():
        return
    raise ValueError(
        f"{what} may have {limit} {unit}; it has {amount}; download it again if it is damaged, or, "
        f"if you trust it, set the environment variable {FACTOR_VARIABLE} to "
        f"{math.ceil(amount / limit)}."
    )


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read bytes; a folder, pipe, socket or device is refused.

    Raises
    ------
    ValueError
        When it is no regular file.
    OSError
        When it does not exist or must not be read.
    """
    handle = os.open(path, _FLAGS)
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        found = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise ValueError(
            f"only regular files are read; {path} is {found}; copy its content to a file."
        )
    return os.fdopen(handle, "rb")


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        check_amount(str(path), size, limit)
        return file.read(size)


def read_text(path: Path, *, limit: int) -> str:
    """Return the text of a regular UTF-8 file of at most `limit` bytes."""
    try:
        return read_bytes(path, limit=limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"text must be UTF-8; {path} is not at byte {error.start}; save it again as UTF-8."
        ) from None


def parse_json(text: str) -> Any:
    """Parse JSON; refuses NaN, infinity, endless numbers, deep nesting and broken Unicode.

    Raises
    ------
    ValueError
        With the reason alone: the caller knows the file's name and the remedy.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"it nests deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise ValueError(str(error).partition(";")[0][: 2 * SHOWN]) from None
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        children = (each.values() if isinstance(each, dict) else each for each in level)
        level = [child for some in children for child in some if isinstance(child, dict | list)]
    if level:
        raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
    if _HALF_PAIR.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it holds half of a Unicode surrogate pair") from None
    return value


def read_json(path: Path, *, limit: int = MAX_JSON_BYTES, remedy: str) -> Any:
    """Read a JSON file that is not trusted.

    Raises
    ------
    ValueError
        In the words of `parse_json`, with the file's name and the remedy.
    """
    text = read_text(path, limit=limit)
    try:
        return parse_json(text)
    except ValueError as error:
        raise ValueError(
            f"{path.name} must hold JSON; {path} does not ({error}); {remedy}"
        ) from None


def inside(folder: Path, name: str | Path) -> Path:
    """Return the path of a name in a folder, refusing one that leads out of it.

    A name may lead out by itself ("../x", "/x") or through a symbolic link. The folder itself may
    be a link: its user named it.
    """
    path = folder / name
    try:
        stays = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of links; a null character
        stays = False
    if not stays:
        raise ValueError(
            f"names and links must stay inside their folder; {shown(str(name))} in {folder} leads "
            f"out of it; put the file itself there, or correct the name."
        )
    return path


def check_name(path: Path) -> None:
    """Refuse a file name whose bytes are not UTF-8: no table or JSON file could hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"names of files and folders must be UTF-8; {shown(str(path))} is not; rename it."
        ) from None


def shown(value: object) -> str:
    """Return a value as a message may repeat it: on one line and not endless."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _factor() -> float:
    text = os.environ.get(FACTOR_VARIABLE, "1")
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 1 <= factor <= 1e6:
        raise ValueError(
            f"`{FACTOR_VARIABLE}` must be a number from 1 to 1000000; got {shown(text)}; correct "
            "or unset the environment variable."
        )
    return factor


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value
