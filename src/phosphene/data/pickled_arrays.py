"""How pickles describe NumPy arrays, rebuilt from checked arguments without calling anything."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

DTYPE = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|[SU][1-9][0-9]{0,5}", re.ASCII)
"""Dtypes of plain numbers, truth values and text of fixed width; no objects, records or times."""
MAX_AXES = 8
_HIGHEST_CHARACTER = 0x10FFFF


class PickledBytes:
    """A string of a pickle, still as it lies in the file: nothing is copied until it is needed."""

    def __init__(self, kind: str, data: memoryview) -> None:
        self.kind = kind
        """'text' (UTF-8), 'bytes', or 'str' (Python 2, either of the two)."""
        self.data = data
        self.sound: set[str] = set()
        """Dtypes whose rules its values were found to follow: arrays may share one string."""

    def spells(self, word: str) -> bool:
        """Say whether these are the letters of a short word."""
        return len(self.data) == len(word) and bytes(self.data) == word.encode()


class PickledDtype:
    """A dtype between its REDUCE and its BUILD, which adds the byte order."""

    def __init__(self, args: Sequence[Any]) -> None:
        name = args[0] if args else None
        word = "that is no name"
        if isinstance(name, PickledBytes) and len(name.data) <= 8:
            word = bytes(name.data).decode("latin1")
        if not DTYPE.fullmatch(word):
            raise ValueError(f"an array of dtype {word!r}, which is no plain number or text")
        if not all(type(flag) in (bool, int) and flag in (0, 1) for flag in args[1:]):
            raise ValueError("a dtype with flags that NumPy does not write")
        self.dtype = np.dtype(word)
        self._is_built = False

    def build(self, state: Any) -> None:
        """Take byte order from the state that NumPy writes; names and sub-arrays are refused."""
        plain = isinstance(state, tuple) and len(state) == 8 and type(state[0]) is int
        order = state[1] if plain else None
        if self._is_built or not plain or state[0] != 3 or not isinstance(order, PickledBytes):
            raise ValueError("a dtype with a state that NumPy does not write")
        if state[2:5] != (None, None, None) or any(type(n) is not int for n in state[5:]):
            raise ValueError("a dtype with fields, which is no plain number or text")
        if state[5] not in (-1, self.dtype.itemsize):
            raise ValueError(f"a dtype of {self.dtype.itemsize} bytes that claims {state[5]}")
        letter = next((o for o in "<>|=" if order.spells(o)), None)
        if letter is None or (letter == "|" and self.dtype.byteorder not in "|"):
            raise ValueError("a dtype without a byte order")
        if letter in "<>":
            self.dtype = self.dtype.newbyteorder(letter)  # pyright: ignore[reportArgumentType]
        self._is_built = True


class PickledArray:
    """An array between its REDUCE and its BUILD, which brings shape, dtype and data."""

    def __init__(self, value: np.ndarray | None = None) -> None:
        self.value = value

    def build(self, state: Any) -> None:
        """Take the state that NumPy's arrays write."""
        fits = isinstance(state, tuple) and len(state) == 5 and self.value is None
        if not fits or type(state[0]) is not int or state[0] != 1:
            raise ValueError("an array with a state that NumPy does not write")
        _, shape, dtype, is_fortran, data = state
        if type(is_fortran) not in (bool, int) or is_fortran not in (0, 1):
            raise ValueError("an array whose order of axes is unknown")
        self.value = view_array(data, dtype, shape, order="F" if is_fortran else "C")


def view_array(data: Any, dtype: Any, shape: Any, *, order: str) -> np.ndarray:
    """View the bytes of a pickle as an array, after shape and dtype were compared with them."""
    if not isinstance(dtype, PickledDtype) or not isinstance(shape, tuple):
        raise ValueError("an array without dtype and shape")
    if not isinstance(data, PickledBytes) or data.kind == "text":
        raise ValueError(f"an array of dtype {dtype.dtype} whose data are no bytes")
    if len(shape) > MAX_AXES or any(type(n) is not int or not 0 <= n < 2**40 for n in shape):
        raise ValueError("an array of an impossible shape")
    needed, there = math.prod(shape) * dtype.dtype.itemsize, len(data.data)
    if needed != there:
        raise ValueError(f"an array of {needed} bytes, of which the file holds {there}")
    try:
        flat = np.frombuffer(data.data, dtype=dtype.dtype) if there else np.zeros(0, dtype.dtype)
        array = flat.reshape(shape, order="F" if order == "F" else "C")
    except ValueError:  # an axis of length 0 beside others that no array can have
        raise ValueError("an array of an impossible shape") from None
    rule = flat.dtype.kind + flat.dtype.byteorder
    if rule not in data.sound:
        _check_values(flat)
        data.sound.add(rule)
    return array


def array_from_buffer(args: Sequence[Any]) -> PickledArray:
    """Read the arguments of NumPy's `_frombuffer` (protocol 5): data, dtype, shape, order, axes."""
    if len(args) not in (4, 5) or not isinstance(args[3], PickledBytes):
        raise ValueError("an array with arguments that NumPy does not write")
    data, dtype, shape, order = args[:4]
    letter = next((o for o in ("CF" if len(args) == 4 else "K") if order.spells(o)), None)
    if letter is None:
        raise ValueError("an array whose order of axes is unknown")
    array = view_array(data, dtype, shape, order=letter)
    if letter == "K":
        axes = args[4]
        if not isinstance(axes, tuple) or any(type(axis) is not int for axis in axes):
            raise ValueError("an array whose order of axes is unknown")
        if sorted(axes) != list(range(array.ndim)):
            raise ValueError("an array whose order of axes is unknown")
        array = array.transpose(axes)
    return PickledArray(array)


def scalar_from(args: Sequence[Any]) -> np.generic:
    """Read the arguments of NumPy's `scalar`: dtype and bytes."""
    if len(args) != 2:
        raise ValueError("a NumPy number with arguments that NumPy does not write")
    return view_array(args[1], args[0], (1,), order="C")[0]


def _check_values(flat: np.ndarray) -> None:
    """Refuse truth values besides 0 and 1 and letters that Unicode does not have."""
    if flat.dtype.kind == "b" and flat.view(np.uint8).max(initial=0) > 1:
        raise ValueError("an array of truth values that are neither 0 nor 1")
    if flat.dtype.kind == "U":
        letters = flat.view(np.dtype(np.uint32).newbyteorder(flat.dtype.byteorder))
        if letters.max(initial=0) > _HIGHEST_CHARACTER:
            raise ValueError("an array of text with letters that Unicode does not have")
