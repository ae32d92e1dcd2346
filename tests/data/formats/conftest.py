import gzip
import struct

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def write_idx(tmp_path):
    """Write a pair of IDX files and return their folder."""

    def write(n=6, *, stem="train", gz=True, rows=3, columns=2, labels=None, folder=None):
        folder = folder or tmp_path / "mnist"
        folder.mkdir(exist_ok=True)
        pixels = np.arange(n * rows * columns, dtype=np.uint8)
        labels = np.arange(n) % 3 if labels is None else labels
        contents = {
            "images-idx3": struct.pack(">4I", 0x803, n, rows, columns) + pixels.tobytes(),
            "labels-idx1": struct.pack(">2I", 0x801, len(labels))
            + np.asarray(labels, np.uint8).tobytes(),
        }
        for name, content in contents.items():
            path = folder / f"{stem}-{name}-ubyte{'.gz' if gz else ''}"
            path.write_bytes(gzip.compress(content) if gz else content)
        return folder

    return write


@pytest.fixture
def write_cifar(tmp_path):
    """Write a CIFAR-10 batch whose first picture is pure red, and return its folder."""

    def write(labels=(3, 0), *, names="plane car bird cat deer dog frog horse ship truck"):
        folder = tmp_path / "cifar"
        folder.mkdir()
        records = np.zeros((len(labels), 3073), np.uint8)
        records[:, 0] = labels
        records[0, 1 : 1 + 1024] = 255
        records.tofile(folder / "data_batch_1.bin")
        if names:
            (folder / "batches.meta.txt").write_text(names.replace(" ", "\n") + "\n\n")
        return folder

    return write


@pytest.fixture
def write_pictures(tmp_path):
    """Write small pictures by relative path and return their folder."""

    def write(*names, size=(8, 8), mode="RGB", folder="pictures"):
        for number, name in enumerate(names):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new(mode, size, number + 1).save(path)
        return tmp_path / folder

    return write


@pytest.fixture
def write_xdf(tmp_path):
    """Write an XDF file from streams, each a dict: name, type, format, rate, times, values."""

    def write(*streams, name="a.xdf", offsets=()):
        chunks = [_xdf_chunk(1, b"<info><version>1.0</version></info>")]
        for number, stream in enumerate(streams, start=1):
            id_ = struct.pack("<I", number)
            chunks.append(_xdf_chunk(2, id_ + _xdf_header(stream)))
        for number, stream in enumerate(streams, start=1):
            id_ = struct.pack("<I", number)
            for time, value in offsets[number - 1] if offsets else ():
                chunks.append(_xdf_chunk(4, id_ + struct.pack("<2d", time, value)))
            n = len(stream["times"])
            for first in range(0, n, 100):
                part = slice(first, min(first + 100, n))
                chunks.append(_xdf_chunk(3, id_ + _xdf_samples(stream, part)))
        path = tmp_path / name
        path.write_bytes(b"XDF:" + b"".join(chunks))
        return path

    return write


def _xdf_chunk(tag, content):
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def _xdf_header(stream):
    channels = "".join(
        "<channel>" + "".join(f"<{k}>{v}</{k}>" for k, v in channel.items()) + "</channel>"
        for channel in stream.get("channels", ())
    )
    return (
        f"<?xml version='1.0'?><info><name>{stream['name']}</name><type>{stream['type']}</type>"
        f"<channel_count>{stream.get('n', len(stream.get('channels', '1')))}</channel_count>"
        f"<nominal_srate>{stream['rate']}</nominal_srate>"
        f"<channel_format>{stream['format']}</channel_format>"
        f"<desc><channels>{channels}</channels></desc></info>"
    ).encode()


def _xdf_samples(stream, part):
    form = {"float32": "<f", "double64": "<d", "int32": "<i", "string": ""}[stream["format"]]
    content = b"\x04" + struct.pack("<I", part.stop - part.start)
    for time, values in zip(stream["times"][part], stream["values"][part], strict=True):
        content += b"\x08" + struct.pack("<d", time)
        for value in values:
            if form:
                content += struct.pack(form, value)
            else:
                content += b"\x01" + struct.pack("<B", len(value)) + value.encode()
    return content


@pytest.fixture(scope="session")
def lfp_session(tmp_path_factory):
    """A session as the Allen Institute lays it out, written by pynwb; see `write_lfp_session`."""
    return write_lfp_session(tmp_path_factory.mktemp("lfp"))


LFP_SFREQ, LFP_START, LFP_STEP = 1249.998, 12.3, 0.25021
LFP_AREAS = ("CA1", "CA1", "VISp", "VISp", "VISp", "VISp", "VISp", "None")


def write_lfp_session(folder, *, n_samples=20_000, frames=None):
    """Write session.nwb, probe_7_lfp.nwb and pictures; return the folder.

    8 channels from the tip up (2 in CA1, 5 in VISp of which the last is not valid, 1 outside),
    with a white signal of 100 uV; showings of 5 pictures and grey in two blocks, back to back.
    """
    from datetime import UTC, datetime

    import numpy as np
    import pynwb
    from hdmf.backends.hdf5.h5_utils import H5DataIO
    from PIL import Image
    from pynwb.ecephys import LFP
    from pynwb.epoch import TimeIntervals

    rng = np.random.default_rng(0)
    if frames is None:
        frames = np.concatenate([rng.permutation(np.arange(-1, 5)) for _ in range(8)])
    start = {"session_start_time": datetime(2019, 1, 1, tzinfo=UTC), "session_id": "42"}
    session = pynwb.NWBFile("a session", identifier="42", **start)
    session.subject = pynwb.file.Subject(
        subject_id="m1", species="Mus musculus", sex="F", age="P9D"
    )
    table = TimeIntervals(name="natural_scenes_presentations", description="showings")
    for name in ("frame", "stimulus_block"):
        table.add_column(name=name, description=name)
    for i, frame in enumerate(frames):
        onset = LFP_START + 0.5 + LFP_STEP * i + (i >= len(frames) // 2)
        table.add_row(
            start_time=onset,
            stop_time=onset + LFP_STEP,
            frame=float(frame),
            stimulus_block=float(2 + 3 * (i >= len(frames) // 2)),
        )
    session.add_time_intervals(table)
    with pynwb.NWBHDF5IO(str(folder / "session.nwb"), "w") as file:
        file.write(session)

    probe = pynwb.NWBFile("LFP of one probe", identifier="7", **start)
    group = probe.create_electrode_group(
        "probeC", description="", location="", device=probe.create_device("probeC")
    )
    columns = ("probe_vertical_position", "probe_horizontal_position", "local_index", "valid_data")
    for name in columns:
        probe.add_electrode_column(name=name, description=name)
    for i, area in enumerate(LFP_AREAS):
        probe.add_electrode(
            id=850_000 + 4 * i,
            location=area,
            group=group,
            probe_vertical_position=20 + 40 * i,
            probe_horizontal_position=11 + 32 * (i % 2),
            local_index=4 * i,
            valid_data=i != 6,
        )
    region = probe.create_electrode_table_region(list(range(len(LFP_AREAS))), "LFP channels")
    lfp = LFP(name="probe_7_lfp")
    probe.add_acquisition(lfp)
    signal = (rng.normal(size=(n_samples, len(LFP_AREAS))) * 100e-6).astype(np.float32)
    lfp.create_electrical_series(
        name="probe_7_lfp_data",
        data=H5DataIO(signal, compression="gzip", chunks=(3000, 3)),
        timestamps=H5DataIO(LFP_START + np.arange(n_samples) / LFP_SFREQ, compression="gzip"),
        electrodes=region,
    )
    with pynwb.NWBHDF5IO(str(folder / "probe_7_lfp.nwb"), "w") as file:
        file.write(probe)
    np.save(folder / "signal.npy", signal)
    (folder / "pictures").mkdir()
    for number in range(5):
        pixels = rng.integers(0, 256, (18, 24), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"natural_scene_{number}.tiff")
    return folder
