import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from phosphene.export.bundle import load_bundle
from phosphene.export.response_bundle import (
    load_response_bundle,
    response_spec,
    save_response_bundle,
)


@pytest.fixture
def folder(responders, tmp_path):
    """A bundle to spoil."""
    return shutil.copytree(responders.folder / "with", tmp_path / "bundle")


@pytest.mark.parametrize("name", ["with", "without"])
def test_round_trip_draws_the_same_windows(responders, tmp_path, name):
    system = getattr(responders, f"{name}_pictures")
    bundle = load_response_bundle(responders.folder / name)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 108, 138), dtype=np.uint8)
    windows = system.draw(pixels, n_draws=3, seed=5)
    np.testing.assert_array_equal(bundle.system.draw(pixels, n_draws=3, seed=5), windows)
    assert not bundle.system.generator.training
    for field in ("ch_names", "sfreq", "n_times", "mean", "sd", "tmin", "source_size"):
        assert getattr(bundle.system, field) == getattr(system, field)
    save_response_bundle(tmp_path / "again", bundle.system, spec=bundle.spec, card="card")
    assert load_response_bundle(tmp_path / "again").spec == bundle.spec
    assert (tmp_path / "again" / "README.md").read_text() == "card"
    assert sorted(p.name for p in (tmp_path / "again").iterdir()) == [
        "README.md",
        "spec.json",
        "weights.safetensors",
    ]


def test_the_spec_says_what_the_system_is(responders):
    spec = load_response_bundle(responders.folder / "with").spec
    assert spec["task"] == "picture to signal"
    assert (spec["window_mean"], spec["window_sd"]) == (2e-6, 1e-4)
    assert (spec["source_size"], spec["picture_size"]) == ([108, 138], [54, 69])
    assert (spec["recipe"], spec["name"]) == ("none", "GAN")
    said = response_spec(responders.with_pictures, generator=spec["generator"])
    assert said.items() <= spec.items()


def test_a_system_overrides_what_a_recipe_says_of_it(responders, tmp_path):
    spec = load_response_bundle(responders.folder / "with").spec
    save_response_bundle(
        tmp_path / "x", responders.with_pictures, spec={**spec, "window_sd": 5.0}, card=""
    )
    assert load_response_bundle(tmp_path / "x").system.sd == 1e-4


def test_a_bundle_of_another_task_is_refused_by_name(folder, lab):
    with pytest.raises(ValueError, match="must be 'signal to picture'; got 'picture to signal'"):
        load_bundle(folder)
    with pytest.raises(ValueError, match="must be 'picture to signal'; got 'signal to picture'"):
        load_response_bundle(lab / "bundle")


def spec(**changes):
    def change(folder):
        path = folder / "spec.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def generator(**settings):
    return spec(generator={"network": "LFPGenerator", "settings": {"n_chans": 4, **settings}})


def weights(**changes):
    def change(folder):
        path = folder / "weights.safetensors"
        found = load_file(path)
        for name, value in changes.items():
            found.pop(name := name.replace("__", "."), None)
            if value is not None:
                found[name] = value
        save_file(found, path)

    return change


NORM = "generator__decoder__layers__0__2__running_var"


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (spec(generator={"network": "Popen"}), "`network` must be one of"),
        (spec(generator={"network": "LFPCNN"}), "`network` must be one of"),
        (spec(generator={"network": "DCGANGenerator"}), "DCGANGenerator has not"),
        (spec(generator={"network": "RandomInput"}), "RandomInput has not"),
        (spec(generator=7), "name and its settings"),
        (generator(), r"rows and columns of pictures; .* for None, not \(54, 69\)"),
        (generator(size=[918, 1174]), r"built for \(918, 1174\), not \(54, 69\)"),
        (generator(size=[54, 70]), r"must be one of \(918, 1174\), \(54, 69\)"),
        (generator(size=[54, 10**9]), "plain value"),
        (generator(size=[54, 69], n_times=400), "must build it"),
        (generator(size=[54, 69], decoder="x"), "`setting of LFPGenerator` must be one of"),
        (spec(ch_names=["a", "b"]), "channels; the generator was built for 4, not 2"),
        (spec(n_times=312), "built for 313, not 312"),
        (spec(source_size=[54, 10]), "only shrunk"),
        (spec(source_size=None), "only shrunk"),
        (weights(**{NORM: torch.ones(3)}), r"running_var` must have the shape \(11,\)"),
        (weights(**{NORM: None}), "must hold `generator.decoder"),
        (weights(**{NORM: torch.full((11,), torch.inf)}), "must be finite"),
        (weights(extra=torch.zeros(2)), "nothing else; .* holds 'extra'"),
        (lambda folder: (folder / "weights.safetensors").unlink(), "Copy it again"),
    ],
)
def test_refuses_what_does_not_belong_together(folder, spoil, match):
    spoil(folder)
    with pytest.raises(ValueError, match=match):
        load_response_bundle(folder)
