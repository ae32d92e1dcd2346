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
