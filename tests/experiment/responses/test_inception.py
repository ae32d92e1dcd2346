from dataclasses import replace

import numpy as np
import pytest

from phosphene.experiment.responses import drawing, inception
from phosphene.run_dir import RunDir
from phosphene.training.progress import SilentProgress


@pytest.fixture
def run(tmp_path, session, quick_settings):
    run = RunDir.create(tmp_path / "run")
    drawing.write_real(replace(quick_settings, n_scored=8), session, run=run)
    return run


def test_every_system_is_described_once(run, quick_settings, monkeypatch):
    calls = []

    def describe(network, pixels, *, on_batch):
        calls.append(pixels.shape)
        on_batch(len(pixels))
        return np.ones((len(pixels), 3)), np.full((len(pixels), 2), 0.5)

    monkeypatch.setattr(inception, "check_weights", lambda settings: True)
    monkeypatch.setattr(inception, "read_verified", lambda name: b"")
    monkeypatch.setattr(inception, "load_inception", lambda weights: None)
    monkeypatch.setattr(inception, "describe_pictures", describe)
    for _ in range(2):
        inception.describe_run(run, quick_settings, progress=SilentProgress())
    assert inception.systems_of(run) == ["real", "noise", "phase-randomised"]
    assert calls == [(8, 6, 313, 1)] * 6
    found = run.read_arrays(inception.DESCRIBED.format("phase-randomised"))
    assert found["test_features"].shape == (8, 3)
