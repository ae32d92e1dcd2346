import json
import stat

import numpy as np
import pytest
import torch
from torch import nn

from phosphene.export.bundle_files import fill_networks, network_tensors, write_bundle


def network(n_out=3):
    return nn.Sequential(nn.Linear(2, n_out), nn.BatchNorm1d(n_out))


@pytest.fixture
def folder(tmp_path):
    """A bundle of one network and an array; the network is kept beside it."""
    made = network()
    tensors = {**network_tensors({"part": made}), "others.scale": torch.arange(4.0)}
    write_bundle(tmp_path / "bundle", tensors=tensors, spec={"task": "none"}, card="card\n")
    return tmp_path / "bundle"


def test_writes_three_files_that_all_may_read(folder):
    assert json.loads((folder / "spec.json").read_text()) == {"format_version": 1, "task": "none"}
    assert (folder / "README.md").read_text() == "card\n"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_fills_a_network_without_memory(tmp_path):
    made = network()
    made[1](made[0](torch.randn(50, 2)))  # moves the norm's statistics
    write_bundle(tmp_path / "b", tensors=network_tensors({"part": made}), spec={}, card="")
    with torch.device("meta"):
        empty = network()
    assert fill_networks(tmp_path / "b", {"part": empty}) == {}
    x = torch.randn(5, 2)
    assert torch.equal(empty(x), made.eval()(x))


def test_returns_what_else_there_is(folder):
    with torch.device("meta"):
        empty = network()
    found = fill_networks(folder, {"part": empty}, others={"others.scale": (4,)})
    np.testing.assert_array_equal(found["others.scale"], [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("n_out", "others", "match"),
    [
        (4, {"others.scale": (4,)}, r"must have the shape \(4,\) that spec\.json implies"),
        (3, {}, "nothing else; .* holds 'others.scale'"),
        (3, {"others.scale": (4,), "more": (1,)}, "must hold `more`"),
    ],
)
def test_other_weights_are_not_read(folder, n_out, others, match):
    with torch.device("meta"):
        empty = network(n_out)
    with pytest.raises(ValueError, match=match):
        fill_networks(folder, {"part": empty}, others=others)
    assert next(empty.parameters()).is_meta


def test_a_failed_save_keeps_what_was_there(folder):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_bundle(folder, tensors={"a": torch.zeros(1)}, spec={"x": float("inf")}, card="")
    assert (folder / "README.md").read_text() == "card\n"
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_constants_that_the_file_cannot_hold_are_refused(tmp_path):
    made = nn.Linear(2, 2)
    write_bundle(tmp_path / "b", tensors=network_tensors({"part": made}), spec={}, card="")
    with torch.device("meta"):
        empty = nn.Linear(2, 2)
        empty.register_buffer("window", torch.zeros(3), persistent=False)
    with pytest.raises(ValueError, match=r"Linear keeps `window` elsewhere"):
        fill_networks(tmp_path / "b", {"part": empty})
