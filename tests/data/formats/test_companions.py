import hashlib

import pytest

from phosphene.data.formats.companions import check_companions, hash_files


@pytest.fixture
def header(tmp_path):
    """Write a BrainVision header that names its data and markers as told."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.eeg").write_bytes(b"data")
    (folder / "a.vmrk").write_bytes(b"marks")

    def write(data="a.eeg", markers="MarkerFile=a.vmrk"):
        path = folder / "a.vhdr"
        path.write_text(f"[Common Infos]\nDataFile={data}\n{markers}\n")
        return path

    return write


def test_names_all_files_of_a_recording(header):
    path = header("$b.eeg")
    assert [file.name for file in check_companions(path)] == ["a.vhdr", "a.eeg", "a.vmrk"]
    assert [f.name for f in check_companions(header(markers=""))] == ["a.vhdr", "a.eeg"]
    own = check_companions(path.with_name("a.vmrk"), [path, path.with_name("a.vmrk")])
    assert [file.name for file in own] == ["a.vmrk", "a.vhdr"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("../a.eeg", "lie in its own folder"),
        ("/etc/passwd", "lie in its own folder"),
        ("..\\a.eeg", "lie in its own folder"),
        ("..", "lie in its own folder"),
        ("b.eeg", "names b.eeg, which is not"),
        ("", "has no DataFile"),
    ],
)
def test_refuses_names_that_lead_elsewhere(header, data, says):
    with pytest.raises(ValueError, match=says):
        check_companions(header(data))


def test_refuses_links_that_lead_elsewhere(header, tmp_path):
    path = header()
    (tmp_path / "secret").write_bytes(b"secret")
    path.with_suffix(".vmrk").unlink()
    path.with_suffix(".vmrk").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=r"a\.vmrk outside it through a symbolic link"):
        check_companions(path)
    with pytest.raises(ValueError, match="secret outside it; copy"):
        check_companions(path.with_name("a.eeg"), [tmp_path / "secret"])
    folder = tmp_path / "b.mff"
    folder.mkdir()
    (folder / "x").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="symbolic link"):
        check_companions(folder)


def test_refuses_headers_without_end(header, monkeypatch):
    monkeypatch.setattr("phosphene.data.formats.companions.MAX_HEADER_BYTES", 10)
    with pytest.raises(ValueError, match="short text"):
        check_companions(header())


def test_hashes_the_bytes_of_all_files(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    assert hash_files([tmp_path / "a", tmp_path / "b"]) == hashlib.sha256(b"onetwo").hexdigest()
