import hashlib
from dataclasses import replace

import pytest

from phosphene.cli.main import main
from phosphene.data import downloads
from phosphene.experiment import inception
from phosphene.recipes.eeg2image_2023 import config


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and a copy whose hash is taken for the published one."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    known = replace(
        downloads.DOWNLOADS["inception-2015"], sha256=hashlib.sha256(b"weights").hexdigest()
    )
    monkeypatch.setattr(downloads, "DOWNLOADS", {"inception-2015": known})
    (tmp_path / "copy.pth").write_bytes(b"weights")
    return tmp_path


def test_a_copy_is_put_into_the_cache_and_found_again(cache, capsys):
    words = ["data", "fetch", "inception-2015"]
    assert main([*words, "--source", str(cache / "copy.pth")]) == 0
    said = capsys.readouterr().out
    path = downloads.cached_file("inception-2015")
    assert f"wrote   {path}" in said
    assert "verified" in said
    assert "next    phosphene evaluate" in said
    assert "not to one with --inception off, as of demo and smoke" in said
    assert path.read_bytes() == b"weights"
    assert main(words) == 0  # asks no server
    assert f"kept    {path}" in capsys.readouterr().out


def test_what_is_said_of_presets_is_true():
    """A run keeps its settings, so `evaluate` adds nothing to those that have it off."""
    assert {f().inception for f in (config.demo, config.smoke)} == {"off"}
    assert {f().inception for f in (config.paper, config.quick)} == {"auto"}
    assert not inception.check_weights(config.demo())


def test_another_file_is_a_failure(cache, capsys):
    (cache / "copy.pth").write_bytes(b"other")
    assert main(["data", "fetch", "inception-2015", "--source", str(cache / "copy.pth")]) == 1
    assert "must have the SHA-256" in capsys.readouterr().err


def test_an_unknown_file_is_wrong_use(capsys):
    assert main(["data", "fetch", "inception-2016"]) == 2
    assert "`file` must be 'inception-2015'" in capsys.readouterr().err
