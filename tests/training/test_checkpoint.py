import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from phosphene.training.checkpoint import (
    collect_state,
    latest_checkpoint,
    load_checkpoint,
    load_newest_checkpoint,
    remove_unfinished,
    restore_state,
    save_checkpoint,
)


def make_parts():
    network = torch.nn.Linear(2, 2)
    return {
        "network": network,
        "optimizer": torch.optim.Adam(network.parameters()),
        "rng": torch.Generator().manual_seed(0),
    }


def test_state_survives_the_disk(tmp_path):
    parts, twin = make_parts(), make_parts()
    parts["network"](torch.ones(1, 2)).sum().backward()
    parts["optimizer"].step()
    torch.rand(7, generator=parts["rng"])
    path = save_checkpoint(tmp_path / "new", collect_state(parts), step=12)
    step, state = load_checkpoint(path)
    restore_state(twin, state)
    assert step == 12
    assert torch.equal(twin["network"].weight, parts["network"].weight)
    assert torch.equal(*(torch.rand(3, generator=p["rng"]) for p in (parts, twin)))
    moments = [p["optimizer"].state_dict()["state"][0]["exp_avg"] for p in (parts, twin)]
    assert torch.equal(*moments)


def test_the_newest_two_are_kept(tmp_path):
    for step in (1, 2, 10):
        save_checkpoint(tmp_path, {}, step=step)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "step_00000002.pt",
        "step_00000002.pt.sha256",
        "step_00000010.pt",
        "step_00000010.pt.sha256",
    ]
    assert latest_checkpoint(tmp_path).name == "step_00000010.pt"


def test_no_checkpoint_is_none(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / "absent") is None


@pytest.mark.parametrize("damage", ["truncated", "no record"])
def test_damage_is_refused(tmp_path, damage):
    path = save_checkpoint(tmp_path, {"a": {"x": torch.ones(3)}}, step=1)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-5])
    else:
        path.with_name(path.name + ".sha256").unlink()
    with pytest.raises(ValueError, match=r"recorded SHA-256 .*Delete it to go on"):
        load_checkpoint(path)


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_taken(tmp_path, caplog):
    for step in (1, 2):
        path = save_checkpoint(tmp_path, {"a": {"x": torch.full((3,), float(step))}}, step=step)
    path.write_bytes(bytes(len(path.read_bytes())))  # what a power cut can leave
    step, state = load_newest_checkpoint(tmp_path)
    assert (step, state["a"]["x"].tolist()) == (1, [1, 1, 1])
    assert "step_00000002.pt" in caplog.text
    assert "ends in the same weights" in caplog.text
    assert (tmp_path / "step_00000002.pt.damaged").is_file()
    assert latest_checkpoint(tmp_path).name == "step_00000001.pt"
    save_checkpoint(tmp_path, {}, step=2)  # training comes by again
    assert load_newest_checkpoint(tmp_path)[0] == 2


def test_nothing_but_damage_is_refused(tmp_path):
    save_checkpoint(tmp_path, {}, step=1).write_bytes(b"")
    with pytest.raises(ValueError, match="Delete that folder to begin this stage again"):
        load_newest_checkpoint(tmp_path)
    assert load_newest_checkpoint(tmp_path / "absent") is None


def test_an_error_while_writing_leaves_the_last_one_and_no_rest(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, {}, step=1)
    before = sorted(tmp_path.iterdir())

    def crash(content, file):
        file.write(b"half")
        raise OSError("disk on fire")

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(OSError, match=r"writing step_00000002\.pt .* failed: disk on fire\. Make"):
        save_checkpoint(tmp_path, {}, step=2)
    assert sorted(tmp_path.iterdir()) == before
    assert load_checkpoint(latest_checkpoint(tmp_path))[0] == 1


def test_a_disk_that_fills_up_keeps_the_last_one(tmp_path):
    """The system itself cuts the file off, in the middle of a tensor."""
    resource = pytest.importorskip("resource")  # not on Windows
    save_checkpoint(tmp_path, {"a": {"x": torch.ones(10)}}, step=1)
    before = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"failed: File too large\. Make room and resume"):
            save_checkpoint(tmp_path, {"a": {"x": torch.ones(100_000)}}, step=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.iterdir()) == before
    step, state = load_newest_checkpoint(tmp_path)
    assert (step, len(state["a"]["x"])) == (1, 10)


def test_what_a_kill_left_is_cleared_away(tmp_path):
    save_checkpoint(tmp_path, {}, step=1)
    before = sorted(tmp_path.iterdir())
    (tmp_path / "step_00000002.pt.tmp").write_bytes(b"half")
    (tmp_path / "step_00000002.pt.sha256").write_text("0")
    assert latest_checkpoint(tmp_path).name == "step_00000001.pt"
    remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the names of open files")
def test_the_folders_entry_reaches_the_disk_after_the_name(tmp_path, monkeypatch):
    order = []
    names = Path("/proc/self/fd")
    monkeypatch.setattr(os, "fsync", lambda file: order.append((names / str(file)).readlink()))
    path = save_checkpoint(tmp_path, {}, step=1)
    assert order == [Path(f"{path}.tmp"), Path(f"{path}.sha256"), tmp_path]


def seal(path):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(digest)


def test_a_file_that_is_none_or_unpacks_to_more_is_refused(tmp_path):
    path = save_checkpoint(tmp_path, {"a": {"weight": torch.zeros(100_000)}}, step=1)
    with zipfile.ZipFile(path) as archive:
        contents = {member.filename: archive.read(member) for member in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    seal(path)
    with pytest.raises(ValueError, match="unpacks to more than its size"):
        load_checkpoint(path)
    torch.save([1, 2], path)
    seal(path)
    with pytest.raises(ValueError, match="must be an object"):
        load_checkpoint(path)
    torch.save({"step": 1, "state": {"a": os.system}}, path)
    seal(path)
    with pytest.raises(ValueError, match="tensors and plain containers") as error:
        load_checkpoint(path)
    assert len(str(error.value).splitlines()) == 1


def test_other_parts_are_refused():
    with pytest.raises(ValueError, match=r"must hold the parts \['a'\]; got \['b'\]"):
        restore_state({"a": torch.nn.Linear(1, 1)}, {"b": {}})
