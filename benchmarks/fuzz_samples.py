"""Valid small files of every format that is read, and the function that reads each.

`write_samples` makes one folder per format. A `Sample` names the files in it that are to be
mutated, and what to call then. Checksums that a file carries of another one are written anew by
`seal`, for whoever sends a hostile file sends a fitting checksum too.
"""

import gzip
import hashlib
import json
import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fuzz_recordings import NAMES, made, read_any_recording, read_packed, write_recordings


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A format: where its files lie, which of them are mutated, and how it is read."""

    folder: Path
    mutated: tuple[str, ...]
    read: Callable[[Path], object]
    """Gets the path of the mutated file."""
    seal: Callable[[Path], None] | None = None
    """Writes anew what other files say of the mutated one."""


def write_samples(folder: Path) -> dict[str, Sample]:
    """Write one folder per format and return the samples by the format's name."""
    found: dict[str, Sample] = {}
    for add in (
        _recordings,
        _pictures,
        _arrays,
        _pickles,
        _segments,
        _dataset_and_run,
        _bundle,
        _checkpoint,
    ):
        found |= add(folder)
    return found


def _recordings(root: Path) -> dict[str, Sample]:
    return {
        name: Sample(
            folder=root / where,
            mutated=mutated,
            read=read_packed if name == "FIF.GZ" else read_any_recording,
        )
        for name, (where, mutated) in write_recordings(root).items()
    }


def _read_pictures(path: Path) -> object:
    from phosphene.data.formats import read_images
    from phosphene.data.inspection import inspect_images

    nested = path.parent.parent.name == "pictures"
    return inspect_images(read_images(path.parent.parent if nested else path.parent, image_size=16))


def _pictures(root: Path) -> dict[str, Sample]:
    from PIL import Image

    rng = np.random.default_rng(0)
    found = {}
    for kind, options in (("png", {}), ("jpg", {"exif": _turned(), "progressive": True})):
        folder = root / kind / "pictures"
        for name in ("houses", "faces"):
            pixels = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(made(folder / name) / f"a.{kind}", **options)
        found[{"png": "PNG", "jpg": "JPEG"}[kind]] = Sample(
            folder=folder, mutated=(f"faces/a.{kind}",), read=_read_pictures
        )
    pixels = rng.integers(0, 256, (12, 8, 8), dtype=np.uint8)
    contents = {
        "images-idx3": struct.pack(">4I", 0x803, *pixels.shape) + pixels.tobytes(),
        "labels-idx1": struct.pack(">2I", 0x801, 12) + bytes(range(10)) + bytes(2),
    }
    for where, pack, end in (("idx", bytes, ""), ("idx.gz", gzip.compress, ".gz")):
        for name, content in contents.items():
            (made(root / where) / f"train-{name}-ubyte{end}").write_bytes(pack(content))
        found[where.upper()] = Sample(
            folder=root / where,
            mutated=tuple(f"train-{name}-ubyte{end}" for name in contents),
            read=_read_pictures,
        )
    records = rng.integers(0, 10, (3, 3073), dtype=np.uint8)
    records.tofile(made(root / "cifar") / "data_batch_1.bin")
    names = "plane car bird cat deer dog frog horse ship truck"
    (root / "cifar" / "batches.meta.txt").write_text(names.replace(" ", "\n"))
    found["CIFAR-10"] = Sample(
        folder=root / "cifar",
        mutated=("data_batch_1.bin", "batches.meta.txt"),
        read=_read_pictures,
    )
    return found


def _turned() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def _arrays(root: Path) -> dict[str, Sample]:
    from phosphene._checks.arrays import map_npy, read_npz

    folder = made(root / "arrays")
    np.save(folder / "a.npy", np.arange(60, dtype=np.float32).reshape(3, 4, 5))
    np.savez_compressed(
        folder / "a.npz", a=np.arange(60).reshape(3, 20), names=np.array(["x", "yy"])
    )
    return {
        "npy": Sample(folder=folder, mutated=("a.npy",), read=map_npy),
        "npz": Sample(folder=folder, mutated=("a.npz",), read=read_npz),
    }


def _pickles(root: Path) -> dict[str, Sample]:
    from phosphene.data.formats.thoughtviz import inspect_thoughtviz, read_halves, trials_from

    def read(path: Path) -> object:
        inspect_thoughtviz(path)
        return trials_from(read_halves(path)[0], set_name="digit")

    rng = np.random.default_rng(0)
    folder = made(root / "thoughtviz")
    arrays = {}
    for half, n in (("train", 12), ("test", 8)):
        arrays[f"x_{half}"] = rng.normal(size=(n, 14, 8, 1)).astype(np.float32)
        arrays[f"y_{half}"] = np.eye(10)[np.arange(n) % 10]
    for protocol in (0, 2, 5):
        content = pickle.dumps(arrays, protocol)
        (folder / f"data{protocol}.pkl").write_bytes(content)
    mutated = tuple(f"data{protocol}.pkl" for protocol in (0, 2, 5))
    return {"ThoughtViz": Sample(folder=folder, mutated=mutated, read=read)}


def _segments(root: Path) -> dict[str, Sample]:
    import torch

    from phosphene.data.formats.eeg_imagenet40 import read_source, trials_from
    from phosphene.data.formats.eeg_imagenet40_splits import folds_from, read_splits

    def read(path: Path) -> object:
        trials, _, places = trials_from(read_source(path))
        splits = read_splits(path.parent / "splits.pth", n_items=4)
        return folds_from(splits, trials, places)

    def read_split(path: Path) -> object:
        return read_splits(path, n_items=4)

    folder = made(root / "imagenet40")
    rng = torch.Generator().manual_seed(0)
    items = [
        {"eeg": torch.randn(128, 460, generator=rng), "image": i, "label": i % 2, "subject": 1}
        for i in range(4)
    ]
    content = {"dataset": items, "labels": ["n01", "n02"], "images": list("abcd")}
    splits = {"splits": [{"train": [0, 1], "val": [2], "test": [3]}]}
    for new, name in ((True, "eeg.pth"), (False, "eeg-old.pth")):
        torch.save(content, folder / name, _use_new_zipfile_serialization=new)
    torch.save(splits, folder / "splits.pth")
    mutated = ("eeg.pth", "eeg-old.pth")
    return {
        "EEG-ImageNet40": Sample(folder=folder, mutated=mutated, read=read),
        "its splits": Sample(folder=folder, mutated=("splits.pth",), read=read_split),
    }


def _dataset_and_run(root: Path) -> dict[str, Sample]:
    from phosphene.data.dataset import load_dataset, load_recordings, save_dataset
    from phosphene.data.formats import read_images, read_recording
    from phosphene.data.inspection import inspect_dataset
    from phosphene.data.pairing import pair
    from phosphene.data.preprocess import cut_epochs
    from phosphene.data.preprocessing import Preprocessing
    from phosphene.data.splits import Split, k_fold
    from phosphene.reporting.contents import read_contents
    from phosphene.run_dir import RunDir
    from phosphene.score import Score, scores_to_json

    recording = read_recording(root / "muse" / "a.csv")
    settings = Preprocessing(band=None, resample=None, tmax=0.2, margin=0.05)
    trials, rejected = cut_epochs([recording], settings, events={"1": "houses", "2": "faces"})
    images = read_images(root / "png" / "pictures")
    images = images.with_classes(("houses", "faces"))
    data, run = root / "dataset" / "data", RunDir(made(root / "run" / "run"))
    save_dataset(
        data,
        recordings=[recording],
        trials=trials,
        images=images,
        pairing=pair(trials, images),
        rejected=rejected,
        info={"events": {"1": "houses", "2": "faces"}},
    )
    split = k_fold(trials, 2)
    score = Score(name="accuracy", value=0.5, low=0.4, high=0.6, n=4, unit="trials", chance=0.5)
    run.write_json("config.json", {"recipe": "eeg2image_2023", "preset": "quick", "config": {}})
    run.write_json("state.json", {"finished": True, "stage": "done"})
    run.write_json("split.json", split.to_json())
    run.write_json("dataset.json", {"classes": list(trials.classes), "info": {}})
    run.write_json("scores.json", scores_to_json([score]))
    run.log({"stage": "encoder", "step": 1, "loss": 0.5})
    run.write_arrays("folds/0/decoding.npz", {"labels": trials.labels, "trial": np.array(["a"])})

    def read_data(path: Path) -> object:
        folder = next(p for p in path.parents if (p / "recordings").is_dir())
        load_recordings(folder)
        return inspect_dataset(load_dataset(folder))

    def seal(path: Path) -> None:
        folder = next(p for p in path.parents if (p / "recordings").is_dir())
        if path.name == "info.json":
            return
        info = json.loads((folder / "info.json").read_text())
        content = path.read_bytes()
        info["files"][path.relative_to(folder).as_posix()] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        (folder / "info.json").write_text(json.dumps(info))

    def read_run(path: Path) -> object:
        folder = next(p for p in (path, *path.parents) if p.name == "run")
        contents = read_contents(RunDir(folder))
        Split.from_json(contents.split)
        return contents

    tables = ("trials.csv", "rejected.csv", "images/images.csv")
    binary = tuple(p.relative_to(data).as_posix() for p in sorted(data.rglob("*.npy")))
    records = ("info.json", "pairing.json", "recordings/0000.json")
    parts = ("config.json", "scores.json", "split.json", "dataset.json", "state.json", "log.jsonl")
    shared = {"folder": data, "read": read_data, "seal": seal}
    return {
        "data set JSON": Sample(mutated=records, **shared),
        "data set CSV": Sample(mutated=(*tables, "recordings/0000.csv"), **shared),
        "data set npy": Sample(mutated=binary, **shared),
        "run JSON": Sample(folder=run.path, mutated=parts, read=read_run),
        "run npz": Sample(folder=run.path, mutated=("folds/0/decoding.npz",), read=read_run),
    }


def _bundle(root: Path) -> dict[str, Sample]:
    import torch

    from phosphene.data.scaling import ChannelScaler
    from phosphene.export.bundle import load_bundle, save_bundle
    from phosphene.export.networks import build_network
    from phosphene.export.signal_to_picture import FeatureScaler, LinearDecoder, SignalToPicture

    size = {"n_chans": 4, "n_times": 64, "sfreq": 128.0, "n_features": 4}
    drawing = {"n_noise": 2, "n_features": 4, "size": 16, "color": 1, "width": 1}
    encoder = {"network": "CompactCNN", "settings": size}
    generator = {"network": "DCGANGenerator", "settings": drawing}
    ones, zeros = np.ones(4, np.float32), np.zeros(4, np.float32)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        system = SignalToPicture(
            ChannelScaler(zeros, ones),
            build_network(encoder),
            LinearDecoder(np.ones((2, 4)), np.zeros(2)),
            FeatureScaler(zeros, ones),
            build_network(generator).eval(),
            "normal",
        )
    spec = {
        "task": "signal to picture",
        "encoder": encoder,
        "generator": generator,
        "classes": ["houses", "faces"],
        "ch_names": list(NAMES),
        "sfreq": 128.0,
        "tmin": 0.0,
        "n_times": 64,
        "unit": "V",
        "preprocessing": {"settings": {"band": [1.0, 30.0], "resample": 128.0, "tmax": 0.5}},
    }
    save_bundle(root / "bundle", system, spec=spec, card="Not trained.\n")

    def read(path: Path) -> object:
        bundle = load_bundle(path.parent)
        return bundle.preprocessing()

    return {
        "spec.json": Sample(folder=root / "bundle", mutated=("spec.json",), read=read),
        "safetensors": Sample(folder=root / "bundle", mutated=("weights.safetensors",), read=read),
    }


def _checkpoint(root: Path) -> dict[str, Sample]:
    import torch

    from phosphene.training.checkpoint import load_checkpoint, save_checkpoint

    state = {"a": {"weight": torch.arange(12.0).reshape(3, 4)}, "n": {"step": 3, "lr": 1e-3}}
    path = save_checkpoint(made(root / "checkpoint"), state, step=7)

    def seal(path: Path) -> None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_name(f"{path.name}.sha256").write_text(digest)

    return {
        "checkpoint": Sample(
            folder=path.parent, mutated=(path.name,), read=load_checkpoint, seal=seal
        )
    }
