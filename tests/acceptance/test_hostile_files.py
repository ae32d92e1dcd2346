"""Files that somebody damaged or made to harm: refused in one sentence, and nothing worse."""

import os
import re
import shutil
import struct
import sys
import time
import zlib
from pathlib import Path

import pytest

from phosphene.cli.main import main

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is measured through Linux's /proc"
)

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
IMPORT = ["data", "import", "raw", "--out", "new", "--images", "pictures"]
EVENTS = ["--events", "1=houses", "2=faces"]
GENERATE = ["generate", "bundle", "--signals", "raw", "--out", "new"]
TRAIN = ["train", "eeg2image_2023", "smoke", "--data", "data", "--out", "new"]


@pytest.fixture
def fuzz_formats(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fuzz_formats

    yield fuzz_formats
    for name in ("fuzz_formats", "fuzz_samples", "fuzz_recordings", "hostile_pickles"):
        sys.modules.pop(name, None)


def worse(outcomes):
    return [outcome for outcome in outcomes if outcome.result not in ("read", "refused")]


def test_no_damaged_file_does_worse_than_be_refused(fuzz_formats):
    outcomes = fuzz_formats.fuzz(48, seed=1)
    assert len(outcomes) == 48
    assert worse(outcomes) == []
    assert {outcome.result for outcome in outcomes} == {"read", "refused"}


@pytest.mark.slow
def test_no_damaged_file_of_many_does_worse_than_be_refused(fuzz_formats):
    assert worse(fuzz_formats.fuzz(600, seed=2, n_workers=2)) == []


def read_nothing(path):
    raise ValueError("files are read; this one is not; read it.")


def crash(path):
    raise KeyError("key")


def kill(path):
    os.kill(os.getpid(), 11)


def fill_memory(path):
    return len(b"x" * (200 << 20))


def run_code(path):
    os.system("true")


def write_elsewhere(path):
    (path.parents[3] / "stray").write_text("")


def speak_at_length(path):
    raise ValueError("two\nlines; here; are.")


@pytest.mark.parametrize(
    ("read", "result"),
    [
        (read_nothing, "refused"),
        (crash, "crash"),
        (kill, "crash"),
        (fill_memory, "memory"),
        (run_code, "code"),
        (write_elsewhere, "code"),
        (speak_at_length, "crash"),
    ],
)
def test_the_harness_notices_what_it_looks_for(fuzz_formats, tmp_path, monkeypatch, read, result):
    monkeypatch.setattr(fuzz_formats, "MAX_MEGABYTES", 100)
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "a").write_bytes(b"content 1")
    sample = fuzz_formats.Sample(folder=tmp_path / "sample", mutated=("a",), read=read)
    worker = fuzz_formats.Worker({"any": sample}, tmp_path / "work" / "worker")
    try:
        worker.start("any", 0, seed=0)
        while (outcome := worker.poll()) is None:
            pass
    finally:
        worker.stop()
    assert outcome.result == result


def test_the_harness_ends_what_hangs(fuzz_formats, tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz_formats, "MAX_SECONDS", 0.3)
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "a").write_bytes(b"content")
    sample = fuzz_formats.Sample(
        folder=tmp_path / "sample", mutated=("a",), read=lambda path: time.sleep(60)
    )
    worker = fuzz_formats.Worker({"any": sample}, tmp_path / "worker")
    worker.start("any", 0, seed=0)
    while (outcome := worker.poll()) is None:
        pass
    worker.stop()
    assert outcome.result == "hang"


@pytest.fixture
def own_lab(lab, tmp_path, monkeypatch):
    """A copy of the lab to spoil, made the current folder."""
    folder = shutil.copytree(lab, tmp_path / "lab")
    (tmp_path / "secret").write_text("secret")
    monkeypatch.chdir(folder)
    return folder


def replace(name, make):
    def spoil(folder):
        (folder / name).unlink()
        make(folder / name)

    return spoil


def link_out(path):
    path.symlink_to(next(p / "secret" for p in path.parents if (p / "secret").exists()))


def large_png(path):
    """Announce 10,000 x 10,000 pixels in a few bytes."""
    content = b"\x89PNG\r\n\x1a\n"
    size = struct.pack(">2I5B", 10_000, 10_000, 8, 2, 0, 0, 0)
    for chunk in (b"IHDR" + size, b"IDAT" + zlib.compress(bytes(1000))):
        n, check = len(chunk) - 4, zlib.crc32(chunk)
        content += struct.pack(">I", n) + chunk + struct.pack(">I", check)
    path.write_bytes(content)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("spoil", "words", "says"),
    [
        (replace("pictures/faces/0.png", os.mkfifo), [*IMPORT, *EVENTS], "only regular files"),
        (replace("pictures/faces/0.png", link_out), [*IMPORT, *EVENTS], "stay inside"),
        (
            replace("pictures/faces/0.png", large_png),
            [*IMPORT, *EVENTS],
            "may have 50000000 pixels",
        ),
        (
            lambda f: (f / "pictures" / "dogs").symlink_to(f / "raw"),
            [*IMPORT, *EVENTS],
            "stay inside",
        ),
        (
            replace(
                "raw/subject01/session1/b.csv",
                lambda p: p.write_text("timestamps" + ",a" * 1_000_000),
            ),
            [*IMPORT, *EVENTS],
            "at most 100 columns",
        ),
        (
            replace("bundle/spec.json", lambda p: p.write_text("[" * 10**5)),
            GENERATE,
            "nests deeper",
        ),
        (replace("bundle/weights.safetensors", link_out), GENERATE, "stay inside"),
        (replace("data/info.json", lambda p: p.write_bytes(b"\xff{}")), TRAIN, "UTF-8"),
        (replace("data/trials.csv", link_out), TRAIN, "stay inside"),
        (replace("data/pairing.json", os.mkfifo), TRAIN, "lacks pairing.json"),
    ],
)
def test_the_command_line_refuses_hostile_files(own_lab, capsys, spoil, words, says):
    spoil(own_lab)
    assert main(words) == 1
    out, error = capsys.readouterr()
    assert says in " ".join(error.split())
    assert "Traceback" not in error
    assert "defect" not in error
    assert len(error) < 1000
    assert len(error.strip().splitlines()) == 1
    assert re.search(r"[.?]$", error.strip())
    assert out == ""
    assert not (own_lab / "new").exists()


def test_a_limit_can_be_raised_as_the_message_says(own_lab, capsys, monkeypatch):
    monkeypatch.setattr("phosphene.data.formats.muse_csv.MAX_BYTES", 100_000)
    assert main([*IMPORT, *EVENTS]) == 1
    found = re.search(r"variable (\w+) to (\d+)\.", capsys.readouterr().err)
    monkeypatch.setenv(*found.groups())
    assert main([*IMPORT, *EVENTS]) == 0
