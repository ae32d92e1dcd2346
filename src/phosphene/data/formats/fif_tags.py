"""The tags of a FIF file, walked before MNE reads it: MNE follows them wherever they lead.

References
----------
Functional Image File Format, https://github.com/mne-tools/fiff-constants
"""

import gzip
import html
import re
import struct
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from phosphene._checks.files import check_amount, open_regular

MAX_TAGS = 500_000
"""A recording has some per channel and one per second or so."""
MAX_NAME_BYTES = 4096

DIRECTORY, BLOCK_START, BLOCK_END, ROLE, NUMBER, NAME = 101, 104, 105, 115, 117, 118
INT, ENTRIES = 3, 32
NEXT_FILE = 2
_HEAD = struct.Struct(">4i")


def find_next_parts(path: Path, *, size: int) -> list[Path]:
    """Walk through the tags of a file, and return the paths that it may name as its next part.

    Parameters
    ----------
    path
        A .fif file, or a .gz file that is known to be whole.
    size
        Its bytes, unpacked.

    Raises
    ------
    ValueError
        For tags that lead out of the file or back, and more than `MAX_TAGS`.
    """
    is_packed = path.suffix.lower() == ".gz"
    with open_regular(path) as plain, gzip.open(plain) if is_packed else plain as file:
        walk = _Walk(file, path, size)
        walk.chain()
        if walk.directory > 0:
            walk.listed()
    return walk.parts


@dataclass
class _Walk:
    file: BufferedIOBase
    path: Path
    size: int
    directory: int = 0
    """Where the file lists its tags; MNE takes the list for the tags then."""
    parts: list[Path] = field(default_factory=list)
    _role: int | None = None

    def chain(self) -> None:
        """Follow the tags, each of which must lie behind the one before."""
        position, n_tags = 0, 0
        while position + _HEAD.size <= self.size:
            kind, form, length, following = self._head(position)
            end = position + _HEAD.size + length
            if 0 < following < end:
                raise self._astray(position)
            n_tags += 1
            check_amount(self.path.name, n_tags, MAX_TAGS, unit="tags")
            if kind == DIRECTORY and n_tags == 2:
                self.directory = self._integer(form, self._data(kind, length)) or 0
            else:
                self._look(kind, form, self._data(kind, length))
            if following < 0:
                return
            position = following or end

    def listed(self) -> None:
        """Look at the tags that the directory lists, in its order."""
        if self.directory + _HEAD.size > self.size:
            return
        _, form, length, _ = self._head(self.directory)
        if form != ENTRIES:
            return  # nothing that MNE could take for a list
        check_amount(self.path.name, length // 16, MAX_TAGS, unit="tags")
        entries = np.frombuffer(self.file.read(length // 16 * 16), ">i4").reshape(-1, 4)
        entries = entries[entries[:, 0] >= 0]
        found, total, last = {}, 0, -1
        for row in np.argsort(entries[:, 3], kind="stable").tolist():  # forwards, for gzip's sake
            kind, position = int(entries[row, 0]), int(entries[row, 3])
            if not last < position <= self.size - _HEAD.size:
                raise self._astray(position)
            _, form, length, _ = self._head(position)
            found[row] = kind, form, self._data(kind, length)
            total, last = total + _HEAD.size + length, position
        if total > self.size:
            raise self._astray(self.directory)
        self._role = None
        for row in range(len(entries)):
            self._look(*found[row])

    def _head(self, position: int) -> tuple[int, int, int, int]:
        """Return kind, type, length and following position of the tag at a position."""
        self.file.seek(position)
        kind, form, length, following = _HEAD.unpack(self.file.read(_HEAD.size))
        if length < 0 or position + _HEAD.size + length > self.size:
            raise self._astray(position)
        return kind, form, length, following

    def _data(self, kind: int, length: int) -> bytes:
        """Return the content of the few tags that are looked into, where the file stands."""
        if kind not in (DIRECTORY, ROLE, NUMBER, NAME):
            return b""
        return self.file.read(min(length, MAX_NAME_BYTES + 1))

    def _look(self, kind: int, form: int, data: bytes) -> None:
        """Note a reference to a file, unless it is said to be something else than the next."""
        if kind in (BLOCK_START, BLOCK_END):
            self._role = None
        elif kind == ROLE:
            self._role = self._integer(form, data)
        elif kind in (NUMBER, NAME) and self._role in (None, NEXT_FILE):
            number = self._integer(form, data) if kind == NUMBER else None
            if len(data) > MAX_NAME_BYTES or (kind == NUMBER and number is None):
                raise ValueError(
                    f"a FIF file names its next part with at most {MAX_NAME_BYTES} letters or a "
                    f"number; {self.path.name} does not; copy or export it again."
                )
            name = _name(data) if number is None else _numbered(self.path.name, number)
            self.parts.append(self.path.parent / name)

    @staticmethod
    def _integer(form: int, data: bytes) -> int | None:
        return int.from_bytes(data, "big", signed=True) if form == INT and len(data) == 4 else None

    def _astray(self, position: int) -> ValueError:
        return ValueError(
            f"a FIF file is a chain of tags; {self.path.name} of {self.size} bytes has one at byte "
            f"{position} that leads out of it or back; copy or export it again."
        )


def _name(data: bytes) -> str:
    """Decode a name as MNE does."""
    name = data.decode("latin1")
    return html.unescape(name) if re.search(r"&#[0-9a-fA-F]{6};", name) else name


def _numbered(name: str, number: int) -> str:
    """Return the name that MNE gives to a part of which it has the number alone."""
    dot, dash = name.find("."), name.rfind("-")
    if not name[dash + 1 : dot].isdigit():
        dash = dot if number == 1 else -1
    return f"{name[:dash]}-{number}.{name[dot + 1 :]}"
