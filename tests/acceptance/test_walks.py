"""The walks of the documentation, run as they are written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def digits():
    """Pictures of two digits, for classes of any name."""
    from phosphene.data.simulate.pictures import digits_images

    images = digits_images(32, seed=0)
    rows = [np.flatnonzero(images.labels == label)[:30] for label in (0, 1)]
    return images.select(np.concatenate(rows)).with_classes(images.classes[:2])


@pytest.fixture
def record(digits):
    """Simulate recordings of one person who sees the pictures."""

    def record(montage, *, sfreq, n_recordings):
        from phosphene.data.simulate.eeg import simulate_eeg
        from phosphene.data.simulate.settings import EEGSimulation

        simulation = EEGSimulation(
            montage=montage,
            sfreq=sfreq,
            n_trials=40 * n_recordings,
            n_subjects=1,
            n_recordings=n_recordings,
            effect=4.0,
        )
        return simulate_eeg(simulation, images=digits).recordings

    return record


@pytest.fixture
def walk(tmp_path):
    """Run the `sh` blocks of a page; quoted lines must be printed by the block before them."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def walk(page):
        out, n_quoted = "", 0
        for kind, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
            if kind == "sh":
                out = _run(text, tmp_path, environment)
            elif kind == "python":
                compile(text, page, "exec")
            elif kind == "text" and out:
                n_quoted += _check_quotes(text, out)
        return n_quoted

    return walk


def _run(text, folder, environment):
    done = subprocess.run(
        ["bash", "-euc", text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _check_quotes(text, out):
    """Find each quoted line in the output, `…` standing for anything; return how many."""
    lines = text.splitlines()
    if re.match(r"(phosphene|muse/bin|python3) ", lines[0]):
        return 0  # commands for later
    for line in lines:
        pattern = ".*".join(map(re.escape, line.rstrip().split("…")))
        assert re.search(f"^{pattern}$", out, re.MULTILINE), f"{line}\nis not in\n{out}"
    return len(lines)


def save_pictures(images, folder, names):
    for number, (pixels, label) in enumerate(zip(images.pixels, images.labels, strict=True)):
        path = folder / names[label] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[:, :, 0]).save(path)


def save_muse_csv(recording, path):
    """Write what muse-lsl writes with continuous=False, as the page says: s, uV, a marker or 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    n = recording.n_samples
    table = pd.DataFrame({"timestamps": 1.7e9 + np.arange(n) / recording.sfreq})
    signal = dict(zip(recording.ch_names, recording.signal * 1e6, strict=True))
    for name in ("TP9", "AF7", "AF8", "TP10"):
        table[name] = signal[name]
    table["Right AUX"] = np.random.default_rng(0).normal(0, 20, n)
    markers = np.zeros(n, dtype=int)
    markers[recording.events["sample"]] = recording.events["code"].astype(int) + 1
    table["Marker0"] = markers
    table.to_csv(path, index=False, float_format="%.3f")


def save_edf(recording, path, *, names, ch_names=None, sfreq=None):
    """Write EDF with an annotation at each event."""
    import mne

    path.parent.mkdir(parents=True, exist_ok=True)
    info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg")
    raw = mne.io.RawArray(recording.signal.astype("float64"), info, verbose="error")
    onsets = recording.events["sample"] / recording.sfreq
    texts = [names[int(code)] for code in recording.events["code"]]
    raw.set_annotations(mne.Annotations(onsets, 0.0, texts))
    if ch_names:
        raw.reorder_channels(ch_names)
    if sfreq:
        raw.resample(sfreq, verbose="error")
    raw.export(path, physical_range="channelwise", verbose="error")


def check_results(folder, *, name, classes):
    """What the pages say is left behind."""
    for left in (f"data/{name}.png", f"runs/{name}/report.html", "new-pictures/grid.png"):
        assert (folder / left).stat().st_size > 1000, left
    table = pd.read_csv(folder / "new-pictures" / "decoded.csv")
    assert len(table) >= 30
    assert set(table["shown"]) == set(classes)
    assert set(table["decoded"]) <= set(classes)
    assert len(list((folder / "new-pictures" / "pictures").iterdir())) == 2 * len(table)
    card = (folder / "runs" / name / "bundle" / "README.md").read_text()
    assert "permuted labels" in card


def test_walk_with_a_muse(tmp_path, walk, record, digits):
    classes = ("faces", "houses")
    save_pictures(digits, tmp_path / "pictures", classes)
    paths = [f"recordings/subject1/session1/run{n}.csv" for n in (1, 2, 3)]
    recordings = record("muse", sfreq=256.0, n_recordings=4)
    for recording, path in zip(recordings, [*paths, "new/run4.csv"], strict=True):
        save_muse_csv(recording, tmp_path / path)
    assert walk("walk-muse.md") >= 10
    check_results(tmp_path, name="muse", classes=classes)


def test_the_recording_that_the_muse_page_shows_is_not_continuous():
    """With continuous=True, the default of muse-lsl 2.5.3, the header lacks the markers."""
    page = (DOCS / "walk-muse.md").read_text(encoding="utf-8")
    commands = [line for line in page.splitlines() if line.startswith("muse/bin/")]
    assert not [line for line in commands if "muselsl record" in line]
    (recording,) = (line for line in commands if "record(" in line)
    assert "continuous=False" in recording
    compile(recording.partition('"')[2].rpartition('"')[0], "walk-muse.md", "exec")


def test_walk_with_edf(tmp_path, walk, record, digits):
    classes = ("face", "house")
    save_pictures(digits, tmp_path / "pictures", classes)
    *training, new = record("biosemi32", sfreq=250.0, n_recordings=4)
    for number, recording in enumerate(training, start=1):
        path = tmp_path / "recordings" / "sub-01" / f"run{number}.edf"
        save_edf(recording, path, names=classes)
    backwards = list(new.ch_names)[::-1]
    save_edf(new, tmp_path / "new" / "run4.edf", names=classes, ch_names=backwards, sfreq=500.0)
    assert walk("walk-edf.md") >= 10
    check_results(tmp_path, name="edf", classes=classes)


def test_walk_from_generation_to_restoration(tmp_path, walk):
    assert walk("restoration.md") >= 10
    table = pd.read_csv(tmp_path / "compared" / "restored.csv")
    generated = sorted((tmp_path / "generated" / "pictures").iterdir())
    assert len(table) == len(generated) == 40
    for folder in ("restored", "corrupted"):
        names = sorted(path.name for path in (tmp_path / "compared" / folder).iterdir())
        assert names == [path.name for path in generated]
    original, corrupted = (
        np.asarray(Image.open(path / generated[0].name))[::4, ::4] / 255.0
        for path in (tmp_path / "generated" / "pictures", tmp_path / "compared" / "corrupted")
    )
    lost = np.square(corrupted - original)[16:].mean()
    assert table["rmse_missing_corrupted"][0] == pytest.approx(np.sqrt(lost), abs=1e-4)
    assert (tmp_path / "runs" / "restorer" / "report.html").stat().st_size > 10_000
