import mne
import numpy as np
import pandas as pd
import pytest

from phosphene.data.formats.mne_events import (
    FoundEvents,
    choose_source,
    event_code,
    find_events,
    no_events,
)


def make_raw(stim, annotations=()):
    data = np.stack([np.arange(len(stim)) * 1e-6, stim])
    raw = mne.io.RawArray(
        data, mne.create_info(["Cz", "TRIG"], 10.0, ["eeg", "stim"]), 7, verbose=0
    )
    onset, duration, text = zip(*annotations, strict=True) if annotations else ((), (), ())
    return raw.set_annotations(mne.Annotations(onset, duration, text), verbose="error")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a b", "a b"),
        (np.int64(2**53 + 1), "9007199254740993"),
        (1e6 + 1, "1000001"),
        (np.float32(0.1), "0.1"),
        (np.float64(1 / 3), "0.3333333333333333"),
        (np.float64("nan"), "nan"),
        (-2, "-2"),
    ],
)
def test_codes_that_are_numbers_stand_in_full(value, code):
    assert event_code(value) == code


def test_finds_events_by_source(tmp_path):
    raw = make_raw([4, 0, 0, 1, 1, 2, 0, 0, 0, 3, *[0] * 9], [(0.5, 0, "b"), (0.2, 0, "a")])
    found = find_events(raw, path=tmp_path / "a.fif")
    assert found.by_source["annotations"].to_dict("list") == {"sample": [2, 5], "code": ["a", "b"]}
    expected = {"sample": [3, 5, 9], "code": ["1", "2", "3"]}
    assert found.by_source["TRIG"].to_dict("list") == expected
    assert (found.gaps, found.n_bad, found.n_outside) == ((), 0, 0)


def test_bad_stretches_are_marked_closely_and_cut_to_the_signal(tmp_path):
    raw = make_raw(np.zeros(100), [(0.3, 0.4, "BAD"), (9.5, 0.4, "bad end")])
    found = find_events(raw, path=tmp_path / "a.fif")
    assert found.by_source == {}
    assert found.gaps == (3, 4, 5, 6, 7, 95, 96, 97, 98, 99)
    assert found.n_bad == 2


@pytest.mark.parametrize(("stim", "says"), [([0, 0.5, 0, 0], "integers"), ([0, 1] * 9, "rests")])
def test_refuses_channels_that_are_no_triggers(tmp_path, stim, says):
    with pytest.raises(ValueError, match=f"{says}.*TRIG of a.fif.*--events-from"):
        find_events(make_raw(stim), path=tmp_path / "a.fif")


def test_chooses_the_only_source_or_asks():
    table = pd.DataFrame({"sample": [1], "code": ["x"]})

    def choose(sources, wanted=None):
        found = FoundEvents(dict.fromkeys(sources, table), (), 0, 0)
        return choose_source(found, wanted, stim_channels=["TRIG"], source="a.fif")

    assert choose([]) is None
    assert choose(["TRIG"]) == "TRIG"
    assert choose(["TRIG"], "annotations") is None
    assert choose(["annotations", "TRIG"], "TRIG") == "TRIG"
    with pytest.raises(ValueError, match=r"in a\.fif annotations has 1 \(codes x\); TRIG has"):
        choose(["annotations", "TRIG"])
    with pytest.raises(ValueError, match="Did you mean 'TRIG'"):
        choose(["TRIG"], "TRIGG")


def test_an_empty_table_has_the_columns_and_types_of_events():
    assert no_events().dtypes.astype(str).tolist() == ["int64", "str"]
