"""Valid small recordings of every format that is read: four channels, two seconds, four events."""

import gzip
import struct
from pathlib import Path

import numpy as np

NAMES = ("TP9", "AF7", "AF8", "TP10")
SFREQ = 256.0


def made(path: Path) -> Path:
    """Return a folder, made if missing."""
    path.mkdir(parents=True, exist_ok=True)
    return path


def read_any_recording(path: Path) -> object:
    """Find, inspect and read what a file belongs to."""
    from phosphene.data.formats import find_recordings, read_recording
    from phosphene.data.inspection import inspect_recording

    suffix = {".eeg": ".vhdr", ".vmrk": ".vhdr", ".fdt": ".set"}.get(path.suffix)
    path = path.with_suffix(suffix) if suffix else path
    find_recordings([path.parent])
    lenient = inspect_recording(read_recording(path, strict=False))
    read_recording(path)
    return lenient


def read_packed(path: Path) -> object:
    """Pack a damaged FIF file, so that its damage is not the packer's, and read that."""
    if path.suffix == ".fif" and path.is_file():
        content, path = path.read_bytes(), path.with_suffix(".fif.gz")
        path.write_bytes(gzip.compress(content, 1))
    return read_any_recording(path)


def write_recordings(root: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Write a folder per format; return by its name the folder and the files to be mutated."""
    import edfio
    import mne
    import pandas as pd
    import pybv

    rng = np.random.default_rng(0)
    n = 512
    uv = rng.normal(0, 20, (4, n)).round(2)
    table = pd.DataFrame({"timestamps": np.arange(n) / SFREQ})
    for name, values in zip(NAMES, uv, strict=True):
        table[name] = values
    table["Marker0"] = np.where(np.arange(n) % 128 == 64, 1 + np.arange(n) // 128 % 2, 0)
    table.to_csv(made(root / "muse") / "a.csv", index=False, float_format="%.4f")
    onsets = (0.25, 0.75, 1.25, 1.75)
    for kind, signal, suffix in (
        (edfio.Edf, edfio.EdfSignal, "edf"),
        (edfio.Bdf, edfio.BdfSignal, "bdf"),
    ):
        limits = {"physical_range": (-200, 200), "physical_dimension": "uV"}
        own = [signal(x, SFREQ, label=f"EEG {c}", **limits) for c, x in zip(NAMES, uv, strict=True)]
        marks = [edfio.EdfAnnotation(t, None, f"S{1 + i % 2}") for i, t in enumerate(onsets)]
        kind(own, annotations=marks).write(made(root / suffix) / f"a.{suffix}")
    raw = mne.io.RawArray(uv * 1e-6, mne.create_info(list(NAMES), SFREQ, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(list(onsets), 0.0, ["S1", "S2", "S1", "S2"]))
    raw.save(made(root / "fif") / "a_raw.fif", verbose="error", overwrite=True)
    for name in ("a_raw.fif", "b_raw.fif.gz"):
        raw.save(made(root / "fif.gz") / name, verbose="error", overwrite=True)
    mne.export.export_raw(made(root / "set") / "a.set", raw, verbose="error", overwrite=True)
    pybv.write_brainvision(
        data=uv * 1e-6,
        sfreq=SFREQ,
        ch_names=list(NAMES),
        fname_base="a",
        folder_out=made(root / "brainvision"),
        events=[
            {"onset": round(t * SFREQ), "description": 1 + i % 2, "type": "Stimulus"}
            for i, t in enumerate(onsets)
        ],
        resolution=0.01,
        fmt="binary_float32",
        overwrite=True,
    )
    (made(root / "xdf") / "a.xdf").write_bytes(_xdf(uv, onsets))
    return {
        "Muse CSV": ("muse", ("a.csv",)),
        "EDF": ("edf", ("a.edf",)),
        "BDF": ("bdf", ("a.bdf",)),
        "FIF": ("fif", ("a_raw.fif",)),
        "FIF.GZ": ("fif.gz", ("a_raw.fif", "b_raw.fif.gz")),
        "EEGLAB": ("set", ("a.set",)),
        "BrainVision": ("brainvision", ("a.vhdr", "a.vmrk", "a.eeg")),
        "XDF": ("xdf", ("a.xdf",)),
    }


def _xdf(uv: np.ndarray, onsets: tuple[float, ...]) -> bytes:
    """Return an XDF file of a signal and a marker stream."""

    def chunk(tag: int, content: bytes) -> bytes:
        return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content

    def header(name: str, kind: str, form: str, rate: float, channels: tuple[str, ...]) -> bytes:
        labels = "".join(
            f"<channel><label>{c}</label><unit>microvolts</unit><type>EEG</type></channel>"
            for c in channels
        )
        return (
            f"<?xml version='1.0'?><info><name>{name}</name><type>{kind}</type>"
            f"<channel_count>{len(channels)}</channel_count><nominal_srate>{rate}</nominal_srate>"
            f"<channel_format>{form}</channel_format><desc><channels>{labels}</channels></desc>"
            "</info>"
        ).encode()

    first, second = struct.pack("<I", 1), struct.pack("<I", 2)
    samples = b"".join(
        b"\x08" + struct.pack("<d4f", t / SFREQ, *values) for t, values in enumerate(uv.T)
    )
    marks = b"".join(
        b"\x08" + struct.pack("<d", t) + b"\x01\x02" + f"S{1 + i % 2}".encode()
        for i, t in enumerate(onsets)
    )
    return b"XDF:" + b"".join(
        [
            chunk(1, b"<info><version>1.0</version></info>"),
            chunk(2, first + header("muse", "EEG", "float32", SFREQ, NAMES)),
            chunk(2, second + header("marks", "Markers", "string", 0, ("m",))),
            chunk(3, first + b"\x04" + struct.pack("<I", uv.shape[1]) + samples),
            chunk(3, second + b"\x04" + struct.pack("<I", len(onsets)) + marks),
            chunk(4, first + struct.pack("<2d", 0.0, 0.001)),
        ]
    )
