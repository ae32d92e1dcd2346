"""The stack machine that pickles are written for, with values in place of calls."""

import codecs
import pickletools
import struct
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from phosphene.data.pickled_arrays import (
    PickledArray,
    PickledBytes,
    PickledDtype,
    array_from_buffer,
    scalar_from,
)

MAX_OPCODES = 200_000
"""An array takes about thirty."""
MAX_TEXT = 16 << 20
"""Most bytes of text (and bytes outside arrays) in all."""
MAX_LINE = 1 << 10
"""Longest line of a number or a name in protocol 0."""

_OPCODES = {opcode.code: opcode.name for opcode in pickletools.opcodes}
_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
NAMES = {
    **{(module, "_reconstruct"): "reconstruct" for module in _ARRAY_MODULES},
    **{(module, "scalar"): "scalar" for module in _ARRAY_MODULES},
    ("numpy.core.numeric", "_frombuffer"): "frombuffer",
    ("numpy._core.numeric", "_frombuffer"): "frombuffer",
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("_codecs", "encode"): "encode",
    ("__builtin__", "bytes"): "bytes",
    ("builtins", "bytes"): "bytes",
}
"""What a pickle may name. Nothing is imported: each stands for a rule of this machine."""


class _Name:
    """One of the names of `NAMES`, on the stack."""

    def __init__(self, rule: str) -> None:
        self.rule = rule


class _Stop(Exception):  # noqa: N818
    """The pickle is complete."""


class PickleMachine:
    """Walk the opcodes of a pickle; each checks what it takes, and none calls or imports.

    Parameters
    ----------
    content
        The whole file.
    python2_bytes
        Keep the strings of Python 2 as bytes; else they become text, byte by byte (latin1).
    """

    def __init__(self, content: bytes, *, python2_bytes: bool) -> None:
        self.content, self.view = content, memoryview(content)
        self.python2_bytes = python2_bytes
        self.position = 0
        self.began = 0
        """Where the last opcode began, for errors."""
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.text_left, self.copies_left = MAX_TEXT, 2 * len(content)

    def run(self) -> Any:
        """Return what the pickle leaves on the stack, with pieces of NumPy where arrays go.

        Raises
        ------
        ValueError
            That names what the pickle has and should not; no whole sentence.
        """
        for _ in range(MAX_OPCODES):
            self.began = self.position
            code = self._take(1)[0]
            step = _STEPS.get(code)
            if step is None:
                raise ValueError(f"the opcode {_OPCODES.get(chr(code), hex(code))}")
            try:
                step(self)
            except _Stop:
                return self._result()
        raise ValueError(f"more than {MAX_OPCODES} opcodes")

    def _result(self) -> Any:
        if len(self.stack) != 1 or self.marks:
            raise ValueError("an end with other than one value")
        if self.position != len(self.content):
            raise ValueError(f"{len(self.content) - self.position} bytes after its end")
        return self.stack[0]

    def string(self, node: PickledBytes) -> str | bytes:
        """Return the text or bytes of a node, whose sum over all calls is limited."""
        self.text_left -= len(node.data)
        if self.text_left < 0:
            raise ValueError(f"more than {MAX_TEXT >> 20} MiB of text")
        if node.kind == "bytes" or (node.kind == "str" and self.python2_bytes):
            return bytes(node.data)
        return _decode(node.data, "utf-8" if node.kind == "text" else "latin1")

    def _take(self, n: int) -> memoryview:
        """Return the next bytes."""
        if not 0 <= n <= len(self.content) - self.position:
            left = len(self.content) - self.position
            raise ValueError(f"{n} bytes announced where {left} are left: it is cut off or damaged")
        self.position += n
        return self.view[self.position - n : self.position]

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self, limit: int = MAX_LINE) -> bytes:
        end = self.content.find(b"\n", self.position, self.position + limit)
        if end < 0:
            raise ValueError("a line without an end: it is cut off or damaged")
        line = self.content[self.position : end]
        self.position = end + 1
        return line

    def _pop(self) -> Any:
        if not self.stack:
            raise ValueError("an opcode that lacks its values")
        return self.stack.pop()

    def _top(self, kind: type) -> Any:
        if not self.stack or type(self.stack[-1]) is not kind:
            raise ValueError(f"an opcode that adds to what is no {kind.__name__}")
        return self.stack[-1]

    def _pop_mark(self) -> list[Any]:
        if not self.marks:
            raise ValueError("an opcode that lacks its mark")
        items, self.stack = self.stack, self.marks.pop()
        return items

    def _push_tuple(self, n: int) -> None:
        items = [self._pop() for _ in range(n)]
        self.stack.append(tuple(reversed(items)))

    def _collect(self, kind: type) -> None:
        items = self._pop_mark()
        self.stack.append(kind(items))

    def _push_string(self, kind: str, n: int) -> None:
        self.stack.append(PickledBytes(kind, self._take(n)))

    def _set_items(self, target: dict, items: list[Any]) -> None:
        if len(items) % 2:
            raise ValueError("a dict with a key that lacks its value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            plain = self.string(key) if isinstance(key, PickledBytes) else key
            if type(plain) not in (str, bytes) and not (type(plain) is int and abs(plain) < 2**31):
                raise ValueError("a dict with keys that are neither text nor whole numbers")
            target[plain] = value

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set_items(self._top(dict), [key, value])

    def _set_marked_items(self) -> None:
        items = self._pop_mark()
        self._set_items(self._top(dict), items)

    def _new_dict(self) -> None:
        items: list[Any] = self._pop_mark()
        self.stack.append({})
        self._set_items(self.stack[-1], items)

    def _append(self, items: list[Any]) -> None:
        self._top(list).extend(items)

    def _remember(self, index: int) -> None:
        if not self.stack or not 0 <= index <= MAX_OPCODES:
            raise ValueError("a value that cannot be remembered")
        self.memo[index] = self.stack[-1]

    def _recall(self, index: int) -> None:
        if index not in self.memo:
            raise ValueError("a remembered value that is not there")
        self.stack.append(self.memo[index])

    def _name(self, module: bytes, name: bytes) -> None:
        words = _decode(module, "utf-8"), _decode(name, "utf-8")
        rule = NAMES.get(words)
        if rule is None:
            raise ValueError(f"a call for {'.'.join(words)[:80]!r}")
        self.stack.append(_Name(rule))

    def _name_from_stack(self) -> None:
        name, module = self._pop(), self._pop()
        for word in (name, module):
            if not isinstance(word, PickledBytes) or len(word.data) > MAX_LINE:
                raise ValueError("a name that is no text")
        self._name(bytes(module.data), bytes(name.data))

    def _reduce(self) -> None:
        args, called = self._pop(), self._pop()
        if type(called) is not _Name or type(args) is not tuple:
            raise ValueError("a call of what is no name")
        if called.rule == "reconstruct":
            self.stack.append(_empty_array(args))
        elif called.rule == "dtype":
            self.stack.append(PickledDtype(args))
        elif called.rule == "scalar":
            self.stack.append(scalar_from(args))
        elif called.rule == "frombuffer":
            self.stack.append(array_from_buffer(args))
        elif called.rule == "encode":
            self.stack.append(self._encode(args))
        elif called.rule == "bytes" and args == ():
            self.stack.append(PickledBytes("bytes", memoryview(b"")))
        else:
            raise ValueError(f"a call of {called.rule} with arguments that NumPy does not write")

    def _encode(self, args: tuple) -> PickledBytes:
        """Return bytes that Python 3 wrote as text, for readers of protocol 2 have no bytes."""
        fits = len(args) == 2 and all(isinstance(arg, PickledBytes) for arg in args)
        if not fits or args[0].kind != "text" or not args[1].spells("latin1"):
            raise ValueError("a call of encode with arguments that Python does not write")
        self._count_copy(len(args[0].data))
        decoder, step, data = codecs.getincrementaldecoder("utf-8")(), 1 << 20, bytearray()
        try:
            for start in range(0, len(args[0].data), step):  # text may take four times the bytes
                data += decoder.decode(args[0].data[start : start + step]).encode("latin1")
            decoder.decode(b"", final=True)
        except UnicodeError:
            raise ValueError("bytes written as text that is none") from None
        return PickledBytes("bytes", memoryview(data).toreadonly())

    def _count_copy(self, n: int) -> None:
        """Refuse copies that are larger, in all, than the file allows."""
        self.copies_left -= n
        if self.copies_left < 0:
            raise ValueError("more bytes written as text than it is long")

    def _build(self) -> None:
        state = self._pop()
        if not self.stack or type(self.stack[-1]) not in (PickledDtype, PickledArray):
            raise ValueError("a state for what is no array")
        self.stack[-1].build(state)

    def _quoted(self) -> None:
        """Read a string that Python 2 wrote in quotes."""
        line = self._line(len(self.content))
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
            raise ValueError("a string without quotes")
        data = line[1:-1]
        if b"\\" in data:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # an escape that Python does not write
                try:
                    data = codecs.escape_decode(data)[0]
                except (ValueError, Warning):
                    raise ValueError("a string with damaged escapes") from None
        self.stack.append(PickledBytes("str", memoryview(data)))  # pyright: ignore[reportArgumentType]

    def _raw_text(self) -> None:
        line = self._line(min(len(self.content), MAX_TEXT))
        text = _decode(line, "raw-unicode-escape").encode("utf-8", "surrogatepass")
        self._count_copy(len(text))
        self.stack.append(PickledBytes("text", memoryview(text)))

    def _integer(self, *, suffix: bytes = b"") -> None:
        line = self._line()
        if not suffix and line in (b"00", b"01"):
            self.stack.append(line == b"01")
        else:
            self.stack.append(_whole(line.removesuffix(suffix)))

    def _long(self, n: int) -> None:
        if not 0 <= n <= 16:
            raise ValueError(f"a whole number of {n} bytes")
        self.stack.append(int.from_bytes(self._take(n), "little", signed=True))

    def _real(self) -> None:
        try:
            self.stack.append(float(self._line()))
        except ValueError:
            raise ValueError("a number that is none") from None

    def _frame(self) -> None:
        n = self._number("<Q")
        if n > len(self.content) - self.position:
            raise ValueError(f"a frame of {n} bytes: it is cut off or damaged")

    def _mark(self) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def _pop_one(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._pop_mark()

    def _repeat(self) -> None:
        value = self._pop()
        self.stack += [value, value]

    def _protocol(self) -> None:
        if (n := self._take(1)[0]) > 5:
            raise ValueError(f"protocol {n}, which is none of 0 to 5")

    def _stop(self) -> NoReturn:
        raise _Stop


def _empty_array(args: tuple) -> PickledArray:
    """Check the arguments that NumPy gives to `_reconstruct`."""
    fits = len(args) == 3 and type(args[0]) is _Name and args[0].rule == "ndarray"
    if not fits or args[1] != (0,) or not isinstance(args[2], PickledBytes):
        raise ValueError("an array with arguments that NumPy does not write")
    return PickledArray()


def _whole(line: bytes) -> int:
    if len(line) > 40:
        raise ValueError(f"a whole number of {len(line)} digits")
    try:
        return int(line)
    except ValueError:
        raise ValueError("a number that is none") from None


def _decode(data: bytes | memoryview, encoding: str) -> str:
    try:
        return str(data, encoding)
    except UnicodeError:
        raise ValueError("text that is none") from None


_STEPS: dict[int, Callable[[PickleMachine], object]] = {
    ord(letter): step
    for letter, step in {
        "(": PickleMachine._mark,
        ".": PickleMachine._stop,
        "0": PickleMachine._pop_one,
        "1": PickleMachine._pop_mark,
        "2": PickleMachine._repeat,
        "\x80": PickleMachine._protocol,
        "\x95": PickleMachine._frame,
        "N": lambda m: m.stack.append(None),
        "\x88": lambda m: m.stack.append(True),
        "\x89": lambda m: m.stack.append(False),
        "I": PickleMachine._integer,
        "L": lambda m: m._integer(suffix=b"L"),
        "J": lambda m: m.stack.append(m._number("<i")),
        "K": lambda m: m.stack.append(m._number("<B")),
        "M": lambda m: m.stack.append(m._number("<H")),
        "\x8a": lambda m: m._long(m._number("<B")),
        "\x8b": lambda m: m._long(m._number("<i")),
        "F": PickleMachine._real,
        "G": lambda m: m.stack.append(m._number(">d")),
        "S": PickleMachine._quoted,
        "T": lambda m: m._push_string("str", m._number("<i")),
        "U": lambda m: m._push_string("str", m._number("<B")),
        "V": PickleMachine._raw_text,
        "X": lambda m: m._push_string("text", m._number("<I")),
        "\x8c": lambda m: m._push_string("text", m._number("<B")),
        "\x8d": lambda m: m._push_string("text", m._number("<Q")),
        "B": lambda m: m._push_string("bytes", m._number("<I")),
        "C": lambda m: m._push_string("bytes", m._number("<B")),
        "\x8e": lambda m: m._push_string("bytes", m._number("<Q")),
        "\x96": lambda m: m._push_string("bytes", m._number("<Q")),
        ")": lambda m: m._push_tuple(0),
        "\x85": lambda m: m._push_tuple(1),
        "\x86": lambda m: m._push_tuple(2),
        "\x87": lambda m: m._push_tuple(3),
        "t": lambda m: m._collect(tuple),
        "]": lambda m: m.stack.append([]),
        "l": lambda m: m._collect(list),
        "a": lambda m: m._append([m._pop()]),
        "e": lambda m: m._append(m._pop_mark()),
        "}": lambda m: m.stack.append({}),
        "d": PickleMachine._new_dict,
        "s": PickleMachine._set_item,
        "u": PickleMachine._set_marked_items,
        "p": lambda m: m._remember(_whole(m._line())),
        "q": lambda m: m._remember(m._number("<B")),
        "r": lambda m: m._remember(m._number("<I")),
        "\x94": lambda m: m._remember(len(m.memo)),
        "g": lambda m: m._recall(_whole(m._line())),
        "h": lambda m: m._recall(m._number("<B")),
        "j": lambda m: m._recall(m._number("<I")),
        "c": lambda m: m._name(m._line(), m._line()),
        "\x93": PickleMachine._name_from_stack,
        "R": PickleMachine._reduce,
        "b": PickleMachine._build,
    }.items()
}
