"""What the published Inception-v3 sees in the pictures of a run, where its weights are at hand."""

import numpy as np

from phosphene.data.downloads import cached_file, read_verified
from phosphene.experiment.painting import SOURCES
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.experiment.settings import ExperimentSettings
from phosphene.models.feature_networks.inception_2015 import describe_pictures, load_inception
from phosphene.run_dir import RunDir
from phosphene.training.progress import Progress
from phosphene.training.seeding import derive_seed

WEIGHTS = "inception-2015"
ARRAYS = "inception.npz"


def check_weights(settings: ExperimentSettings | ResponseSettings) -> bool:
    """Say whether Inception will be asked; refuse before training what would fail after it.

    Raises
    ------
    ValueError
        If the weights are wanted and missing, or are not the published ones.
    """
    if settings.inception == "off" or (
        settings.inception == "auto" and not cached_file(WEIGHTS).exists()
    ):
        return False
    read_verified(WEIGHTS)
    return True


def describe_run(run: RunDir, settings: ExperimentSettings, *, progress: Progress) -> None:
    """Describe the pictures of all finished folds, unless that is on disk.

    It takes a fraction of a second per picture and core, so only the pictures that are scored are
    described, and of the real ones as many at most.
    """
    folds = [fold["key"] for fold in run.read_json("split.json")["folds"]]
    painted = [key for key in folds if run.has(f"folds/{key}/done.json")]
    keys = [key for key in painted if not run.has(f"folds/{key}/{ARRAYS}")]
    if not keys or not check_weights(settings):
        return
    network = load_inception(read_verified(WEIGHTS))
    for key in keys:
        drawn = run.read_arrays(f"folds/{key}/generated.npz")
        rng = np.random.default_rng(derive_seed(settings.seed, "inception", key))
        sets = {source: drawn[source][: settings.n_scored] for source in SOURCES}
        found: dict[str, np.ndarray] = {}
        for real in ("training", "heldout"):
            rows = np.sort(rng.permutation(len(drawn[real]))[: settings.n_scored])
            sets[real] = drawn[real][rows]
            if real == "training":
                found["training_labels"] = drawn["training_labels"][rows]
        progress.start(f"pictures through Inception-v3, fold {key}", sum(map(len, sets.values())))
        done = 0
        for source, pixels in sets.items():
            features, probabilities = describe_pictures(
                network, pixels, on_batch=lambda n, before=done: progress.update(before + n, {})
            )
            found |= {f"{source}_features": features, f"{source}_probabilities": probabilities}
            done += len(pixels)
        progress.finish()
        run.write_arrays(f"folds/{key}/{ARRAYS}", found)
