import pytest

from phosphene.data.formats.identity import name_from_folders


@pytest.mark.parametrize(
    ("folders", "subject", "session"),
    [
        ("subject7/session2", "subject7", "session2"),
        ("sub-01/ses-b/eeg", "sub-01", "ses-b"),
        ("Subject_7/x", "Subject_7", "unknown"),
        ("subway/sessions-old/subs", "unknown", "unknown"),
    ],
)
def test_reads_the_nearest_folder(tmp_path, folders, subject, session):
    path = tmp_path / folders / "a.edf"
    assert name_from_folders(path, "subject") == subject
    assert name_from_folders(path, "session") == session
