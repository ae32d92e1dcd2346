import warnings

import pytest

from phosphene.data.formats.mne_calls import one_sentence


def test_errors_become_one_sentence_without_folders(tmp_path):
    path = tmp_path / "a.edf"
    with (
        pytest.raises(ValueError, match=r"whole file.*MNE cannot read a\.edf \(bad a\.edf in line"),
        one_sentence(path),
    ):
        raise RuntimeError(f"bad {path} in\n line 3. Ask us.")
    for error, says in ((MemoryError(), "fit into memory"), (ImportError("x"), "another package")):
        with pytest.raises(ValueError, match=says), one_sentence(path):
            raise error
    with pytest.raises(KeyboardInterrupt), one_sentence(path):
        raise KeyboardInterrupt


def test_warnings_become_notes(tmp_path, recwarn):
    with one_sentence(tmp_path / "a.edf") as notes:
        warnings.warn(f"odd {tmp_path}/a.edf. More", RuntimeWarning, stacklevel=1)
        warnings.warn("odd a.edf. More", RuntimeWarning, stacklevel=1)
        warnings.warn("old", FutureWarning, stacklevel=1)
        warnings.warn("x" * 999, RuntimeWarning, stacklevel=1)
    assert notes[0] == "odd a.edf"
    assert len(notes) == 2
    assert len(notes[1]) == 160
    assert not recwarn
