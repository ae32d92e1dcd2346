import pytest

from phosphene.data.montage import check_montage, load_montage, montage_names


def test_old_and_new_names_lead_to_the_same_positions():
    assert {"standard_1020", "biosemi64"} <= set(montage_names())
    assert len(load_montage("standard_1020").ch_names) > 80
    check_montage("standard_1020", ["TP9", "AF7", "Cz"], source="a.edf")


def test_refuses_unknown_montages_and_electrodes_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'biosemi64'"):
        load_montage("biosemi-64")
    with pytest.raises(ValueError, match=r"'FP1' and 1 others of a\.edf.*--rename-channels 'FP1=F"):
        check_montage("standard_1020", ["Cz", "FP1", "FP2"], source="a.edf")
    with pytest.raises(ValueError, match="--drop-channels 'Accelerometer'"):
        check_montage("standard_1020", ["Accelerometer"], source="a.edf")
