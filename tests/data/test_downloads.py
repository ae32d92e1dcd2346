import hashlib
from dataclasses import replace

import pytest
import requests

from phosphene.data import downloads
from phosphene.data.downloads import DOWNLOADS, cached_file, fetch, read_verified

CONTENT = b"the published bytes"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and a download of a few bytes in it."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    known = replace(
        DOWNLOADS["inception-2015"], sha256=hashlib.sha256(CONTENT).hexdigest(), max_bytes=100
    )
    monkeypatch.setattr(downloads, "DOWNLOADS", {"few bytes": known})
    assert not cached_file("few bytes").exists()
    return tmp_path


@pytest.fixture
def server(monkeypatch):
    """Answer every request with these bytes, or raise; keep what was asked for."""
    asked = []

    def answer_with(content):
        def get(url, **kwargs):
            asked.append(url)
            if isinstance(content, Exception):
                raise content
            response = requests.Response()
            response.status_code = 200
            response.iter_content = lambda chunk_size: [content]
            return response

        monkeypatch.setattr(requests, "get", get)
        return asked

    return answer_with


def test_published_hash_begins_as_the_file_name_says():
    known = DOWNLOADS["inception-2015"]
    assert known.url.startswith("https://github.com/mseitzer/pytorch-fid/releases/download/")
    assert known.file_name == f"pt_inception-2015-12-05-{known.sha256[:8]}.pth"
    assert len(known.sha256) == 64


def test_fetched_once_and_verified(server):
    asked = server(CONTENT)
    path = fetch("few bytes")
    assert path == cached_file("few bytes")
    assert read_verified("few bytes") == path.read_bytes() == CONTENT
    assert fetch("few bytes") == path
    assert asked == [DOWNLOADS["inception-2015"].url]


def test_other_bytes_from_the_server_are_refused_and_not_kept(server):
    server(b"other bytes")
    with pytest.raises(ValueError, match=r"must have the SHA-256 [0-9a-f]{64}; what https"):
        fetch("few bytes")
    assert not cached_file("few bytes").exists()


@pytest.mark.parametrize("error", [requests.ConnectionError("no"), requests.Timeout("late")])
def test_without_internet_the_way_around_is_said(server, error):
    server(error)
    with pytest.raises(ValueError, match=r"elsewhere and call .*--source FILE") as found:
        fetch("few bytes")
    assert type(error).__name__ in str(found.value)


def test_a_copy_from_elsewhere_is_verified_and_kept(cache, server):
    asked = server(AssertionError("no request"))
    copy = cache / "copy.pth"
    copy.write_bytes(b"other bytes")
    with pytest.raises(ValueError, match="must have the SHA-256"):
        fetch("few bytes", source=copy)
    assert not cached_file("few bytes").exists()
    copy.write_bytes(CONTENT)
    assert read_verified("few bytes", fetch("few bytes", source=copy)) == CONTENT
    assert not asked
    assert [path.name for path in cached_file("few bytes").parent.iterdir()] == [
        cached_file("few bytes").name
    ]


def test_a_changed_file_in_the_cache_is_refused(server):
    server(CONTENT)
    path = fetch("few bytes")
    path.write_bytes(CONTENT + b"!")
    for read in (read_verified, fetch):
        with pytest.raises(ValueError, match="Do not use it: remove it"):
            read("few bytes")


def test_a_file_that_is_too_large_is_not_read(cache):
    large = cache / "large"
    large.write_bytes(bytes(101))
    with pytest.raises(ValueError, match="less than 100 bytes"):
        read_verified("few bytes", large)


def test_a_missing_file_names_the_command(cache):
    with pytest.raises(ValueError, match="Call `phosphene data fetch few bytes`"):
        read_verified("few bytes")
    with pytest.raises(ValueError, match="regular files"):
        read_verified("few bytes", cache)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="must be 'few bytes'"):
        fetch("many bytes")
