import pickle

import numpy as np
import pytest

from phosphene.data.formats.thoughtviz import (
    CH_NAMES,
    SETS,
    guess_set,
    inspect_thoughtviz,
    is_thoughtviz,
    read_halves,
    trials_from,
)
from phosphene.data.splits import HALVES
from phosphene.data.trials import content_hash


@pytest.fixture
def write(tmp_path):
    """Write a pickle and return its path."""

    def write(value, *, protocol=2, name="data.pkl"):
        path = tmp_path / name
        path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
        return path

    return write


@pytest.mark.parametrize("way", ["python 2", "bytes keys", "protocol 2", "protocol 5", "float32"])
def test_reads_what_every_python_writes(make_windows, write, python2_pickle, way):
    arrays = make_windows()
    expected = {half: arrays[half][..., 0] for half in HALVES}
    if way == "python 2":
        path = write(python2_pickle(arrays))
    elif way == "bytes keys":
        path = write({key.encode(): value for key, value in arrays.items()})
    elif way == "float32":
        path = write({key: value.astype(np.float32) for key, value in arrays.items()})
    else:
        path = write(arrays, protocol=int(way[-1]))
    halves, others = read_halves(path)
    assert list(halves) == list(HALVES)
    assert others == ()
    for half, windows in expected.items():
        np.testing.assert_allclose(halves[half].windows, windows, rtol=1e-6)
        labels = arrays[half.replace("x", "y")].argmax(axis=1)
        np.testing.assert_array_equal(halves[half].labels, labels)


def test_classes_are_in_the_natural_order_of_folder_names():
    assert SETS["image"][0] == "Apple"
    assert SETS["image"][4] == "Mobile"
    assert SETS["char"] == tuple("ACFHJMPSTY")
    assert SETS["digit"] == tuple("0123456789")
    assert all(list(names) == sorted(set(names)) for names in SETS.values())
    assert [len(names) for names in SETS.values()] == [10, 10, 10]
    assert (len(CH_NAMES), CH_NAMES[0], CH_NAMES[-1]) == (14, "AF3", "AF4")


def test_windows_become_trials_that_say_what_is_not_known(make_windows, write):
    arrays = make_windows()
    trials = trials_from(read_halves(write(arrays))[0], set_name="char")
    assert trials.epochs.shape == (80, 14, 32)
    assert (trials.sfreq, trials.unit, trials.margin) == (128.0, "a.u.", 0)
    assert trials.classes == SETS["char"]
    table = trials.table
    assert table["recording"].tolist() == ["x_train"] * 60 + ["x_test"] * 20
    for column, value in {"subject": "unknown", "session": "unknown", "block": ""}.items():
        assert set(table[column]) == {value}
    assert set(table["start"]) == set(table["stop"]) == {-1}
    np.testing.assert_array_equal(trials.epochs[60], arrays["x_test"][0, :, :, 0].astype("f4"))
    assert table["class_name"][60] == SETS["char"][arrays["y_test"][0].argmax()]
    assert table["content"][60] == content_hash(trials.epochs[60])
    assert trials.preprocessing["settings"] == {}


def test_equal_windows_are_trials_of_their_own_with_one_content(make_windows, write):
    arrays = make_windows()
    arrays["x_test"][3] = arrays["x_train"][7]
    arrays["x_train"][8] = arrays["x_train"][7]
    path = write(arrays)
    table = trials_from(read_halves(path)[0], set_name="digit").table
    assert table["trial"].is_unique
    assert table["content"][63] == table["content"][7] == table["content"][8]
    found = inspect_thoughtviz(path)
    assert found["n_in_both"] == 1
    assert [found["halves"][half]["n_repeated"] for half in HALVES] == [1, 0]


def test_inspection_counts_shapes_and_labels(make_windows, write):
    arrays = {**make_windows(), "x_more": 1}
    arrays["x_test"][0, 0, 0, 0] = np.nan
    found = inspect_thoughtviz(write(arrays))
    assert found["halves"]["x_train"]["shape"] == [60, 14, 32]
    assert found["halves"]["x_train"]["dtype"] == "float64"
    assert found["halves"]["x_train"]["per_label"] == [6] * 10
    assert found["halves"]["x_test"]["n_not_finite"] == 1
    assert found["halves"]["x_test"]["min"] is None
    assert found["others"] == ["x_more"]


@pytest.mark.parametrize(
    ("path", "name"),
    [("eeg/char/data.pkl", "char"), ("digit.pkl", "digit"), ("eeg/x/data.pkl", None)],
)
def test_folder_or_file_may_name_the_set(tmp_path, path, name):
    assert guess_set(tmp_path / path) == name


def without(key):
    return lambda arrays: arrays.pop(key)


def replaced(key, change):
    return lambda arrays: arrays.update({key: change(arrays[key])})


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (without("y_test"), "none for y_test"),
        (replaced("x_train", lambda x: x[:1].tolist()), "a list there for x_train"),
        (replaced("x_train", lambda x: x[..., 0]), r"\(window, 14, time, 1\).*\(60, 14, 32\)"),
        (replaced("x_train", lambda x: x[:, :13]), r"\(60, 13, 32, 1\)"),
        (replaced("x_train", lambda x: x[:0]), r"\(0, 14, 32, 1\)"),
        (replaced("x_train", lambda x: x.astype("S")), "holds numbers"),
        (replaced("x_train", lambda x: x + 1j), "complex128"),
        (replaced("x_test", lambda x: x[:, :, :16]), r"32 samples \(x_train\) and 16 samples"),
        (replaced("y_train", lambda y: y[:50]), r"\(60, 10\).*\(50, 10\)"),
        (replaced("y_train", lambda y: y.argmax(1)), r"\(60, 10\)"),
        (replaced("y_test", lambda y: y * 0.5), "one-hot.*20 are not, the first row 0"),
        (replaced("y_test", lambda y: y + np.eye(10)[0]), "one-hot"),
    ],
)
def test_refuses_other_arrays(make_windows, write, spoil, match):
    arrays = make_windows()
    spoil(arrays)
    with pytest.raises(ValueError, match=match):
        read_halves(write(arrays))


def test_refuses_other_content(make_windows, write):
    with pytest.raises(ValueError, match=r"holds a list.*data\.pkl"):
        read_halves(write([1, 2]))
    with pytest.raises(ValueError, match="system"):
        read_halves(write(b"cos\nsystem\n(S'true'\ntR."))
    arrays = make_windows()
    arrays["x_train"][2, 3, 4, 0] = np.inf
    with pytest.raises(ValueError, match="must be finite"):
        trials_from(read_halves(write(arrays))[0], set_name="image")
    with pytest.raises(ValueError, match="'image'"):
        trials_from(read_halves(write(make_windows()))[0], set_name="images")


def test_refuses_a_class_without_a_window(make_windows, write):
    arrays = make_windows()
    arrays["y_train"] = np.eye(10)[arrays["y_train"].argmax(1) % 9]
    trials_from(read_halves(write(arrays))[0], set_name="image")  # x_test has all ten
    arrays["y_test"] = np.eye(10)[arrays["y_test"].argmax(1) % 9]
    with pytest.raises(ValueError, match=r"every class of the set 'image'.* none of Watch;"):
        trials_from(read_halves(write(arrays))[0], set_name="image")


def test_refuses_two_arrays_of_one_name_and_too_many_samples(make_windows, write, monkeypatch):
    arrays = make_windows()
    with pytest.raises(ValueError, match="as text and as bytes"):
        read_halves(write({**arrays, b"x_train": arrays["x_train"]}))
    monkeypatch.setattr("phosphene.data.formats.thoughtviz.MAX_SAMPLES", 9000)
    with pytest.raises(ValueError, match=r"x_train of data\.pkl may have 9000 samples"):
        read_halves(write(arrays))


def test_a_key_that_fills_the_screen_is_shortened(make_windows, write):
    with pytest.raises(ValueError, match="none for x_train") as caught:
        read_halves(write({"k" * 100_000: 1}))
    assert len(str(caught.value)) < 500


def test_is_known_by_its_name(tmp_path, write):
    assert is_thoughtviz(write([1]))
    assert not is_thoughtviz(write([1], name="data.csv"))
    assert not is_thoughtviz(tmp_path / "nothing.pkl")
    (tmp_path / "folder.pkl").mkdir()
    assert not is_thoughtviz(tmp_path / "folder.pkl")
