import numpy as np
import pytest

from phosphene.data.simulate import head_model
from phosphene.data.simulate.head_model import (
    cache_folder,
    compute_lead_field,
    cortex_directions,
    cortex_names,
    load_lead_field,
)


@pytest.mark.parametrize(
    ("montage", "n_chans"),
    [("emotiv14", 14), ("muse", 4), ("biosemi32", 32), ("standard_1020", 94)],
)
def test_covers_headsets_and_montages(montage, n_chans):
    lead_field = compute_lead_field(montage)
    assert len(lead_field.ch_names) == n_chans
    assert lead_field.cortex.shape == (12, 3, n_chans)
    assert lead_field.background.shape == (150, 3, n_chans)
    np.testing.assert_allclose(np.linalg.norm(lead_field.positions, axis=1), 0.09, rtol=1e-6)
    # 10 nA m on the cortex are a few microvolts on the scalp (Hämäläinen et al., 1993).
    assert 1e-6 < 10e-9 * np.abs(lead_field.cortex).max() < 10e-6


def test_outward_dipole_makes_the_scalp_above_it_positive():
    lead_field = compute_lead_field("biosemi64")
    source = cortex_names().index("parietal left")
    direction = cortex_directions()[source]
    voltages = direction @ lead_field.cortex[source]
    nearest = lead_field.positions @ direction
    assert voltages.argmax() == nearest.argmax()


def test_mirrored_sources_swap_mirrored_electrodes():
    lead_field = compute_lead_field("biosemi32")
    names = list(lead_field.ch_names)
    right, left = (cortex_names().index(f"occipital {side}") for side in ("right", "left"))
    upright = cortex_directions()
    voltages = {side: upright[side] @ lead_field.cortex[side] for side in (right, left)}
    assert voltages[right][names.index("O2")] == pytest.approx(
        voltages[left][names.index("O1")], rel=1e-3
    )


def test_headset_potentials_are_against_its_reference():
    everywhere = compute_lead_field("standard_1020")
    muse = compute_lead_field("muse")
    at = [everywhere.ch_names.index(name) for name in (*muse.ch_names, "Fpz")]
    picked = everywhere.cortex[..., at]
    np.testing.assert_allclose(muse.cortex, picked[..., :-1] - picked[..., -1:], rtol=1e-6)


def test_unknown_montage_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'emotiv14'"):
        compute_lead_field("emotive14")


@pytest.fixture
def count(monkeypatch, tmp_path):
    """How often the forward problem was solved; the cache begins empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("platform.system", lambda: "Linux")
    calls = []

    def counted(montage):
        calls.append(montage)
        return compute_lead_field(montage)

    monkeypatch.setattr(head_model, "compute_lead_field", counted)
    return calls


def test_second_load_reads_the_cache(count):
    first, second = load_lead_field("muse"), load_lead_field("muse")
    assert count == ["muse"]
    assert first.ch_names == second.ch_names
    np.testing.assert_array_equal(first.cortex, second.cortex)
    assert [path.suffix for path in cache_folder().iterdir()] == [".npz"]


@pytest.mark.parametrize("content", [b"", b"PK no archive", "truncated"])
def test_damaged_cache_is_computed_again(count, content):
    load_lead_field("muse")
    (path,) = cache_folder().iterdir()
    path.write_bytes(path.read_bytes()[:500] if content == "truncated" else content)
    assert np.isfinite(load_lead_field("muse").cortex).all()
    assert len(count) == 2


def test_unwritable_cache_is_no_error(count, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    load_lead_field("muse")
    load_lead_field("muse")
    assert len(count) == 2


@pytest.mark.parametrize(
    ("system", "variable", "expected"),
    [
        ("Linux", "XDG_CACHE_HOME", "phosphene"),
        ("Windows", "LOCALAPPDATA", "phosphene"),
        ("Darwin", "HOME", "Library/Caches/phosphene"),
    ],
)
def test_cache_lies_where_the_platform_keeps_caches(
    monkeypatch, tmp_path, system, variable, expected
):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder() == tmp_path / expected
