import struct

import pytest

from phosphene.data.formats.xdf_chunks import read_xdf_streams

SIGNAL = {
    "name": "Amp",
    "type": "EEG",
    "format": "float32",
    "rate": 100,
    "channels": [{"label": "Cz", "unit": "microvolts"}, {"label": "Pz"}],
    "times": [i / 100 for i in range(250)],
    "values": [(i, -i) for i in range(250)],
}
MARKS = {
    "name": "Marks",
    "type": "Markers",
    "format": "string",
    "rate": 0,
    "times": [1.0],
    "values": [("go",)],
}


def test_lists_streams(write_xdf):
    signal, marks = read_xdf_streams(write_xdf(SIGNAL, MARKS))
    assert (signal.name, signal.type, signal.format, signal.sfreq) == ("Amp", "EEG", "float32", 100)
    assert (signal.n_channels, signal.n_samples) == (2, 250)
    assert signal.channels == ({"label": "Cz", "unit": "microvolts"}, {"label": "Pz"})
    assert (marks.n_channels, marks.n_samples, marks.sfreq, marks.channels) == (1, 1, 0, ({},))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n": 5000}, "5000 channels"),
        ({"n": 0}, "0 channels"),
        ({"n": 3}, "has 3 and describes 2"),
        ({"n": "many"}, "channel_count"),
        ({"rate": -1}, "negative rate"),
        ({"rate": "nan"}, "negative rate"),
        ({"format": "float16", "times": [], "values": []}, "float16"),
        ({"name": "<!DOCTYPE x>"}, "plain XML"),
        ({"name": "<a>"}, "header is XML"),
    ],
)
def test_refuses_absurd_headers(write_xdf, change, says):
    with pytest.raises(ValueError, match=says):
        read_xdf_streams(write_xdf({**SIGNAL, "times": [], "values": [], **change}))


def test_refuses_cut_files_and_chunks_that_announce_too_much(write_xdf):
    path = write_xdf(SIGNAL, MARKS)
    content = path.read_bytes()
    at = content.index(b"\x04" + struct.pack("<I", 100)) + 1
    huge = content[:at] + struct.pack("<I", 1 << 31) + content[at + 4 :]
    for bad in (huge, content[:-1], content[:500], content + b"\x07", content[:4] + content[9:]):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"a\.xdf is cut off or damaged at byte"):
            read_xdf_streams(path)
    path.write_bytes(b"XML:")
    with pytest.raises(ValueError, match="begins with XDF:"):
        read_xdf_streams(path)
