import h5py
import numpy as np
import pytest

from phosphene.data.formats.nwb_electrodes import Electrodes, choose_columns, read_electrodes

TABLE = "general/extracellular_ephys/electrodes"


def electrodes(**fields):
    """Six electrodes, the depth not in the order of the columns."""
    values = {
        "ids": np.arange(100, 106),
        "areas": ("V1", "V1", "V1", "CA1", "CA1", ""),
        "numbers": np.arange(0, 24, 4),
        "depth": np.array([300.0, 340, 340, 100, 60, 900]),
        "side": np.array([0.0, 32, 0, 0, 0, 0]),
        "valid": np.array([True] * 5 + [False]),
    }
    return Electrodes(**{**values, **fields})


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        ({}, [2, 1, 0, 3, 4]),
        ({"area": "V1"}, [2, 1, 0]),
        ({"channels": (105, 104)}, [5, 4]),
        ({"channels": (104, 104)}, [4]),
        ({"max_channels": 2}, [2, 4]),
        ({"max_channels": 5}, [2, 1, 0, 3, 4]),
        ({"area": "CA1", "max_channels": 1}, [3]),
    ],
)
def test_chooses_from_the_surface_down(options, columns):
    assert choose_columns(electrodes(), **options) == columns


def test_keeps_the_order_of_the_file_without_positions():
    assert choose_columns(electrodes(depth=None)) == [0, 1, 2, 3, 4]


def test_names_are_area_and_number():
    assert [electrodes().name(i) for i in (0, 4, 5)] == ["V1 0", "CA1 16", "20"]


def test_a_table_needs_only_ids_and_a_region_picks_its_rows(tmp_path):
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        file[f"{TABLE}/id"] = np.arange(10, 15)
        file["s/electrodes"] = np.array([4, 1])
        found = read_electrodes(file, file["s"], n_columns=2)
        assert (found.ids.tolist(), found.areas, found.depth) == ([14, 11], ("", ""), None)
        assert choose_columns(found) == [0, 1]
        with pytest.raises(ValueError, match="`area` must be 'none'"):
            choose_columns(found, area="VISp")
        file[f"{TABLE}/rel_y"] = np.array([0, 20, 40, 60, np.nan])
        file[f"{TABLE}/local_index"] = np.full(5, 3)
        found = read_electrodes(file, file["s"], n_columns=2)
        assert found.depth is None  # one is unknown
        assert found.numbers.tolist() == [14, 11]  # numbers that repeat name nothing
        file[f"{TABLE}/location"] = np.array([b"V1"] * 4)
        with pytest.raises(ValueError, match=r"location .* has 4 rows for 5"):
            read_electrodes(file, file["s"], n_columns=2)
        del file[f"{TABLE}/location"], file[f"{TABLE}/rel_y"]
        file[f"{TABLE}/rel_y"] = np.zeros(6)
        with pytest.raises(ValueError, match=r"rel_y .* has 6 rows for 5"):
            read_electrodes(file, file["s"], n_columns=2)
