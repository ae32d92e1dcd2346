import pickle
import pickletools

import numpy as np
import pytest

from phosphene.data.pickle_machine import _STEPS, NAMES, PickleMachine
from phosphene.data.pickled_arrays import PickledArray, PickledBytes

REFUSED = {
    "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4",
    "EMPTY_SET", "ADDITEMS", "FROZENSET", "NEXT_BUFFER", "READONLY_BUFFER",
}  # fmt: skip


def run(content, *, python2_bytes=False):
    return PickleMachine(content, python2_bytes=python2_bytes).run()


def test_every_opcode_is_read_or_refused_on_purpose():
    for opcode in pickletools.opcodes:
        assert (ord(opcode.code) in _STEPS) is (opcode.name not in REFUSED), opcode.name


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"N.", None),
        (b"I01\n.", True),
        (b"I00\n.", False),
        (b"I-7\n.", -7),
        (b"L12L\n.", 12),
        (b"J\xff\xff\xff\xff.", -1),
        (b"M\x00\x01.", 256),
        (b"\x8a\x02\x00\x80.", -32768),
        (b"\x8a\x00.", 0),
        (b"\x8b\x01\x00\x00\x00\x05.", 5),
        (b"F2.5\n.", 2.5),
        (b"G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5),
        (b"(K\x01K\x02t.", (1, 2)),
        (b"(K\x01K\x02l.", [1, 2]),
        (b"K\x01K\x02K\x03\x87.", (1, 2, 3)),
        (b"](K\x01K\x02e.", [1, 2]),
        (b"]K\x01a.", [1]),
        (b"K\x012\x86.", (1, 1)),
        (b"K\x01K\x020.", 1),
        (b"K\x01(K\x02K\x031.", 1),
        (b"K\x01(0.", 1),
        (b"K\x01p5\ng5\n\x86.", (1, 1)),
        (b"K\x01r\x05\0\0\0j\x05\0\0\0\x86.", (1, 1)),
        (b"}(U\x01aK\x01V\xe9\nK\x02u.", {"a": 1, "é": 2}),
        (b"(S'a'\nK\x01d.", {"a": 1}),
        (b"}T\x01\0\0\0aK\x01s.", {"a": 1}),
    ],
)
def test_opcodes_do_what_pickle_does(content, expected):
    found = run(content)
    assert found == expected
    assert type(found) is type(expected)
    assert pickle.loads(content) == expected


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"0.", "mark"),
        (b"K\x01t.", "mark"),
        (b"a.", "lacks its values"),
        (b"K\x01K\x02a.", "no list"),
        (b"K\x01K\x02K\x03s.", "no dict"),
        (b"}(K\x01u.", "lacks its value"),
        (b"}G\0\0\0\0\0\0\0\0Ns.", "keys"),
        (b"}\x8a\x08\0\0\0\0\0\0\0\x10Ns.", "keys"),
        (b"(N.", "one value"),
        (b"NN.", "one value"),
        (b"NNR.", "no name"),
        (b"c_codecs\nencode\n(tR.", "encode"),
        (b"c_codecs\nencode\n(X\x01\0\0\0aX\x05\0\0\0ascii\x86tR.", "encode"),
        (b"c_codecs\nencode\nX\x03\0\0\0\xe2\x82\xacX\x06\0\0\0latin1\x86R.", "text that is none"),
        (b"c_codecs\nencode\nX\x01\0\0\0\xe2X\x06\0\0\0latin1\x86R.", "text that is none"),
        (b"c__builtin__\nbytes\n(K\x07tR.", "bytes"),
        (b"cnumpy\nndarray\n(tR.", "ndarray"),
        (b"cnumpy\nload\n.", "'numpy.load'"),
        (b"cnumpy.core.multiarray\nscalar\n(tR.", "NumPy number"),
        (b"cnumpy.core.numeric\n_frombuffer\n(tR.", "arguments"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(NNNtR.", "arguments"),
        (b"S'a\n.", "quotes"),
        (b"S'\\xg'\n.", "escapes"),
        (b"S'\\y'\n.", "escapes"),
        (b"Ix\n.", "none"),
        (b"Fx\n.", "none"),
        (b"K\x01K\x02\x93.", "no text"),
        (b"V\\ud800\nN\x86.", ""),
    ],
)
def test_refuses_opcodes_without_what_they_need(content, word):
    if word:
        with pytest.raises(ValueError, match=word):
            run(content)
    else:  # half a pair of characters: kept until its text is asked for
        machine = PickleMachine(content, python2_bytes=False)
        (node, _) = machine.run()
        with pytest.raises(ValueError, match="text that is none"):
            machine.string(node)


@pytest.mark.parametrize(("as_bytes", "expected"), [(True, b"\xe9"), (False, "é")])
def test_strings_of_python_2_are_what_was_asked_for(as_bytes, expected):
    machine = PickleMachine(b"U\x01\xe9.", python2_bytes=as_bytes)
    node = machine.run()
    assert (type(node), node.kind) == (PickledBytes, "str")
    assert machine.string(node) == expected


def test_nothing_is_copied_for_an_array():
    content = pickle.dumps(np.arange(1000.0))
    found = run(content)
    assert type(found) is PickledArray
    assert np.shares_memory(found.value, np.frombuffer(content, np.uint8))
    assert not found.value.flags.writeable


def test_names_stand_for_rules_and_are_never_imported(monkeypatch, tmp_path):
    (tmp_path / "tempting.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    for content in (b"ctempting\nname\n.", b"\x80\x04\x8c\x08tempting\x8c\x04name\x93."):
        with pytest.raises(ValueError, match=r"a call for 'tempting\.name'"):
            run(content)
        with pytest.raises(SystemExit):
            pickle.loads(content)
    assert set(NAMES.values()) == {
        "reconstruct", "scalar", "frombuffer", "ndarray", "dtype", "encode", "bytes",
    }  # fmt: skip
