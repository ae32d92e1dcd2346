import pytest
import torch

from phosphene.experiment.responses import bundles, course
from phosphene.experiment.responses.classifier import Classified
from phosphene.experiment.responses.plan import Pretrained
from phosphene.export.response_bundle import load_response_bundle
from phosphene.export.signal_classifier import load_signal_classifier
from phosphene.models.classifiers.lfp_cnn import LFPCNN
from phosphene.recipes.lfpgan_2020.run import make_plan
from phosphene.run_dir import RunDir


@pytest.fixture
def run(session, quick_settings, tmp_path):
    """A run folder with both bundles, of networks that nobody trained."""
    import numpy as np

    run = RunDir.create(tmp_path / "run")
    course.describe_session(run, session.dataset, session.split, seed=0)
    plan = make_plan(quick_settings)
    system = plan.systems[0]
    classes = np.unique(session.picture[session.rows["train"]])
    network = LFPCNN(len(classes), n_chans=6)
    classified = Classified(
        network=network, classes=classes, heldout=classes, probabilities=np.eye(len(classes))
    )
    generator = system.make(session, Pretrained(), 0).sampler
    bundles.save_bundles(run, plan, session, system, generator, classified, settings=quick_settings)
    return run, generator, network


def test_generator_and_classifier_come_back(run, session):
    run, generator, _ = run
    system = load_response_bundle(run.path / "bundle").system
    assert (system.mean, system.sd) == (session.mean, session.sd)
    assert system.ch_names == session.dataset.trials.ch_names
    weights = zip(
        generator.state_dict().values(), system.generator.state_dict().values(), strict=True
    )
    assert all(torch.equal(one, two) for one, two in weights)
    found = load_signal_classifier(run.path / "classifier").classifier
    assert set(found.stimuli) == set(session.stimuli[session.picture[session.rows["train"]]])


def test_cards_say_what_the_autoencoder_saw(run):
    run, *_ = run
    assert run.read_json("bundle/spec.json")["autoencoder_data"] == "training"
    text = (run.path / "bundle" / "README.md").read_text(encoding="utf-8")
    assert "pre-trained GAN" in text
    assert (run.path / "classifier" / "README.md").stat().st_size > 500
