"""What a run that restores pictures gives away: the network of its main system."""

from collections.abc import Sequence

from torch import nn

from phosphene.experiment.restoration.card import restoration_card
from phosphene.experiment.restoration.pictures import FOLD, Pictures
from phosphene.experiment.restoration.plan import RestorationPlan
from phosphene.export.picture_to_picture import PictureToPicture
from phosphene.export.restoration_bundle import save_restoration_bundle
from phosphene.run_dir import RunDir
from phosphene.score import Score

SPEC = "bundle/spec.json"
CARD = "bundle/README.md"


def save_bundle(run: RunDir, plan: RestorationPlan, pictures: Pictures, network: nn.Module) -> None:
    """Write the bundle of the main system and its model card, without scores yet."""
    system = PictureToPicture(
        network,
        size=pictures.size,
        color=pictures.color,
        corruption=str(pictures.corruption),
    )
    spec = {
        "recipe": plan.recipe,
        "citation": plan.citation,
        "name": plan.main.name,
        "fold": FOLD,
        "network": plan.main.spec(pictures),
    }
    save_restoration_bundle(run.path / "bundle", system, spec=spec, card="")
    write_card(run, ())


def write_card(run: RunDir, scores: Sequence[Score]) -> None:
    """Write the model card of a run's bundle with its scores, where there is a bundle yet."""
    if run.has(SPEC):
        spec, data, split = (run.read_json(name) for name in (SPEC, "dataset.json", "split.json"))
        card = restoration_card(spec, data, scores, split=split)
        run.write_bytes(CARD, lambda file: file.write(card.encode()))
