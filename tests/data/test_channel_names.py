import pytest

from phosphene.data.channel_names import find_renames, plain_name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("EEG Fp1-LE", "fp1"),
        ("F3-REF", "f3"),
        ("Fz-LE", "fz"),
        ("O1-A1", "o1"),
        (" Cz.. ", "cz"),
        ("A1", "a1"),
        ("Fp1-F7", "fp1f7"),
    ],
)
def test_case_type_reference_and_punctuation_do_not_count(name, plain):
    assert plain_name(name) == plain


def test_renames_name_channels_as_they_are_wanted():
    found = ["F3-REF", "Cz", "EEG OZ", "EMG"]
    assert find_renames(found, ["F3", "Cz", "Oz"]) == {"F3-REF": "F3", "EEG OZ": "Oz"}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (["FP1", "Fp1-REF"], ["Fp1"]),  # which of the two?
        (["FP1", "Fp1"], ["Fp1"]),  # it is there already
        (["fp1"], ["Fp1", "FP1"]),
        (["Fp1"], ["Fp1"]),
    ],
)
def test_nothing_is_guessed(found, wanted):
    assert find_renames(found, wanted) == {}
