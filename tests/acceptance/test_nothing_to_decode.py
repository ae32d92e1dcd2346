"""Recordings without any effect lead to scores at chance and to a report that says so."""

from dataclasses import replace

import numpy as np
import pytest


@pytest.fixture
def run_without_effect(tmp_path, monkeypatch):
    """Train on simulated recordings of three classes that the signal does not tell apart."""
    from phosphene.cli.data_simulate import simulate_dataset
    from phosphene.cli.train import train_recipe
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation
    from phosphene.recipes import get_recipe

    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    images = digits_images(16, seed=0)
    images = images.select(np.flatnonzero(images.labels < 3)).with_classes(images.classes[:3])
    simulation = EEGSimulation(
        montage="muse", n_trials=600, n_subjects=2, n_recordings=3, effect=0.0
    )
    simulate_dataset(simulation, out=tmp_path / "data", images=images)
    recipe = get_recipe("eeg2image_2023")
    config = replace(recipe.config("smoke"), encoder_epochs=3)
    run, _ = train_recipe(
        recipe, "smoke", config=config, data=tmp_path / "data", out=tmp_path / "run"
    )
    return run


@pytest.mark.slow
def test_nothing_is_decoded_where_there_is_nothing(run_without_effect):
    from phosphene.reporting.contents import read_contents
    from phosphene.reporting.headline import write_headline

    contents = read_contents(run_without_effect)
    assert contents.finished
    decoding = [s for s in contents.scores if s.name == "AUC" and s.role in ("result", "baseline")]
    assert {s.role for s in decoding} == {"result", "baseline"}
    for score in decoding:
        assert score.inside_chance() or score.value == pytest.approx(0.5, abs=0.08), score

    headline = write_headline(contents)
    assert headline.label == "Not decoded", headline
    report = (run_without_effect.path / "report.html").read_text(encoding="utf-8")
    assert "could not be read from the signal" in report
