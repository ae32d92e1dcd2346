import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from phosphene.export.bundle import load_bundle
from phosphene.export.restoration_bundle import (
    load_restoration_bundle,
    restoration_spec,
    save_restoration_bundle,
)


@pytest.fixture
def folder(restorer, tmp_path):
    """A bundle to spoil."""
    return shutil.copytree(restorer.folder, tmp_path / "bundle")


def test_round_trip_restores_the_same_pictures(restorer, tmp_path):
    bundle = load_restoration_bundle(restorer.folder)
    pictures = np.random.default_rng(0).random((3, 1, 12, 10), dtype=np.float32)
    expected = restorer.system.restore(pictures)
    np.testing.assert_array_equal(bundle.system.restore(pictures), expected)
    assert not bundle.system.network.training
    for field in ("size", "color", "corruption"):
        assert getattr(bundle.system, field) == getattr(restorer.system, field)
    save_restoration_bundle(tmp_path / "again", bundle.system, spec=bundle.spec, card="card")
    assert load_restoration_bundle(tmp_path / "again").spec == bundle.spec
    assert sorted(p.name for p in (tmp_path / "again").iterdir()) == [
        "README.md",
        "spec.json",
        "weights.safetensors",
    ]


def test_the_spec_says_what_the_restorer_is(restorer):
    spec = load_restoration_bundle(restorer.folder).spec
    assert spec["task"] == "picture to picture"
    assert (spec["size"], spec["color"]) == ([12, 10], 1)
    assert (spec["recipe"], spec["name"]) == ("none", "CNN-LSTM")
    said = restoration_spec(restorer.system, network=restorer.network)
    assert said.items() <= spec.items()


def test_a_bundle_of_another_task_is_refused_by_name(folder, lab):
    with pytest.raises(ValueError, match="must be 'signal to picture'; got 'picture to picture'"):
        load_bundle(folder)
    with pytest.raises(ValueError, match="must be 'picture to picture'; got 'signal to picture'"):
        load_restoration_bundle(lab / "bundle")


def spec(**changes):
    def change(folder):
        path = folder / "spec.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def network(name="CNNLSTM", **settings):
    return spec(network={"network": name, "settings": settings})


def weights(change):
    def spoil(folder):
        path = folder / "weights.safetensors"
        found = load_file(path)
        name = min(found, key=lambda name: found[name].numel())
        value = change(found.pop(name))
        save_file(found | ({} if value is None else {name: value}), path)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (network("Popen"), "`network` must be one of"),
        (network("LFPCNN"), "`network` must be one of"),
        (spec(network=7), "name and its settings"),
        (network(size=[12, 11]), r"size of pictures; .* for \(12, 11\), not \(12, 10\)"),
        (network(size=[12, 10**9]), "plain value"),
        (network(size=[12, 10], rnn="x"), "`setting of CNNLSTM` must be one of"),
        (network(size=[12, 10]), "must have the shape"),
        (spec(size=[12]), r"`size` in spec.json must be rows and columns, 1 to 1024; got \[12\]"),
        (spec(size=[12, 4096]), "rows and columns, 1 to 1024"),
        (spec(size=[True, 10]), "rows and columns"),
        (spec(color=2), "must be 1 .* or 3 .*; got 2"),
        (spec(color=3), "channels of pictures; .* for 1, not 3"),
        (spec(corruption=None), "printable characters; got None"),
        (spec(corruption="a" * 501), "at most 500 printable"),
        (spec(corruption="lower_hal"), "Did you mean 'lower_half'"),
        (weights(lambda value: None), "must hold `network"),
        (weights(lambda value: value[:-1].clone()), "must have the shape"),
        (weights(lambda value: torch.full_like(value, torch.inf)), "must be finite"),
        (lambda folder: (folder / "weights.safetensors").unlink(), "Copy it again"),
    ],
)
def test_refuses_spec_and_weights_that_do_not_belong_together(folder, spoil, match):
    spoil(folder)
    with pytest.raises(ValueError, match=match):
        load_restoration_bundle(folder)


@pytest.mark.parametrize("name", ["network", "size", "color", "corruption"])
def test_refuses_a_spec_that_lacks_something(folder, name):
    path = folder / "spec.json"
    content = json.loads(path.read_text())
    del content[name]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"must hold `{name}`"):
        load_restoration_bundle(folder)
