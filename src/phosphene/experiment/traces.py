"""What a run leaves for comparisons: the size of its networks, and how long it took."""

import hashlib
from typing import Any

import torch
from torch import nn

from phosphene.run_dir import RunDir

NETWORKS = "networks.json"
TIMINGS = "timings.json"


def note_network(run: RunDir, name: str, network: Any, *, digest: bool = False) -> None:
    """Write a network's class and number of trainable parameters into networks.json.

    Parameters
    ----------
    run
        The run folder.
    name
        What the network is to the run: "encoder", "generator", "judge".
    network
        Anything; what is no module is passed over.
    digest
        Keep a hash of its weights too, by which runs know that one network judged them all.
    """
    if not isinstance(network, nn.Module):
        return
    entry: dict[str, Any] = {
        "network": type(network).__name__,
        "n_parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
    }
    if digest:
        entry["digest"] = weights_digest(network)
    known = run.read_json(NETWORKS) if run.has(NETWORKS) else {}
    run.write_json(NETWORKS, {**known, name: entry})


def weights_digest(network: nn.Module) -> str:
    """Return the first 16 hexadecimal digits of a hash of all weights and buffers."""
    found = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def add_time(run: RunDir, stage: str, seconds: float) -> None:
    """Add the seconds of a stage to timings.json; stages of several folds and sittings add up."""
    known = run.read_json(TIMINGS) if run.has(TIMINGS) else {}
    spent = known.get("train_s", {})
    spent[stage] = round(spent.get(stage, 0.0) + seconds, 3)
    run.write_json(TIMINGS, {**known, "train_s": spent, "n_threads": torch.get_num_threads()})


def note_speed(run: RunDir, pictures_per_s: float) -> None:
    """Write how many pictures a second the trained generator draws into timings.json."""
    known = run.read_json(TIMINGS) if run.has(TIMINGS) else {}
    run.write_json(TIMINGS, {**known, "pictures_per_s": round(pictures_per_s, 2)})
