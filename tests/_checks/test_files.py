import contextlib
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phosphene._checks.files import (
    FACTOR_VARIABLE,
    check_amount,
    check_name,
    inside,
    open_regular,
    parse_json,
    read_bytes,
    read_json,
    read_text,
    shown,
)


def test_amounts_above_the_limit_are_refused_with_the_way_to_raise_it(monkeypatch):
    check_amount("a file", 10, 10)
    with pytest.raises(
        ValueError, match=f"may have 10 bytes; it has 25; .* {FACTOR_VARIABLE} to 3"
    ):
        check_amount("a file", 25, 10)
    monkeypatch.setenv(FACTOR_VARIABLE, "3")
    check_amount("a file", 25, 10)
    with pytest.raises(ValueError, match="may have 10 pictures; it has 31"):
        check_amount("a folder", 31, 10, unit="pictures")


@pytest.mark.parametrize("text", ["0.5", "many", "nan", "inf", "-1", ""])
def test_a_senseless_factor_is_refused(monkeypatch, text):
    monkeypatch.setenv(FACTOR_VARIABLE, text)
    with pytest.raises(ValueError, match="from 1 to 1000000"):
        check_amount("a file", 2, 1)


def test_regular_files_are_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("Häuser".encode())
    assert read_text(path, limit=7) == "Häuser"
    with pytest.raises(ValueError, match="may have 6 bytes; it has 7"):
        read_bytes(path, limit=6)
    path.write_bytes(b"")
    assert read_bytes(path, limit=0) == b""
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "b.txt")


def test_text_must_be_utf8(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"H\xe4user")
    with pytest.raises(ValueError, match=r"must be UTF-8; .*a\.txt is not at byte 1"):
        read_text(path, limit=100)


@pytest.mark.timeout(10)
def test_pipes_devices_and_folders_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is a pipe"):
        read_bytes(tmp_path / "pipe", limit=100)
    with pytest.raises(ValueError, match="is a folder"):
        read_bytes(tmp_path, limit=100)
    with pytest.raises(ValueError, match="a device"):
        read_bytes(tmp_path / os.devnull, limit=100)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
        with pytest.raises((ValueError, OSError)):
            read_bytes(tmp_path / "socket", limit=100)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "Expecting"),
        ("[NaN]", "NaN is no JSON number"),
        ("[-Infinity]", "-Infinity is no JSON number"),
        ("[1e999]", "1e999 is too large"),
        ("9" * 5000, "Exceeds the limit"),
        ("[" * 65 + "]" * 65, "deeper than 64"),
        ('{"a":' * 65 + "1" + "}" * 65, "deeper than 64"),
        ("[" * 100_000, "deeper than 64"),
        (r'["\ud800"]', "surrogate"),
    ],
)
def test_json_that_is_dangerous_is_refused(text, match):
    with pytest.raises(ValueError, match=match) as error:
        parse_json(text)
    assert type(error.value) is ValueError
    assert len(str(error.value)) <= 200


def test_json_that_is_sound_is_read():
    assert parse_json("[" * 64 + "]" * 64)
    assert parse_json(r'{"a": "\ud83d\ude00 [[[[", "b": 1e300}') == {"a": "😀 [[[[", "b": 1e300}


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_parsed_or_refused(text):
    with contextlib.suppress(ValueError):
        parse_json(text)


def test_json_files_name_file_and_remedy(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1,]")
    with pytest.raises(ValueError, match=r"a\.json must hold JSON; .* does not \(.*\); copy it\."):
        read_json(path, remedy="copy it.")
    path.write_text("[1]")
    assert read_json(path, remedy="copy it.") == [1]


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../secret", "link", "loop", "\0"]
)
def test_names_and_links_must_not_lead_out(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(ValueError, match="stay inside their folder"):
        inside(folder, name)


def test_links_that_stay_inside_and_a_linked_folder_are_followed(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "b").symlink_to(folder / "a")
    (tmp_path / "alias").symlink_to(folder)
    assert inside(folder, "b").read_text() == "a"
    assert inside(tmp_path / "alias", "a").read_text() == "a"


def test_messages_repeat_values_on_one_line():
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 1000)) == 100


def test_a_file_name_must_be_text():
    check_name(Path("ä/b.png"))
    with pytest.raises(ValueError, match=r"must be UTF-8; 'a/\\udcff' is not; rename it"):
        check_name(Path(os.fsdecode(b"a/\xff")))
