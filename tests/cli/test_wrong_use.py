import pytest

from phosphene.cli.wrong_use import WrongUseError, check_use, read_pairs


def test_names_the_nearest():
    check_use("command", "train", ["train", "demo"])
    with pytest.raises(WrongUseError, match="Did you mean 'train'"):
        check_use("command", "trian", ["train", "demo"])


def test_pairs_are_parted_at_the_last_equals_sign():
    words = ["1=houses", "S=2=faces"]
    found = read_pairs(words, option="--events", example="1=houses")
    assert found == {"1": "houses", "S=2": "faces"}


@pytest.mark.parametrize("words", [["1"], ["=houses"], ["1="], ["1=a", "1=b"]])
def test_other_words_are_no_pairs(words):
    with pytest.raises(WrongUseError, match="`--events`"):
        read_pairs(words, option="--events", example="1=houses")
