import pytest

from phosphene.data.formats.identity import name_from_path


@pytest.mark.parametrize(
    ("folders", "subject", "session"),
    [
        ("subject7/session2", "subject7", "session2"),
        ("sub-01/ses-b/eeg", "sub-01", "ses-b"),
        ("Subject_7/x", "Subject_7", "unknown"),
        ("subway/sessions-old/subs", "unknown", "unknown"),
        ("subjects/P01", "unknown", "unknown"),
        ("subject1/subjects_2023/sessions/Sessions2", "subject1", "unknown"),
        ("subjectA/session_b", "unknown", "session_b"),
        ("subjectA1/session-old", "subjectA1", "session-old"),
    ],
)
def test_reads_the_nearest_folder(tmp_path, folders, subject, session):
    path = tmp_path / folders / "a.edf"
    assert name_from_path(path, "subject") == subject
    assert name_from_path(path, "session") == session


@pytest.mark.parametrize(
    ("name", "subject", "session"),
    [
        ("sub-02_ses-b_task-x_eeg.edf", "sub-02", "ses-b"),
        ("2024_sub-02.edf", "sub-02", "session9"),
        ("subject7.edf", "subject8", "session9"),
        ("mysub-02_ses-.edf", "subject8", "session9"),
    ],
)
def test_a_file_may_name_both_itself(tmp_path, name, subject, session):
    path = tmp_path / "subject8" / "session9" / name
    assert name_from_path(path, "subject") == subject
    assert name_from_path(path, "session") == session
