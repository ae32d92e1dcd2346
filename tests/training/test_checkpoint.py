import pytest
import torch

from phosphene.training.checkpoint import (
    collect_state,
    latest_checkpoint,
    load_checkpoint,
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


def test_a_crash_while_writing_leaves_the_last_one(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, {}, step=1)

    def crash(content, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(tmp_path, {}, step=2)
    assert load_checkpoint(latest_checkpoint(tmp_path))[0] == 1


def test_other_parts_are_refused():
    with pytest.raises(ValueError, match=r"must hold the parts \['a'\]; got \['b'\]"):
        restore_state({"a": torch.nn.Linear(1, 1)}, {"b": {}})
