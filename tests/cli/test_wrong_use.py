import pytest

from phosphene.cli.wrong_use import WrongUseError, check_use


def test_names_the_nearest():
    check_use("command", "train", ["train", "demo"])
    with pytest.raises(WrongUseError, match="Did you mean 'train'"):
        check_use("command", "trian", ["train", "demo"])
