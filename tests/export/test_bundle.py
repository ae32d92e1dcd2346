import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from phosphene.data.dataset import load_dataset
from phosphene.export.bundle import load_bundle, save_bundle
from phosphene.export.signal_to_picture import ClassPull


@pytest.fixture
def folder(lab, tmp_path):
    """A bundle to spoil."""
    return shutil.copytree(lab / "bundle", tmp_path / "bundle")


def change_spec(folder, **changes):
    path = folder / "spec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_weights(folder, **changes):
    path = folder / "weights.safetensors"
    weights = load_file(path)
    for name, value in changes.items():
        weights.pop(name, None)
        if value is not None:
            weights[name] = value
    save_file(weights, path)


def test_round_trip_draws_the_same_pictures(lab, folder, tmp_path):
    epochs = np.asarray(load_dataset(lab / "data").trials.epochs)
    first = load_bundle(folder)
    spec = {k: v for k, v in first.spec.items() if k not in ("format_version", "noise")}
    save_bundle(tmp_path / "again", first.system, spec=spec, card="card")
    second = load_bundle(tmp_path / "again")
    features = first.system.features(epochs)
    np.testing.assert_array_equal(features, second.system.features(epochs))
    np.testing.assert_array_equal(
        first.system.decoder.probabilities(features), second.system.decoder.probabilities(features)
    )
    pictures = first.system.draw(features, seed=3)
    assert pictures.std() > 5
    np.testing.assert_array_equal(pictures, second.system.draw(features, seed=3))
    assert first.spec == second.spec
    assert (tmp_path / "again" / "README.md").read_text() == "card"


def test_round_trip_keeps_the_pull(lab, folder, tmp_path):
    epochs = np.asarray(load_dataset(lab / "data").trials.epochs)
    bundle = load_bundle(folder)
    assert bundle.system.pull is None
    centres = np.random.default_rng(0).normal(size=(2, 16)).astype(np.float32)
    pulled = replace(bundle.system, pull=ClassPull(centres, 0.5))
    spec = {k: v for k, v in bundle.spec.items() if k != "format_version"}
    save_bundle(tmp_path / "pulled", pulled, spec=spec, card="")
    again = load_bundle(tmp_path / "pulled").system
    assert again.pull.share == 0.5
    np.testing.assert_array_equal(again.pull.centres, centres)
    features = pulled.features(epochs)
    np.testing.assert_array_equal(again.condition(features), pulled.condition(features))
    assert (again.condition(features) != bundle.system.condition(features)).any()


def test_round_trip_keeps_the_scaling(lab, folder, tmp_path):
    epochs = np.asarray(load_dataset(lab / "data").trials.epochs)
    bundle = load_bundle(folder)
    windows = replace(bundle.system, scaling="window")
    spec = {k: v for k, v in bundle.spec.items() if k not in ("format_version", "scaling")}
    save_bundle(tmp_path / "windows", windows, spec=spec, card="")
    again = load_bundle(tmp_path / "windows")
    assert again.spec["scaling"] == {"per": "window"}
    features = again.system.features(epochs)
    np.testing.assert_array_equal(features, windows.features(epochs))
    assert (features != bundle.system.features(epochs)).any()
    np.testing.assert_array_equal(again.system.scaler.scale, bundle.system.scaler.scale)


def test_a_bundle_that_does_not_name_its_scaling_scales_channels(folder):
    before = load_bundle(folder).system
    without(None, "scaling")(folder)
    after = load_bundle(folder).system
    assert before.scaling == after.scaling == "channel"


def test_saving_replaces_a_bundle_and_leaves_nothing_beside_it(folder, tmp_path):
    bundle = load_bundle(folder)
    spec = {k: v for k, v in bundle.spec.items() if k != "format_version"}
    save_bundle(folder, bundle.system, spec={**spec, "recipe": "new"}, card="")
    assert load_bundle(folder).spec["recipe"] == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_failed_save_keeps_the_old_bundle(folder, tmp_path):
    bundle = load_bundle(folder)
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_bundle(folder, bundle.system, spec={"sfreq": float("nan")}, card="")
    assert load_bundle(folder).spec == bundle.spec
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_loading_keeps_weights_when_the_file_changes(folder):
    system = load_bundle(folder).system
    before = system.encoder.spatial.detach().clone()
    (folder / "weights.safetensors").write_bytes(b"")
    assert torch.equal(before, system.encoder.spatial)


CHANNELS, RATE, LENGTH = ("TP9", "AF7", "AF8", "TP10"), 128.0, 102


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"ch_names": (*CHANNELS, "Cz")}, r"4 channels.*got 5.*--drop-channels Cz"),
        ({"ch_names": CHANNELS[:3]}, r"4 channels.*got 3.*Record TP10 too"),
        ({"ch_names": (*CHANNELS[:3], "Cz")}, r"Record TP10 too, rename"),
        ({"ch_names": CHANNELS[::-1]}, "same order .* Give the raw recordings"),
        ({"sfreq": 256.0}, r"102 samples at 128 Hz; got 102 at 256 Hz.*--resample 128"),
        ({"n_times": 90}, r"got 90.*--tmin 0 --tmax 0\.79"),
    ],
)
def test_signals_must_match(folder, change, match):
    bundle = load_bundle(folder)
    fitting = {"ch_names": CHANNELS, "sfreq": RATE, "n_times": LENGTH}
    bundle.check_signals(**fitting)
    with pytest.raises(ValueError, match=match):
        bundle.check_signals(**{**fitting, **change})


def test_preprocessing_must_match(folder):
    bundle = load_bundle(folder)
    recorded = bundle.spec["preprocessing"]
    bundle.check_preprocessing({"settings": {**recorded["settings"], "margin": 0.0}})
    with pytest.raises(ValueError, match=r"`band` was \[1\.0, 30\.0\].*--band 1\.0 30\.0"):
        bundle.check_preprocessing({"settings": {**recorded["settings"], "band": [2.0, 30.0]}})


def without(part, key):
    def change(folder):
        spec = json.loads((folder / "spec.json").read_text())
        del (spec[part] if part else spec)[key]
        (folder / "spec.json").write_text(json.dumps(spec))

    return change


def settings_of(part, **changes):
    def change(folder):
        spec = json.loads((folder / "spec.json").read_text())
        spec[part]["settings"] |= changes
        (folder / "spec.json").write_text(json.dumps(spec))

    return change


def spec(**changes):
    return lambda folder: change_spec(folder, **changes)


def weights(**changes):
    return lambda folder: change_weights(
        folder, **{k.replace("__", "."): v for k, v in changes.items()}
    )


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (spec(encoder={"network": "Popen", "settings": {}}), "`network` must be one of"),
        (spec(encoder={"network": "DCGANGenerator", "settings": {}}), "`network` must be one of"),
        (spec(encoder=None), "name and its settings"),
        (settings_of("encoder", n_chans=5), "`n_chans` of the encoder must be 4"),
        (settings_of("encoder", n_times=204), "`n_times` of the encoder must be 102"),
        (settings_of("generator", n_features=17), "`n_features` of the generator must be 16"),
        (settings_of("generator", color=4), "1 or 3 colors"),
        (settings_of("generator", width=99999, max_width=99999), "must have the shape"),
        (
            spec(classes=["houses", "faces", "cats"]),
            r"`decoder\.(bias|weight)` must have the shape",
        ),
        (weights(decoder__bias=torch.zeros(3)), r"`decoder\.bias` must have the shape \(2,\)"),
        (weights(decoder__bias=None), r"must hold `decoder\.bias`"),
        (weights(extra=torch.zeros(3)), "nothing else; .* holds 'extra'"),
        (weights(features__scale=torch.zeros(16)), r"`features\.scale` must be greater than 0"),
        (weights(scaler__scale=torch.zeros(4)), "must vary"),
        (weights(pull__share=torch.tensor([2.0])), r"`pull\.share` must lie between 0 and 1; .* 2"),
        (weights(pull__share=torch.tensor([-0.1])), r"`pull\.share` must lie between 0 and 1"),
        (weights(pull__centres=torch.zeros(3, 16)), r"`pull\.centres` must have the shape"),
        (weights(scaler__mean=torch.full((4,), torch.nan)), "must be finite"),
    ],
)
def test_refuses_what_does_not_belong_together(folder, spoil, match):
    spoil(folder)
    with pytest.raises(ValueError, match=match):
        load_bundle(folder)


def test_refuses_a_generator_of_signals(folder):
    change_spec(folder, generator={"network": "LFPGenerator"})
    with pytest.raises(ValueError, match=r"`n_features` of the generator must be 16.*got None"):
        load_bundle(folder)
