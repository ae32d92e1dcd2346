"""Damage done to files: bytes changed, moved or cut, or something else in the place of a file."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
from fuzz_samples import Sample

SPECIAL = ("empty", "folder", "pipe", "device", "link out", "not UTF-8", "other suffix")
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
WORDS = (
    *("-1", "0", "1e999", "-1e-999", "NaN", "99999999999999999999", "4294967296", "2147483647"),
    *("1000000000", "0.5", "null", "true", "[]", "{}", '"x"', "../x"),
)


def make_case(
    sample: Sample, folder: Path, number: int, rng: np.random.Generator
) -> tuple[Path, str]:
    """Copy a sample and change one of its files; return its path and what was done."""
    shutil.copytree(sample.folder, folder)
    name = sample.mutated[number % len(sample.mutated)]
    path, round_ = folder / name, number // len(sample.mutated)
    if round_ < len(SPECIAL):
        what = SPECIAL[round_]
        path = _make_special(what, path, sample)
    else:
        content, done = bytearray(path.read_bytes()), []
        for _ in range(int(rng.integers(1, 4))):
            change = CHANGES[int(rng.integers(len(CHANGES)))]
            content = bytearray(change(content, rng))
            done.append(change.__name__.strip("_").replace("_", " "))
        path.write_bytes(content)
        what = ", ".join(done)
    if sample.seal is not None and path.is_file():
        sample.seal(path)
    return path, what


def _make_special(what: str, path: Path, sample: Sample) -> Path:
    """Replace a file by something that is none, or by a valid one of another kind."""
    content = path.read_bytes()
    path.unlink()
    if what == "empty":
        path.write_bytes(b"")
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "link out":
        path.symlink_to(sample.folder.resolve() / path.name)
    elif what == "not UTF-8":
        path.write_bytes(content[:20] + b"\xff\xfe\x00\xe4" + content[20:])
    else:
        suffixes = (".edf", ".fif", ".set", ".xdf", ".csv", ".vhdr", ".png", ".bdf")
        path.write_bytes(content)
        if path.suffix in suffixes:
            other = suffixes[(suffixes.index(path.suffix) + 1) % len(suffixes)]
            path = path.rename(path.with_suffix(other))
    return path


def _place(content: bytes, rng: np.random.Generator) -> int:
    """Choose a place, half of the time in the header."""
    end = min(len(content), 512) if rng.random() < 0.5 else len(content)
    return int(rng.integers(max(end, 1)))


def _bits_flipped(content: bytearray, rng: np.random.Generator) -> bytes:
    for _ in range(int(rng.integers(1, 9))):
        if content:
            content[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return content


def _run_overwritten(content: bytearray, rng: np.random.Generator) -> bytes:
    at, n = _place(content, rng), int(rng.integers(1, 64))
    fill = (bytes(n), b"\xff" * n, rng.bytes(n))[int(rng.integers(3))]
    return content[:at] + fill + content[at + n :]


def _cut_off(content: bytearray, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)]


def _bytes_inserted(content: bytearray, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.bytes(int(rng.integers(1, 64))) + content[at:]


def _chunk_removed(content: bytearray, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + content[at + int(rng.integers(1, 64)) :]


def _chunk_repeated(content: bytearray, rng: np.random.Generator) -> bytes:
    at, n = _place(content, rng), int(rng.integers(1, 256))
    return content[:at] + content[at : at + n] * int(rng.integers(2, 20)) + content[at + n :]


def _length_extreme(content: bytearray, rng: np.random.Generator) -> bytes:
    n = int(rng.choice([1, 2, 4, 8]))
    at = _place(content, rng) // n * n
    value = int(rng.choice(EXTREMES)) * int(rng.choice([1, 2**32 + 1])) % 256**n
    order = "little" if rng.random() < 0.5 else "big"
    return content[:at] + value.to_bytes(n, order) + content[at + n :]


def _number_edited(content: bytearray, rng: np.random.Generator) -> bytes:
    places = list(NUMBER.finditer(content[: 1 << 16]))
    if not places:
        return _length_extreme(content, rng)
    place = places[int(rng.integers(len(places)))]
    word = WORDS[int(rng.integers(len(WORDS)))].encode()
    if rng.random() < 0.5:  # in headers of fixed width
        word = word[: place.end() - place.start()].ljust(place.end() - place.start())
    return content[: place.start()] + word + content[place.end() :]


CHANGES = (
    _bits_flipped,
    _run_overwritten,
    _cut_off,
    _bytes_inserted,
    _chunk_removed,
    _chunk_repeated,
    _length_extreme,
    _number_edited,
    _number_edited,
)
