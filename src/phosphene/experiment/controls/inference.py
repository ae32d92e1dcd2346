"""Controls in which the run's own encoder reads other signals; nothing is trained again."""

from pathlib import Path

import numpy as np

from phosphene.data.splits import Fold
from phosphene.evaluation.repetitions import average_repetitions, group_repetitions
from phosphene.evaluation.signals.surrogates import phase_randomised
from phosphene.experiment.controls.control import (
    OPEN,
    Arrays,
    Control,
    ControlNotPossibleError,
    Found,
    Made,
    Task,
)
from phosphene.experiment.controls.material import Material
from phosphene.experiment.watch import Watch
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.training.progress import SilentProgress
from phosphene.training.seeding import derive_seed

AVERAGED = (1, 2, 4, 8, 16)
"""Trials that are averaged."""
MIN_AVERAGES = 10
"""Least averages of all classes together that make a point of the curve."""
TOLERANCE = 0.01
"""Largest difference of a probability from the run's own: other threads round otherwise."""


def need_plan(material: Material) -> None:
    """Refuse runs of recipes whose encoder cannot be made again."""
    if material.plan is None:
        raise ControlNotPossibleError(
            "the recipe does not say how its encoder is made, so it cannot be loaded"
        )


def silent_watch(fold: Fold) -> Watch:
    """Return who is told of a training that must leave no record in the run."""
    return Watch(log=lambda record: None, progress=SilentProgress(), fold=fold.key)


def load_encoder(material: Material, fold: Fold) -> SignalToPicture:
    """Load the encoder of a fold from its checkpoint, and make sure that it is the run's.

    Raises
    ------
    ControlNotPossibleError
        If the run keeps no checkpoint, or what it gives decodes otherwise than the run did.
    """
    need_plan(material)
    assert material.plan is not None
    folder = material.run.path / "folds" / fold.key / "encoder"
    if not _has_checkpoint(folder):
        raise ControlNotPossibleError(
            f"the run keeps no checkpoint of its encoder in folds/{fold.key}/encoder"
        )
    train, test = fold.indices(material.trials)
    training = material.trials.select(train)
    system = material.plan.encoder.train(
        training,
        training.labels,
        seed=derive_seed(material.seed, "encoder", fold.key),
        stage="encoder",
        watch=silent_watch(fold),
        checkpoints=folder,
    )
    stored = material.run.read_arrays(f"folds/{fold.key}/decoding.npz")["probabilities"]
    epochs = np.asarray(material.trials.epochs[test])
    found = system.decoder.probabilities(system.features(epochs))
    worst = float(np.abs(found - stored).max())
    if worst > TOLERANCE:
        raise ControlNotPossibleError(
            f"the encoder in folds/{fold.key} gives probabilities that differ from the run's by up "
            f"to {worst:.2g}"
        )
    return system


def _has_checkpoint(folder: Path) -> bool:
    return folder.is_dir() and any(folder.rglob("step_*.pt"))


def _read_signals(material: Material, fold: Fold) -> Arrays:
    """Decode surrogates and averages of the held-out trials of a fold."""
    system = load_encoder(material, fold)
    test = fold.indices(material.trials)[1]
    epochs, labels = np.asarray(material.trials.epochs[test]), material.trials.labels[test]
    seed = derive_seed(material.seed, "surrogates", fold.key)

    def decode(signals: np.ndarray) -> np.ndarray:
        return system.decoder.probabilities(system.features(signals))

    turned = phase_randomised(epochs, np.random.default_rng(seed))
    found: Arrays = {"row": test, "surrogate": decode(turned)}
    for n in AVERAGED:
        rng = np.random.default_rng([seed, n])
        groups = group_repetitions(labels, material.recordings[test], n=n, rng=rng)
        if len(groups):
            found[f"average_{n}"] = decode(average_repetitions(epochs, groups))
            found[f"average_{n}_row"] = test[groups[:, 0]]
    return found


def _tasks(material: Material) -> list[Task]:
    need_plan(material)
    for fold in material.folds:
        if not _has_checkpoint(material.run.path / "folds" / fold.key / "encoder"):
            raise ControlNotPossibleError(
                f"the run keeps no checkpoint of its encoder in folds/{fold.key}/encoder"
            )
    return [
        Task(name=f"signals-{fold.key}", make=lambda fold=fold: _read_signals(material, fold))
        for fold in material.folds
    ]


def _pooled(material: Material, made: Made, name: str, row: str) -> Arrays:
    parts = [made(f"signals-{fold.key}") for fold in material.folds]
    parts = [part for part in parts if name in part]
    if not parts:
        return {}
    return {
        "probabilities": np.concatenate([part[name] for part in parts]),
        "row": np.concatenate([part[row] for part in parts]),
    }


def _surrogate(material: Material, made: Made) -> Found:
    assert material.plan is not None
    arrays = _pooled(material, made, "surrogate", "row")
    name = material.plan.encoder.name
    scores = material.scores(arrays, method=f"phases drawn anew: {name}", role="baseline")
    return Found(
        scores=scores,
        note="Spectrum and correlations of each trial stay: above chance, they tell the class too.",
    )


def _averages(material: Material, made: Made) -> Found:
    assert material.plan is not None
    scores, points, n_classes = [], [], material.trials.n_classes
    for n in AVERAGED:
        arrays = _pooled(material, made, f"average_{n}", f"average_{n}_row")
        if not arrays or len(arrays["row"]) < MIN_AVERAGES:
            break
        counts = np.bincount(material.trials.labels[arrays["row"]], minlength=n_classes)
        if counts.min() == 0:
            break
        method = f"{n} trials averaged: {material.plan.encoder.name}" if n > 1 else "single trials"
        found = material.scores(arrays, method=method, role="baseline")
        scores += found
        points.append({"trials": n, "value": found[0].value, "n": len(arrays["row"])})
    return Found(
        scores=scores,
        details={"curve": points, "horizontal": "trials averaged"},
        note="Only held-out trials of one class and recording are averaged, which takes their "
        "classes for known: no decoder of single trials reaches these numbers.",
    )


SURROGATE = Control(
    key="surrogate",
    title="Phase-randomised surrogate",
    what="Held-out signals keep the spectrum and the correlations of each trial, and lose when "
    "things happen.",
    decoder="the run's own, not trained again",
    expected=OPEN,
    report=_surrogate,
    tasks=_tasks,
)

AVERAGING = Control(
    key="averaging",
    title="Repetitions averaged",
    what="Held-out trials of one class and recording are averaged, 1, 2, 4 and more of them.",
    decoder="the run's own, not trained again",
    expected=OPEN,
    report=_averages,
    tasks=_tasks,
)

CONTROLS = (SURROGATE, AVERAGING)
