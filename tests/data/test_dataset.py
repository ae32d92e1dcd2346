import dataclasses
import hashlib
import json
import os
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from phosphene.data import dataset_files
from phosphene.data.dataset import (
    is_dataset,
    load_dataset,
    load_extra,
    load_recordings,
    save_dataset,
)
from phosphene.data.pairing import pair
from phosphene.data.preprocess import cut_epochs
from phosphene.data.preprocessing import Preprocessing


@pytest.fixture
def parts(make_recording, make_images):
    """All that a data set holds, with names that a careless reader would turn into numbers."""
    recordings = [make_recording("001", gaps=(7,)), make_recording("NA", seed=1)]
    table = recordings[0].events.assign(stimulus="NA", block="01")
    recordings[0] = dataclasses.replace(recordings[0], events=table)
    settings = Preprocessing(band=None, resample=None, tmax=0.5, reject=62e-6)
    trials, rejected = cut_epochs(recordings, settings, events={"1": "house", "2": "null"})
    assert 0 < len(rejected) < 10
    images = make_images(classes=("house", "null"), n_shown=4)
    return {
        "recordings": recordings,
        "trials": trials,
        "images": images,
        "pairing": pair(trials, images),
        "rejected": rejected,
        "info": {"origin": "simulated", "ceiling": {"accuracy": 0.9, "low": 0.8, "high": 1.0}},
    }


@pytest.fixture
def folder(parts, tmp_path):
    save_dataset(tmp_path / "data", **parts)
    return tmp_path / "data"


def test_comes_back_as_it_went(parts, folder):
    dataset = load_dataset(folder)
    trials, images = parts["trials"], parts["images"]
    np.testing.assert_array_equal(dataset.trials.epochs_with_margin, trials.epochs_with_margin)
    pd.testing.assert_frame_equal(dataset.trials.table, trials.table)
    np.testing.assert_array_equal(dataset.images.pixels, images.pixels)
    pd.testing.assert_frame_equal(dataset.images.table, images.table)
    pd.testing.assert_frame_equal(dataset.rejected, parts["rejected"])
    for field in ("margin", "sfreq", "tmin", "ch_names", "classes", "preprocessing", "unit"):
        assert getattr(dataset.trials, field) == getattr(trials, field)
    assert dataset.pairing == parts["pairing"]
    assert dataset.images.classes == ("house", "null")
    assert dataset.info["origin"] == "simulated"
    assert dataset.name == "data"
    assert dataset.data_hash == dataset.info["data_hash"]
    assert is_dataset(folder)
    assert not is_dataset(folder / "epochs")


def test_strings_stay_strings(folder):
    table = load_dataset(folder).trials.table
    assert set(table["subject"]) == {"001"}
    assert set(table["session"]) == {"NA"}
    assert set(table["stimulus"]) == {"NA", ""}
    assert set(table["block"]) == {"01", ""}
    assert set(table["class_name"]) == {"house", "null"}


def test_epochs_are_memory_mapped_and_named_by_their_preprocessing(parts, folder):
    trials = load_dataset(folder).trials
    assert isinstance(trials.epochs_with_margin, np.memmap)
    assert (folder / "epochs" / f"{parts['trials'].preprocessing_hash}.npy").is_file()


def test_recordings_come_back(parts, folder):
    for before, after in zip(parts["recordings"], load_recordings(folder), strict=True):
        assert isinstance(after.signal, np.memmap)
        np.testing.assert_array_equal(after.signal, before.signal)
        pd.testing.assert_frame_equal(
            after.events, before.events.astype({"code": "str"}), check_dtype=False
        )
        for field in ("sfreq", "ch_names", "recording", "subject", "source", "gaps", "montage"):
            assert getattr(after, field) == getattr(before, field)


def test_extra_arrays_come_back_and_are_verified(parts, folder, tmp_path):
    means = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32)
    save_dataset(tmp_path / "more", **parts, extra={"true_responses": means})
    kept = load_extra(tmp_path / "more", "true_responses")
    assert isinstance(kept, np.memmap)
    np.testing.assert_array_equal(kept, means)
    assert load_extra(tmp_path / "more", "others") is None
    assert load_extra(folder, "true_responses") is None
    assert load_dataset(tmp_path / "more").data_hash == load_dataset(folder).data_hash
    path = tmp_path / "more" / "extra" / "true_responses.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(ValueError, match=r"true_responses.npy must be what was written"):
        load_dataset(tmp_path / "more")


@pytest.mark.parametrize(
    ("extra", "match"),
    [
        ({"../mine": np.zeros(2)}, "small letters"),
        ({"names": np.array(["a"])}, "holds numbers"),
        ({"names": np.array([None])}, "holds numbers"),
    ],
)
def test_refuses_extra_arrays_that_are_none(parts, tmp_path, extra, match):
    with pytest.raises(ValueError, match=match):
        save_dataset(tmp_path / "data", **parts, extra=extra)
    assert list(tmp_path.iterdir()) == []


def test_lives_without_recordings_and_pictures(parts, tmp_path):
    parts |= {"recordings": [], "images": None, "pairing": pair(parts["trials"], None)}
    save_dataset(tmp_path / "data", **parts)
    assert load_dataset(tmp_path / "data").images is None
    assert load_recordings(tmp_path / "data") == []


def test_the_hash_sees_pictures_and_epochs(parts, folder, tmp_path):
    parts["images"] = parts["images"].select([0, 1])
    save_dataset(tmp_path / "other", **parts)
    assert load_dataset(folder).data_hash != load_dataset(tmp_path / "other").data_hash


def changed_pixel(parts):
    pixels = parts["images"].pixels.copy()
    pixels[-1, -1, -1, -1] ^= 1
    return {"images": dataclasses.replace(parts["images"], pixels=pixels)}


def changed_table(name, column, value):
    def change(parts):
        table = parts[name].table.copy()
        table.loc[table.index[-1], column] = value
        return {name: dataclasses.replace(parts[name], table=table)}

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed_pixel,
        changed_table("images", "shown", True),
        changed_table("images", "stimulus", "other.png"),
        *(changed_table("trials", c, "x") for c in ("subject", "session", "block", "stimulus")),
    ],
)
def test_the_hash_sees_what_models_and_splits_depend_on(parts, folder, tmp_path, change):
    save_dataset(tmp_path / "other", **{**parts, **change(parts)})
    assert load_dataset(folder).data_hash != load_dataset(tmp_path / "other").data_hash


def test_folders_of_old_stay_readable_and_keep_their_hash(parts, folder, monkeypatch):
    monkeypatch.setattr(dataset_files, "_WHOLE", 1000)
    monkeypatch.setattr(dataset_files, "_BLOCK", 10)
    info = json.loads((folder / "info.json").read_text())
    del info["hashes"]
    for name in info["files"]:
        info["files"][name]["sha256"] = old_digest((folder / name).read_bytes())
    images = parts["images"].table
    text = parts["trials"].data_hash(()) + "".join(images["sha256"] + images["class_name"])
    info["data_hash"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    (folder / "info.json").write_text(json.dumps(info))
    assert load_dataset(folder).data_hash == info["data_hash"]


def old_digest(content):
    if len(content) > 1000:
        starts = np.linspace(0, len(content) - 10, 16).astype(np.int64)
        content = b"".join(content[start : start + 10] for start in starts)
    return hashlib.sha256(content).hexdigest()


def test_every_byte_of_a_large_file_is_verified(folder, monkeypatch):
    monkeypatch.setattr(dataset_files, "_WHOLE", 1000)
    monkeypatch.setattr(dataset_files, "_BLOCK", 10)
    path = epochs_of(folder)
    content = bytearray(path.read_bytes())
    content[-25] ^= 1  # between the blocks that were once hashed
    path.write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        load_dataset(folder)


def test_refuses_an_existing_folder_and_leaves_it_alone(parts, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("keep")
    with pytest.raises(ValueError, match="data exists"):
        save_dataset(tmp_path / "data", **parts)
    assert [p.name for p in tmp_path.rglob("*")] == ["data", "mine.txt"]


def test_leaves_nothing_behind_when_writing_fails(parts, tmp_path):
    parts["info"] = {"ceiling": float("nan")}
    with pytest.raises(ValueError, match="JSON"):
        save_dataset(tmp_path / "data", **parts)
    assert list(tmp_path.iterdir()) == []


def test_refuses_the_same_recording_twice(parts, tmp_path):
    parts["recordings"] = [parts["recordings"][0]] * 2
    with pytest.raises(ValueError, match="must differ"):
        save_dataset(tmp_path / "data", **parts)
    assert list(tmp_path.iterdir()) == []


def epochs_of(folder):
    return next((folder / "epochs").iterdir())


def flip_last_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def change_info(folder, **values):
    path = folder / "info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda f: flip_last_byte(epochs_of(f)), "checksum"),
        (lambda f: flip_last_byte(f / "trials.csv"), "checksum"),
        (lambda f: epochs_of(f).write_bytes(epochs_of(f).read_bytes()[:-4]), "bytes"),
        (lambda f: (f / "rejected.csv").unlink(), "lacks rejected.csv"),
        (lambda f: (f / "info.json").unlink(), "info.json"),
        (lambda f: (f / "info.json").write_text("{"), "import it again"),
        (lambda f: change_info(f, format_version=99), "format 99"),
        (lambda f: change_info(f, data_hash="0"), "hash"),
        (lambda f: change_info(f, hashes=3), "ways 1 to 2.*has way 3"),
    ],
)
def test_notices_damage(folder, damage, match):
    damage(folder)
    with pytest.raises(ValueError, match=match):
        load_dataset(folder)


def seal(folder, name):
    """Write the size and checksum of a changed file into info.json, as a hostile sender would."""
    content = (folder / name).read_bytes()
    info = json.loads((folder / "info.json").read_text())
    info["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "info.json").write_text(json.dumps(info))


def lead_out(folder):
    secret = shutil.copy(folder / "trials.csv", folder.parent / "secret.csv")
    (folder / "trials.csv").unlink()
    (folder / "trials.csv").symlink_to(secret)


def name_outside(folder):
    secret = shutil.copy(folder / "trials.csv", folder.parent / "secret.csv")
    info = json.loads((folder / "info.json").read_text())
    change_info(folder, files={**info["files"], f"../{secret.name}": info["files"]["trials.csv"]})


def pipe_instead(folder):
    (folder / "pairing.json").unlink()
    os.mkfifo(folder / "pairing.json")


def edit_sealed(name, old, new):
    def change(folder):
        path = folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
        seal(folder, name)

    return change


def nest(folder):
    change_info(folder, preprocessing="nested")
    path = folder / "info.json"
    path.write_text(path.read_text().replace('"nested"', "[" * 500 + "]" * 500))


def gigantic(folder):
    name = epochs_of(folder).relative_to(folder).as_posix()
    content = (folder / name).read_bytes()
    content = re.sub(rb"'shape': \(\d+, \d+,", b"'shape': (9999, 9,", content, count=1)
    (folder / name).write_bytes(content)
    seal(folder, name)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lead_out, "stay inside their folder"),
        (name_outside, "stay inside their folder"),
        (pipe_instead, "lacks pairing.json"),
        (lambda f: change_info(f, epochs=None), "`epochs` of .* must be an object"),
        (lambda f: change_info(f, classes=[1, 2]), r"`classes\.0` of .* must be text"),
        (lambda f: change_info(f, recordings=["../../x"]), "stay inside"),
        (nest, "nests deeper than 64 levels"),
        (lambda f: (f / "info.json").write_bytes(b"\xff"), "must be UTF-8"),
        (lambda f: (f / "info.json").write_text("[]"), "must be an object"),
        (edit_sealed("trials.csv", ",house,", ",house"), "every line must have the columns"),
        (edit_sealed("trials.csv", ",0,", ",x,"), "label of .* must hold int64"),
        (edit_sealed("trials.csv", ",0,", f",{10**30},"), "label of .* must hold int64"),
        (edit_sealed("pairing.json", '"kind"', '"kin"'), "must hold `kind`"),
        (edit_sealed("images/images.csv", ",True,", ",yes,"), "shown of .* must hold bool"),
        (gigantic, "fill its file exactly"),
    ],
)
def test_refuses_hostile_folders(folder, damage, match):
    damage(folder)
    with pytest.raises(ValueError, match=match) as error:
        (load_dataset(folder), load_recordings(folder))
    assert type(error.value) is ValueError


def test_notices_a_wrong_shape(folder):
    info = json.loads((folder / "info.json").read_text())
    info["arrays"][info["epochs"]["file"]]["shape"][0] += 1
    (folder / "info.json").write_text(json.dumps(info))
    with pytest.raises(ValueError, match="must be float32"):
        load_dataset(folder)
