import numpy as np
import pytest

from phosphene.data.pickled_arrays import (
    PickledArray,
    PickledBytes,
    PickledDtype,
    array_from_buffer,
    scalar_from,
    view_array,
)


def held(data, kind="bytes"):
    return PickledBytes(kind, memoryview(data if isinstance(data, bytes) else data.encode()))


def dtype(name, order="<"):
    made = PickledDtype((held(name, "text"), False, True))
    made.build((3, held(order), None, None, None, -1, -1, 0))
    return made


@pytest.mark.parametrize(("order", "expected"), [("<", [1, 256]), (">", [256, 1])])
def test_bytes_are_viewed_in_the_order_that_the_dtype_names(order, expected):
    array = view_array(held(b"\1\0\0\1"), dtype("u2", order), (2,), order="C")
    assert array.tolist() == expected


def test_fortran_order_turns_the_axes():
    data = held(bytes(range(6)))
    assert view_array(data, dtype("u1", "|"), (2, 3), order="C")[1].tolist() == [3, 4, 5]
    assert view_array(data, dtype("u1", "|"), (2, 3), order="F")[1].tolist() == [1, 3, 5]


def test_scalars_have_their_dtype():
    found = scalar_from((dtype("f4"), held(np.float32(2.5).tobytes())))
    assert (found, found.dtype) == (2.5, np.float32)


def test_buffers_of_protocol_5():
    data = held(bytes(range(6)))
    found = array_from_buffer((data, dtype("u1", "|"), (2, 3), held("K"), (1, 0)))
    assert found.value.tolist() == [[0, 3], [1, 4], [2, 5]]
    for order, axes, word in (("K", (0, 0), "order"), ("K", (0,), "order"), ("A", None, "order")):
        args = (data, dtype("u1", "|"), (2, 3), held(order))
        with pytest.raises(ValueError, match=word):
            array_from_buffer(args if axes is None else (*args, axes))


STATE = (3, held("<"), None, None, None, -1, -1, 0)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (None, "state"),
        (STATE[:7], "state"),
        ((4, *STATE[1:]), "state"),
        ((True, *STATE[1:]), "state"),
        ((*STATE[:2], (held("f4"), (2,)), *STATE[3:]), "fields"),
        ((*STATE[:3], (held("a"),), *STATE[4:]), "fields"),
        ((*STATE[:5], 1 << 40, -1, 0), "claims"),
        ((*STATE[:5], held("x"), -1, 0), "fields"),
        ((3, held("|"), *STATE[2:]), "byte order"),
        ((3, held("!"), *STATE[2:]), "byte order"),
        ((3, 7, *STATE[2:]), "state"),
    ],
)
def test_refuses_states_of_other_dtypes(state, word):
    with pytest.raises(ValueError, match=word):
        PickledDtype((held("f8"), 0, 1)).build(state)


def test_a_dtype_is_built_once():
    made = dtype("f8", ">")
    with pytest.raises(ValueError, match="state"):
        made.build(STATE)


@pytest.mark.parametrize("args", [(), (7,), (held("f8"), 2), (held("f8"), None)])
def test_refuses_other_arguments_of_dtypes(args):
    with pytest.raises(ValueError, match="dtype"):
        PickledDtype(args)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ((2, (1,), dtype("f8"), False, held(b"\0" * 8)), "state"),
        ((1, (1,), dtype("f8"), False), "state"),
        ((1, [1], dtype("f8"), False, held(b"\0" * 8)), "dtype and shape"),
        ((1, (1,), "f8", False, held(b"\0" * 8)), "dtype and shape"),
        ((1, (1,), dtype("f8"), 2, held(b"\0" * 8)), "order"),
        ((1, (1,), dtype("f8"), False, [1.0]), "no bytes"),
        ((1, (1,), dtype("f8"), False, held(b"\0" * 8, "text")), "no bytes"),
        ((1, (True,), dtype("f8"), False, held(b"\0" * 8)), "impossible"),
        ((1, (1,) * 9, dtype("f8"), False, held(b"\0" * 8)), "impossible"),
        ((1, (2,), dtype("f8"), False, held(b"\0" * 8)), "16 bytes, of which the file holds 8"),
    ],
)
def test_refuses_other_states_of_arrays(state, word):
    with pytest.raises(ValueError, match=word):
        PickledArray().build(state)


def test_strings_that_arrays_share_are_scanned_once(monkeypatch):
    scanned = []
    monkeypatch.setattr("phosphene.data.pickled_arrays._check_values", scanned.append)
    data = held(bytes(48))
    for size in (1, 2, 3, 4, 6, 12) * 3:
        view_array(data, dtype(f"U{size}"), (12 // size,), order="C")
        view_array(data, dtype("b1", "|"), (48,), order="C")
    assert [array.dtype.kind for array in scanned] == ["U", "b"]
    monkeypatch.undo()
    bad = held(b"\1\0\0\2")
    view_array(bad, dtype("u1", "|"), (4,), order="C")
    for _ in range(2):  # nothing bad is remembered as sound
        with pytest.raises(ValueError, match="neither 0 nor 1"):
            view_array(bad, dtype("b1", "|"), (4,), order="C")


def test_an_array_is_built_once():
    array = PickledArray()
    state = (1, (1,), dtype("f8"), False, held(b"\0" * 8))
    array.build(state)
    with pytest.raises(ValueError, match="state"):
        array.build(state)
