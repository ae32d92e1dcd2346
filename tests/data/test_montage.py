import re

import pytest

from phosphene.data.montage import check_montage, load_montage, montage_names


def test_old_and_new_names_lead_to_the_same_positions():
    assert {"standard_1020", "biosemi64"} <= set(montage_names())
    assert len(load_montage("standard_1020").ch_names) > 80
    check_montage("standard_1020", ["TP9", "AF7", "Cz"], source="a.edf")


def test_refuses_unknown_montages_and_electrodes_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'biosemi64'"):
        load_montage("biosemi-64")
    with pytest.raises(ValueError, match=r"Fpp1 of a\.edf is none; did you mean .* Fpp1=Fp1\?"):
        check_montage("standard_1020", ["Cz", "Fpp1"], source="a.edf")


@pytest.mark.parametrize(
    ("ch_names", "remedy"),
    [
        (
            ["Cz", "FP1", "FP2"],
            "FP1, FP2 of a.edf are none; rename with --rename-channels FP1=Fp1 ",
        ),
        (["F3-REF", "Fz-LE", "O1-A1"], "--rename-channels F3-REF=F3 Fz-LE=Fz O1-A1=O1, or choose"),
        (["EEG FP1-REF"], "--rename-channels 'EEG FP1-REF=Fp1', or choose another montage."),
        (
            ["FP1", "Accelerometer", "Left leg"],
            "FP1=Fp1, leave out with --drop-channels Accelerometer 'Left leg', or choose",
        ),
        (["Accelerometer"], "none; leave out with --drop-channels Accelerometer, or choose"),
        (["FP1", "Fp1"], "FP1 of a.edf is none; leave out with --drop-channels FP1, or choose"),
    ],
)
def test_all_names_that_do_not_fit_are_named_at_once(ch_names, remedy):
    with pytest.raises(ValueError, match=re.escape(remedy)):
        check_montage("standard_1020", ch_names, source="a.edf")
