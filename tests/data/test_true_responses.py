import numpy as np
import pytest

from phosphene.data.true_responses import read_true_responses

STIMULI = ["natural_scene_000", "natural_scene_003", "natural_scene_001"]


@pytest.fixture
def write(tmp_path):
    def write(**change):
        arrays = {
            "responses": np.random.default_rng(0).normal(size=(4, 5, 7)) * 1e-5,
            "stimulus": np.array([f"natural_scene_{i:03d}" for i in range(4)]),
            "sfreq": np.float64(1249.998),
        }
        arrays |= change
        path = tmp_path / "truth.npz"
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
        return path, arrays["responses"]

    return write


def read(path, **change):
    words = {
        "stimuli": STIMULI,
        "columns": [4, 2],
        "n_columns": 5,
        "n_times": 7,
        "sfreq": 1250.0,
    }
    return read_true_responses(path, **{**words, **change})


def test_rows_follow_the_pictures_and_channels_those_that_were_kept(write):
    path, responses = write()
    found = read(path)
    assert found.dtype == np.float32
    for row, stimulus in enumerate((0, 3, 1)):
        for channel, column in enumerate((4, 2)):
            expected = responses[stimulus, column].astype(np.float32)
            np.testing.assert_array_equal(found[row, channel], expected)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"responses": None}, "lacks responses"),
        ({"stimulus": np.arange(4)}, "lacks stimulus"),
        ({"sfreq": np.array(["1250"])}, "lacks sfreq"),
        ({"sfreq": np.float64(1000)}, r"rate of the windows, 1250 Hz; truth.npz has 1000"),
        ({"sfreq": np.array([1250.0, 1250.0])}, "rate of the windows"),
        ({"responses": np.zeros((4, 6, 7))}, "chan=5"),
        ({"responses": np.zeros((3, 5, 7))}, "picture=4"),
        ({"responses": np.zeros((4, 5, 8))}, "time=7"),
        ({"responses": np.full((4, 5, 7), np.nan)}, "must be finite"),
        ({"stimulus": np.array(["natural_scene_000"] * 4)}, "natural_scene_003 is missing"),
        ({"stimulus": np.array([*STIMULI, STIMULI[0]])}, "twice"),
        ({"stimulus": np.array([STIMULI])}, "must have the shape"),
    ],
)
def test_refuses(write, change, match):
    with pytest.raises(ValueError, match=match):
        read(write(**change)[0])


def test_never_unpickles(tmp_path):
    arrays = {"responses": np.array([{}]), "stimulus": np.array(["a"]), "sfreq": 1250.0}
    np.savez(tmp_path / "truth.npz", **arrays)
    with pytest.raises(ValueError, match="never unpickled"):
        read(tmp_path / "truth.npz")
