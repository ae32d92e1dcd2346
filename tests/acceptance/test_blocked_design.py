"""A class per block and nothing in the signal: found window by window, and seen through."""

from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def blocked(tmp_path_factory):
    """A run on two classes that come in blocks, and that no signal tells apart; its controls."""
    from phosphene.cli.data_simulate import simulate_dataset
    from phosphene.cli.train import train_recipe
    from phosphene.data.preprocessing import Preprocessing
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation
    from phosphene.experiment.controls.course import run_controls
    from phosphene.experiment.controls.material import Effort
    from phosphene.recipes import get_recipe

    root = tmp_path_factory.mktemp("blocked")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            patch.setenv(name, str(root / "cache"))
        images = digits_images(16, seed=0)
        images = images.select(np.flatnonzero(images.labels < 2)).with_classes(images.classes[:2])
        simulation = EEGSimulation(
            montage="muse", n_trials=400, n_subjects=1, n_recordings=6, effect=0.0, order="blocked"
        )
        unfiltered = Preprocessing(band=None, resample=None, tmax=0.6)
        dataset = simulate_dataset(simulation, out=root / "data", images=images, epochs=unfiltered)
        recipe = get_recipe("eeg2image_2023")
        config = replace(
            recipe.config("smoke"), compare_encoder=None, riemann=False, n_folds=None,
            decode_folds=None, picture_folds=0, null_folds=0, encoder_epochs=2,
        )  # fmt: skip
        run, _ = train_recipe(recipe, "smoke", config=config, data=root / "data", out=root / "run")
    effort = Effort(minutes=0, n_linear_nulls=20, n_permutations=200)
    content = run_controls(run, data=root / "data", plan_of=recipe.plan, effort=effort)
    return run, dataset, content


def control(content, key):
    return next(one for one in content["controls"] if one["key"] == key)


def test_windows_are_decoded_and_recordings_are_not(blocked):
    _, _, content = blocked
    window, _, group, _ = control(content, "window_wise")["scores"]
    assert (window["name"], group["name"]) == ("balanced accuracy", "balanced accuracy")
    assert window["value"] > 0.8
    assert group["chance_low"] <= group["value"] <= group["chance_high"]
    own = content["evidence"]["score"]
    assert own["p_value"] > 0.05


def test_the_verdict_is_that_the_recording_explains_it(blocked):
    _, _, content = blocked
    assert content["verdict"]["claim"] == "explained by the recording, not by the picture"
    assert content["design"] == "block"


def test_the_audit_is_severe_before_anything_is_trained(blocked):
    from phosphene.audit.audit import run_audit
    from phosphene.audit.source import AuditSource
    from phosphene.data.splits import k_fold

    _, dataset, _ = blocked
    source = AuditSource.from_dataset(dataset)
    report = run_audit(source, split=k_fold(dataset.trials, 6), seed=0)
    assert any("block" in finding.kind for finding in report.severe), report.severe
