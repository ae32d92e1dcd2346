"""Read arrays from pickles, and nothing else.

A pickle is a program. `PickleMachine` walks its opcodes and never uses the `pickle` module: names
that a file asks for are compared with a short list and never imported, and no function is called
with arguments of the file's choice. What the list knows are NumPy's own ways to write an array;
`pickled_arrays` checks their arguments and views the bytes in the file as an array, so that a small
file cannot make a large one. The reasons for not restricting `find_class` instead: that still runs
NumPy's C code on a hostile state, and C's unpickler reserves memory as the file says.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from phosphene import _checks
from phosphene._checks.files import read_bytes
from phosphene.data.pickle_machine import PickleMachine
from phosphene.data.pickled_arrays import PickledArray, PickledBytes

MAX_BYTES = 512 << 20
"""Largest file that is read, unless the caller says otherwise."""
MAX_ITEMS = 200_000
"""Most values, after shared ones are counted wherever they occur; an array is one."""
MAX_DEPTH = 32


def read_pickle(
    path: Path, *, encoding: Literal["latin1", "bytes"] = "latin1", max_bytes: int = MAX_BYTES
) -> Any:
    """Read dicts, lists, tuples, text, numbers and NumPy arrays from a pickle of any protocol.

    Parameters
    ----------
    path
        A regular file. Any other Python object in it is refused, and none of its code runs.
    encoding
        What the strings of Python 2 become: text ("latin1") or bytes.
    max_bytes
        Largest file to read; the message of a larger one says how to raise the limit.

    Returns
    -------
    Any
        The content; arrays are read-only views of the file's bytes.

    Raises
    ------
    ValueError
        For a file that is too large, damaged, or holds or does anything else.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"a pickle is a file; there is none at {path}; correct the path.")
    content = read_bytes(path, limit=max_bytes)
    return parse_pickle(content, name=path.name, encoding=encoding)


def parse_pickle(
    content: bytes, *, name: str, encoding: Literal["latin1", "bytes"] = "latin1"
) -> Any:
    """Read the content of a pickle, as `read_pickle`; `name` is what errors call it."""
    _checks.check_option("encoding", encoding, ("latin1", "bytes"))
    machine = PickleMachine(content, python2_bytes=encoding == "bytes")
    try:
        return _Values(machine).of(machine.run())
    except ValueError as error:
        raise ValueError(
            f"a pickle may hold arrays, dicts, lists, tuples, text and numbers alone; {name} has "
            f"{error} (at byte {machine.began}); nothing in it was run: get the file again, or its "
            "arrays in another format."
        ) from None


class _Values:
    """Turn what a machine leaves into plain values, shared ones once."""

    def __init__(self, machine: PickleMachine) -> None:
        self.machine = machine
        self.done: dict[int, tuple[Any, int]] = {}
        self.begun: set[int] = set()

    def of(self, node: Any) -> Any:
        return self._finish(node, 0)[0]

    def _finish(self, node: Any, depth: int) -> tuple[Any, int]:
        """Return the value of a node, and how many values it holds, shared ones counted again."""
        if id(node) in self.done:
            return self.done[id(node)]
        if depth > MAX_DEPTH:
            raise ValueError(f"containers nested more than {MAX_DEPTH} deep")
        if id(node) in self.begun:
            raise ValueError("a container that holds itself")
        size, kind = 1, type(node)
        if kind in (list, tuple, dict):
            self.begun.add(id(node))
            parts = []
            for part in node.values() if kind is dict else node:
                value, inside = self._finish(part, depth + 1)
                parts.append(value)
                size += inside
                if size > MAX_ITEMS:
                    raise ValueError(f"more than {MAX_ITEMS} values")
            self.begun.discard(id(node))
            value = dict(zip(node, parts, strict=True)) if kind is dict else kind(parts)
        elif kind is PickledBytes:
            value = self.machine.string(node)
        elif kind is PickledArray and node.value is not None:
            value = node.value
        elif node is None or kind in (bool, int, float) or isinstance(node, np.generic):
            return node, 1
        else:
            raise ValueError("a piece of NumPy in place of a value")
        self.done[id(node)] = value, size  # the node lives as long as the root
        return self.done[id(node)]
