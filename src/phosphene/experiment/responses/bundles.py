"""What a run from pictures to signals gives away: its generator and the classifier of windows."""

from collections.abc import Sequence

from torch import nn

from phosphene.experiment.response_card import classifier_card, response_card
from phosphene.experiment.responses.classifier import Classified
from phosphene.experiment.responses.plan import ResponsePlan, SystemPlan
from phosphene.experiment.responses.session import FOLD, Session
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.export.picture_to_signal import PictureToSignal
from phosphene.export.response_bundle import save_response_bundle
from phosphene.export.signal_classifier import SignalClassifier, save_signal_classifier
from phosphene.run_dir import RunDir
from phosphene.score import Score

CARDS = {"bundle": response_card, "classifier": classifier_card}
"""Folder of each bundle, and what writes its model card."""


def save_bundles(
    run: RunDir,
    plan: ResponsePlan,
    session: Session,
    system: SystemPlan,
    generator: nn.Module,
    classified: Classified,
    *,
    settings: ResponseSettings,
) -> None:
    """Write the bundle of a system, and that of the classifier beside it."""
    trials, images = session.dataset.trials, session.dataset.images
    assert images is not None
    common = {"recipe": plan.recipe, "citation": plan.citation, "fold": FOLD}
    size = settings.picture_size if system.uses_pictures else None
    height, width = images.pixels.shape[1:3]
    made = PictureToSignal(
        generator,
        picture_size=size,
        source_size=None if size is None else (int(height), int(width)),
        ch_names=tuple(trials.ch_names),
        sfreq=session.sfreq,
        n_times=session.n_times,
        mean=session.mean,
        sd=session.sd,
        tmin=float(trials.tmin),
    )
    spec = {**common, "name": system.name, "generator": system.spec(session)}
    if system.pretrained:
        spec["autoencoder_data"] = settings.autoencoder_data
    save_response_bundle(run.path / "bundle", made, spec=spec, card="")
    classifier = SignalClassifier(
        classified.network,
        tuple(trials.ch_names),
        session.sfreq,
        session.n_times,
        tuple(session.stimuli[classified.classes].tolist()),
        tmin=float(trials.tmin),
    )
    network = {
        "network": "LFPCNN",
        "settings": {
            "n_classes": len(classified.classes),
            "n_chans": session.n_chans,
            "n_times": session.n_times,
        },
    }
    save_signal_classifier(
        run.path / "classifier", classifier, spec={**common, "classifier": network}, card=""
    )
    write_cards(run, ())


def write_cards(run: RunDir, scores: Sequence[Score]) -> None:
    """Write the model cards of a run's bundles with its scores, where there are bundles yet."""
    for folder, card_of in CARDS.items():
        if run.has(f"{folder}/spec.json"):
            spec, data, split = (
                run.read_json(name)
                for name in (f"{folder}/spec.json", "dataset.json", "split.json")
            )
            card = card_of(spec, data, scores, split=split)
            text = card.encode()
            run.write_bytes(f"{folder}/README.md", lambda file, text=text: file.write(text))
