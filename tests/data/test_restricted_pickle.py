import contextlib
import copyreg
import io
import os
import pickle
import random
import re
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phosphene.data.restricted_pickle import parse_pickle, read_pickle

VALUES = {
    "wide": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0, dtype=np.float32).reshape(2, 3)),
    "turned": np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "truth": np.array([True, False]),
    "text": np.array(["ab", "ü"]),
    "bytes": np.array([b"x", b"yy"]),
    "big-endian": np.arange(3, dtype=">i4"),
    "complex": np.array([1 + 2j], dtype=np.complex64),
    "empty": np.zeros((0, 3)),
    "point": np.array(3.0),
    "scalar": np.float32(3),
    "plain": (1, 2.5, None, True, [1, -5, 10**20], b"", b"\xff", "é", {1: {b"x": ()}}),
}


class Reduced:
    """Pickles as the call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def made_by(marker: str) -> str:
    """Return Python code that makes the marker."""
    return f"__import__('os').mkdir({marker!r})"


def rebuilt_tensor(marker):
    from torch._utils import _rebuild_tensor_v2

    storage = Reduced(exec, made_by(marker))
    return pickle.dumps(Reduced(_rebuild_tensor_v2, storage, 0, (1,), (1,), False, None))


def loaded_storage(marker):
    inside = io.BytesIO()
    torch.save(Reduced(os.system, f"touch {marker}"), inside)
    return pickle.dumps(Reduced(torch.storage._load_from_bytes, inside.getvalue()))


def object_scalar(marker):
    held = np.array([Reduced(os.system, f"touch {marker}")], dtype=object)[0]
    function, _ = np.float32(1).__reduce__()
    return pickle.dumps(Reduced(function, np.dtype("O"), held), 2)


def loaded_npy(marker):
    np.save(f"{marker}.npy", np.array([Reduced(os.system, f"touch {marker}")], dtype=object))
    return pickle.dumps(Reduced(np.load, f"{marker}.npy", None, True))


HOSTILE = {
    "os.system": lambda m: pickle.dumps(Reduced(os.system, f"touch {m}")),
    "posix, protocol 0": lambda m: f"cposix\nsystem\n(S'touch {m}'\ntR.".encode(),
    "builtins.eval": lambda m: pickle.dumps(Reduced(eval, made_by(m)), 2),
    "__builtin__.eval of Python 2": lambda m: (
        b"\x80\x02c__builtin__\neval\nU" + bytes([len(made_by(m))]) + made_by(m).encode()
        + b"\x85R."
    ),
    "torch storage": loaded_storage,
    "torch tensor": rebuilt_tensor,
    "numpy scalar of objects": object_scalar,
    "numpy array of objects": lambda m: pickle.dumps(
        np.array([Reduced(os.system, f"touch {m}")], dtype=object)
    ),
    "numpy.load": loaded_npy,
    "numpy.testing.runstring": lambda m: pickle.dumps(
        Reduced(np.testing.runstring, made_by(m), {})
    ),
    "nested pickle": lambda m: pickle.dumps(
        Reduced(pickle.loads, pickle.dumps(Reduced(os.system, f"touch {m}")))
    ),
    "nested in a valid dict": lambda m: pickle.dumps(
        {"x_train": VALUES["wide"], "y_train": [(Reduced(os.system, f"touch {m}"),)]}
    ),
    "INST": lambda m: f"(S'touch {m}'\nios\nsystem\n.".encode(),
    "OBJ": lambda m: f"(cposix\nsystem\nS'touch {m}'\no.".encode(),
    "dotted STACK_GLOBAL": lambda m: (
        b"\x80\x04" + text("numpy") + text("f2py.os.system") + b"\x93" + text(f"touch {m}")
        + b"\x85R."
    ),
    "EXT1": lambda m: b"\x80\x02\x82\xf0" + text(f"touch {m}") + b"\x85R.",
    "_reconstructor and __setstate__": lambda m: (
        b"ccopyreg\n_reconstructor\n(cargparse\nNamespace\nc__builtin__\nobject\nNtR"
        b"}S'__setstate__'\ncposix\nsystem\nsbS'touch " + m.encode() + b"'\nb."
    ),
    "functools.partial": lambda m: (
        b"cfunctools\npartial\n(cposix\nsystem\nS'touch " + m.encode() + b"'\ntR)R."
    ),
    "getattr": lambda m: (
        b"cbuiltins\ngetattr\n(cimportlib\nimport_module\n(S'os'\ntRS'system'\ntR(S'touch "
        + m.encode() + b"'\ntR."
    ),
}  # fmt: skip


def refusal(content, **options):
    """Return the message with which a pickle is refused, one sentence."""
    with pytest.raises(ValueError, match=r"x\.pkl") as caught:
        parse_pickle(content, name="x.pkl", **options)
    message = str(caught.value)
    assert "\n" not in message
    assert re.search(r"[^.]\.$", message)
    return message


@pytest.fixture
def payload(tmp_path):
    """Make a hostile pickle that would create the file it comes with."""
    copyreg.add_extension("posix", "system", 0xF0)
    marker = tmp_path / "m"
    yield lambda name: (HOSTILE[name](str(marker)), marker)
    copyreg.remove_extension("posix", "system", 0xF0)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("encoding", ["latin1", "bytes"])
def test_no_hostile_pickle_runs(name, encoding, payload):
    content, marker = payload(name)
    assert "nothing in it was run" in refusal(content, encoding=encoding)
    assert not marker.exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_every_hostile_pickle_would_run_elsewhere(name, payload):
    content, marker = payload(name)
    with contextlib.suppress(Exception):
        pickle.loads(content, encoding="latin1")
    assert marker.exists()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", VALUES)
def test_reads_what_numpy_writes(name, protocol):
    expected = VALUES[name]
    found = parse_pickle(pickle.dumps({name: expected}, protocol), name="x.pkl")[name]
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray | np.generic):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def test_reads_python_2(python2_pickle):
    arrays = {"a": np.arange(600.0).reshape(2, 300), "b": np.array([1, -2], dtype=">i2")}
    content = python2_pickle(arrays)
    trusted = pickle.loads(content, encoding="latin1")
    for encoding, key in (("latin1", str), ("bytes", str.encode)):
        found = parse_pickle(content, name="x.pkl", encoding=encoding)
        assert list(found) == [key("a"), key("b")]
        for name, array in arrays.items():
            np.testing.assert_array_equal(trusted[name], array)
            np.testing.assert_array_equal(found[key(name)], array)
            assert found[key(name)].dtype == array.dtype


def test_shared_values_are_read_once():
    shared = [1, 2]
    found = parse_pickle(pickle.dumps([shared, shared]), name="x.pkl")
    assert found == [[1, 2], [1, 2]]
    assert found[0] is found[1]


def laughs(depth: int) -> bytes:
    return b"\x80\x04]\x94" + b"".join(b"0(h" + bytes([i]) + b"h" + bytes([i]) + b"t\x94"
                                      for i in range(depth)) + b"."  # fmt: skip


def of_array(state: bytes) -> bytes:
    head = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU\x02f8\x89\x88\x87R"
    return b"\x80\x04" + head + state.replace(b"DTYPE", dtype) + b"b."


HUGE = struct.pack("<Q", 1 << 62)
BOMBS = {
    "billion laughs": (laughs(30), "values"),
    "deep lists": (b"]" * 2000 + b"a" * 1999 + b".", "deep"),
    "deep tuples": (b")" + b"\x85" * 5000 + b".", "deep"),
    "a list that holds itself": (b"]\x94h\x00a.", "itself"),
    "opcodes": (b"(" * 7000, "more than 6000 opcodes"),
    "BYTEARRAY8": (b"\x80\x05\x96" + HUGE + b".", "left"),
    "BINBYTES8": (b"\x80\x04\x8e" + HUGE + b".", "left"),
    "BINUNICODE8": (b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "left"),
    "BINSTRING of negative length": (b"T\xff\xff\xff\xff.", "left"),
    "LONG4": (b"\x8b\xff\xff\xff\x7f.", "whole number"),
    "LONG4 of negative length": (b"\x8b\xff\xff\xff\xff.", "whole number"),
    "LONG with many digits": (b"L" + b"9" * 5000 + b"L\n.", "line"),
    "FRAME": (b"\x80\x04\x95" + HUGE + b".", "frame"),
    "LONG_BINPUT": (b"Nr\xff\xff\xff\xff.", "remembered"),
    "a memo that is not there": (b"j\xff\xff\xff\xff.", "not there"),
    "PERSID": (b"Pfile\n.", "PERSID"),
    "BINPERSID": (b"NQ.", "BINPERSID"),
    "NEXT_BUFFER": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "NEWOBJ": (b"\x80\x02cnumpy\nndarray\n)\x81.", "NEWOBJ"),
    "a set": (b"\x80\x04\x8f.", "EMPTY_SET"),
    "protocol 6": (b"\x80\x06N.", "protocol 6"),
    "no opcode": (b"\xff", "0xff"),
    "bytes after the end": (b"N.N.", "after its end"),
    "no content": (b"", "left"),
    "a dict with an array as key": (b"}]Ns.", "keys"),
    "BUILD of a dict": (b"}}b.", "state"),
    "a type as a value": (b"cnumpy\ndtype\n.", "piece of NumPy"),
    "an array that was not built": (of_array(b"N")[:-2] + b"0.", "piece of NumPy"),
    "an array that is larger": (
        of_array(b"(K\x01K\x09\x85DTYPE\x89C\x08" + b"\0" * 8 + b"t"), "72 bytes",
    ),
    "an array of -1": (
        of_array(b"(K\x01J\xff\xff\xff\xff\x85DTYPE\x89C\x08" + b"\0" * 8 + b"t"), "impossible",
    ),
    "an array of 2**126 bytes": (
        of_array(b"(K\x01(" + b"\x8a\x08" + b"\xff" * 7 + b"\x7f" + b"K\x02tDTYPE\x89C\0t"),
        "impossible",
    ),
    "an empty array of impossible shape": (
        of_array(b"(K\x01(K\0" + b"\x8a\x05\xff\xff\xff\xff\x7f" * 3 + b"tDTYPE\x89C\0t"),
        "impossible",
    ),
    "truth values of 7": (
        of_array(b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02b1\x89\x88\x87R\x89C\x01\x07t"), "neither",
    ),
    "text beyond Unicode": (
        of_array(b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02U1\x89\x88\x87R\x89C\x04\xff\xff\xff\xfft"),
        "Unicode",
    ),
    "bytes written as text many times": (
        b"\x80\x02" + text("a" * 1000) + b"q\x000]"
        + b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86Ra" * 400 + b".",
        "more bytes",
    ),
    "a key with much text": (b"}" + (b"X" + struct.pack("<I", 1 << 25)) + b"a" * (1 << 25) + b"Ns.",
                             "MiB of text"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_in_a_sentence(name, monkeypatch):
    monkeypatch.setattr("phosphene.data.pickle_machine.MAX_OPCODES", 6000)  # walked in less time
    content, word = BOMBS[name]
    assert word in refusal(content)


@pytest.mark.parametrize("dtype", ["O8", "V8", "M8", "f8,f8", "i4,O", "S99999999", "U0", "object"])
def test_refuses_other_dtypes(dtype):
    word = dtype.encode()
    content = b"\x80\x02cnumpy\ndtype\nU" + bytes([len(word)]) + word + b"\x89\x88\x87R."
    assert "dtype" in refusal(content)


def test_a_cut_file_is_refused_wherever_it_is_cut():
    content = pickle.dumps({"a": VALUES["wide"], "b": VALUES["plain"]})
    for n in range(len(content)):
        refusal(content[:n])


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_files_are_read_or_refused(protocol, seed):
    draw = random.Random(seed)
    content = bytearray(pickle.dumps(VALUES, protocol))
    for _ in range(draw.randint(1, 8)):
        where = draw.randrange(len(content))
        what = draw.choice(["set", "insert", "cut", "double"])
        if what == "set":
            content[where] = draw.randrange(256)
        elif what == "insert":
            content[where:where] = draw.randbytes(draw.randint(1, 9))
        elif what == "cut":
            del content[where : where + draw.randint(1, 9)]
        else:
            content[where:where] = content[where : where + draw.randint(1, 90)]
    try:
        parse_pickle(bytes(content), name="x.pkl")
    except ValueError:
        refusal(bytes(content))


def test_reads_regular_files_up_to_a_size(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps([1]))
    assert read_pickle(path) == [1]
    with pytest.raises(ValueError, match="may have 3 bytes"):
        read_pickle(path, max_bytes=3)
    with pytest.raises(ValueError, match="there is none"):
        read_pickle(tmp_path / "y.pkl")
    with pytest.raises(ValueError, match="regular"):
        read_pickle(tmp_path)
