import numpy as np

from phosphene.experiment.restoration import drawing
from phosphene.experiment.restoration.bundles import save_bundle, write_card
from phosphene.experiment.restoration.pictures import TEST, unit_pictures
from phosphene.export.restoration_bundle import load_restoration_bundle


def test_the_bundle_restores_as_the_run_does(run, plan, pictures):
    network = plan.main.make(pictures, lr=1e-3, seed=0, n_steps=1).sampler
    save_bundle(run, plan, pictures, network)
    bundle = load_restoration_bundle(run.path / "bundle")
    assert bundle.spec["name"] == "CNN-LSTM"
    assert bundle.system.corruption == str(pictures.corruption)
    corrupted = run.read_arrays(TEST)["corrupted"]
    found = bundle.system.restore(unit_pictures(corrupted).numpy())
    expected = unit_pictures(drawing.restore(network, corrupted)).numpy()
    np.testing.assert_allclose(found, expected, atol=0.5 / 255 + 1e-6)
    assert "CNN-LSTM" in (run.path / "bundle" / "README.md").read_text(encoding="utf-8")


def test_without_a_bundle_there_is_no_card(run):
    write_card(run, ())
    assert not (run.path / "bundle").exists()
