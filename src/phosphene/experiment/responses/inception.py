"""What the published Inception-v3 sees in windows drawn as pictures, where its weights are."""

from phosphene.data.downloads import read_verified
from phosphene.evaluation.signals.drawing import signals_as_pictures
from phosphene.experiment.inception import WEIGHTS, check_weights
from phosphene.experiment.responses.drawing import INDEX, REAL, generated_file, slug
from phosphene.experiment.responses.session import FOLD, SETS
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.models.feature_networks.inception_2015 import describe_pictures, load_inception
from phosphene.run_dir import RunDir
from phosphene.training.progress import Progress

DESCRIBED = f"folds/{FOLD}/inception/{{}}.npz"
"""What Inception says of a system's windows, by its name as part of a file name."""


def systems_of(run: RunDir) -> list[str]:
    """Return the names of all whose windows are on disk, real ones first."""
    named = [entry["system"] for entry in run.read_json(INDEX)] if run.has(INDEX) else []
    return sorted(dict.fromkeys(named), key=lambda name: name != "real")


def describe_run(run: RunDir, settings: ResponseSettings, *, progress: Progress) -> None:
    """Describe the windows of all systems, unless that is on disk."""
    missing = [name for name in systems_of(run) if not run.has(DESCRIBED.format(slug(name)))]
    if not missing or not check_weights(settings):
        return
    network = load_inception(read_verified(WEIGHTS))
    for system in missing:
        arrays = run.read_arrays(REAL if system == "real" else generated_file(system))
        progress.start(f"{system} through Inception-v3", sum(len(arrays[name]) for name in SETS))
        found, done = {}, 0
        for name in SETS:
            features, probabilities = describe_pictures(
                network,
                signals_as_pictures(arrays[name]),
                on_batch=lambda n, before=done: progress.update(before + n, {}),
            )
            found |= {f"{name}_features": features, f"{name}_probabilities": probabilities}
            done += len(arrays[name])
        progress.finish()
        run.write_arrays(DESCRIBED.format(slug(system)), found)
