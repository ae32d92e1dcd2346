import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def make_recording():
    """Build a recording of noise with a sine, and events every second."""

    def make(name="r1", *, seed=0, sfreq=128.0, seconds=12, n_chans=3, subject="001", **fields):
        from phosphene.data.recording import Recording, signal_sha256

        n = round(seconds * sfreq)
        rng = np.random.default_rng(seed)
        signal = (rng.normal(size=(n_chans, n)) * 10e-6).astype(np.float32)
        samples = np.arange(round(sfreq), n - round(sfreq), round(sfreq))
        codes = [str(1 + i % 2) for i in range(len(samples))]
        events = pd.DataFrame({"sample": samples, "code": codes})
        values = {
            "signal": signal,
            "sfreq": sfreq,
            "ch_names": tuple(f"C{i}" for i in range(n_chans)),
            "recording": name,
            "subject": subject,
            "session": "NA",
            "events": events,
            "source": f"{name}.csv",
            "sha256": signal_sha256(signal),
        }
        return Recording(**{**values, **fields})

    return make


@pytest.fixture
def make_trials(make_recording):
    """Cut trials from several recordings."""

    def make(n_recordings=2, *, tmax=0.5, **fields):
        from phosphene.data.preprocess import cut_epochs
        from phosphene.data.preprocessing import Preprocessing

        recordings = [make_recording(f"r{i}", seed=i, **fields) for i in range(n_recordings)]
        settings = Preprocessing(band=None, resample=None, tmax=tmax, margin=0.1)
        return cut_epochs(recordings, settings, events={"1": "house", "2": "face"})[0]

    return make


@pytest.fixture
def make_images():
    """Build pictures of two classes."""

    def make(n=6, *, size=8, color=1, classes=("house", "face"), n_shown=None):
        from phosphene.data.images import IMAGE_COLUMNS, ImageSet

        rng = np.random.default_rng(0)
        pixels = rng.integers(0, 256, (n, size, size, color), dtype=np.uint8)
        labels = [i % len(classes) for i in range(n)]
        table = pd.DataFrame(
            {
                "image_id": [f"p{i}" for i in range(n)],
                "label": labels,
                "class_name": [classes[label] for label in labels],
                "stimulus": [f"s{i}.png" for i in range(n)],
                "shown": [i < (n if n_shown is None else n_shown) for i in range(n)],
                "source": [f"s{i}.png" for i in range(n)],
                "sha256": [f"{i:064x}" for i in range(n)],
            }
        ).astype(IMAGE_COLUMNS)
        return ImageSet(pixels, table, tuple(classes))

    return make


@pytest.fixture
def muse_text():
    """Build the text of a muse-lsl file: 256 Hz, an event every half second."""

    def make(n=1024, *, marker="Marker0", seed=0, extra=None):
        rng = np.random.default_rng(seed)
        table = pd.DataFrame({"timestamps": 1000 + np.arange(n) / 256})
        for name in ("TP9", "AF7", "AF8", "TP10", "Right AUX"):
            table[name] = rng.normal(30, 10, n).round(3)
        codes = np.zeros(n, dtype=int)
        codes[64::128] = [1 + i % 2 for i in range(len(codes[64::128]))]
        table[marker] = codes
        for name, values in (extra or {}).items():
            table[name] = values
        return table.to_csv(index=False, float_format="%.4f")

    return make


@pytest.fixture
def python2_pickle():
    """Assemble a dict of arrays as Python 2's cPickle writes it (protocol 2)."""

    def whole(n: int) -> bytes:
        return b"K" + bytes([n]) if n < 256 else b"J" + n.to_bytes(4, "little", signed=True)

    def make(arrays) -> bytes:
        parts = [b"\x80\x02}q\x01("]
        for key, array in arrays.items():
            data = np.asarray(array).tobytes()
            dtype = array.dtype.str
            parts += [
                b"U" + bytes([len(key)]) + key.encode() + b"q\x02",
                b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04",
                b"K\x00\x85q\x05U\x01bq\x06\x87q\x07Rq\x08(K\x01(",
                *(whole(n) for n in array.shape),
                b"tq\x09cnumpy\ndtype\nq\x0aU\x02" + dtype[1:].encode() + b"q\x0bK\x00K\x01\x87",
                b"q\x0cRq\x0d(K\x03U\x01" + dtype[:1].encode() + b"q\x0eNNN",
                b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0fb\x89",
                b"T" + len(data).to_bytes(4, "little") + data + b"q\x10tq\x11b",
            ]
        return b"".join([*parts, b"u."])

    return make
