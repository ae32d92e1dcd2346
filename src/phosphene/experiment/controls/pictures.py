"""Controls of pictures, from those that the run drew: no network is needed."""

import numpy as np

from phosphene.evaluation.pictures import class_consistency, nearest_pictures
from phosphene.experiment.controls.control import (
    CHANCE,
    OPEN,
    Arrays,
    Control,
    ControlNotPossibleError,
    Found,
    Made,
    Task,
)
from phosphene.experiment.controls.material import Material
from phosphene.score import Score
from phosphene.training.seeding import derive_seed

JUDGE = "judge trained on pictures that the generator never saw"


def _drawn(material: Material) -> list[tuple[str, Arrays]]:
    """Return the folds with pictures, and what was drawn and judged there."""
    names = [(fold.key, f"folds/{fold.key}/generated.npz") for fold in material.folds]
    return [(key, material.run.read_arrays(n)) for key, n in names if material.run.has(n)]


def _need_pictures(material: Material) -> list[Task]:
    if not any(material.run.has(f"folds/{f.key}/generated.npz") for f in material.folds):
        raise ControlNotPossibleError("the run drew no pictures")
    return []


def _need_nearest(material: Material) -> list[Task]:
    _need_pictures(material)

    def make() -> Arrays:
        drawn = _drawn(material)
        found = [
            nearest_pictures(arrays["own"], arrays["training"])[0][:, 0] for _, arrays in drawn
        ]
        return {key: nearest for (key, _), nearest in zip(drawn, found, strict=True)}

    return [Task(name="nearest_pictures", make=make)]


def _consistency(
    material: Material, judged: np.ndarray, arrays: Arrays, *, target: str, method: str
) -> Score:
    return class_consistency(
        judged,
        arrays["labels" if target == "shown" else "decoded"],
        target=target,
        n_classes=material.trials.n_classes,
        method=method,
        extractor=JUDGE,
        split=material.words,
        role="control",
        recordings=arrays["recording"],
    )


def _pooled(parts: list[Arrays]) -> Arrays:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _judged(material: Material, source: str) -> Arrays:
    parts = [
        {
            "judged": arrays[f"{source}_judge"].argmax(1),
            **{key: arrays[key] for key in ("labels", "decoded", "recording")},
        }
        for _, arrays in _drawn(material)
    ]
    return _pooled(parts)


def _of_source(material: Material, source: str, method: str) -> list[Score]:
    arrays = _judged(material, source)
    return [
        _consistency(material, arrays["judged"], arrays, target=target, method=method)
        for target in ("shown", "decoded")
    ]


def _class_only(material: Material, made: Made) -> Found:
    del made
    return Found(
        scores=[
            *_of_source(material, "label_only", "class label only"),
            *_of_source(material, "own", "the run's pictures"),
        ],
        note="Where it equals the run's pictures, they show the decoded class and nothing else of "
        "the trial.",
    )


def _prior(material: Material, made: Made) -> Found:
    del made
    rng = np.random.default_rng(derive_seed(material.seed, "prior only"))
    arrays = _judged(material, "label_only")
    order = rng.permutation(len(arrays["judged"]))
    score = _consistency(
        material, arrays["judged"][order], arrays, target="shown", method="prior only"
    )
    return Found(scores=[score])


def _shuffled(material: Material, made: Made) -> Found:
    del made
    return Found(scores=_of_source(material, "shuffled", "shuffled features"))


def _nearest(material: Material, made: Made) -> Found:
    found = made("nearest_pictures")
    rng = np.random.default_rng(derive_seed(material.seed, "retrieved pictures"))
    copies, retrieved = [], []
    for key, arrays in _drawn(material):
        seen = arrays["training_judge"].argmax(1)
        about = {name: arrays[name] for name in ("labels", "decoded", "recording")}
        copies.append({"judged": seen[found[key]], **about})
        of_class = [np.flatnonzero(arrays["training_labels"] == c) for c in arrays["decoded"]]
        picked = np.array([rng.choice(rows) for rows in of_class])
        retrieved.append({"judged": seen[picked], **about})
    scores = []
    for parts, method in (
        (copies, "nearest training picture"),
        (retrieved, "any training picture of the decoded class"),
    ):
        arrays = _pooled(parts)
        scores += [
            _consistency(material, arrays["judged"], arrays, target=target, method=method)
            for target in ("shown", "decoded")
        ]
    return Found(
        scores=[*scores, *_of_source(material, "own", "the run's pictures")],
        note="A catalogue that shows a training picture of the decoded class does as well as its "
        "decoder: class consistency says nothing of new pictures.",
    )


CLASS_ONLY = Control(
    key="class_only",
    title="Class label only",
    what="The generator is fed the training mean of the decoded class in place of the features.",
    decoder="the run's own generator and judge, not trained again",
    expected=OPEN,
    report=_class_only,
    tasks=_need_pictures,
)

PRIOR = Control(
    key="prior_only",
    title="Prior only",
    what="Pictures of the decoded classes are dealt to the trials at random, so that nothing of "
    "the signal is left but how often each class is decoded.",
    decoder="the run's own generator and judge, not trained again",
    expected=CHANCE,
    report=_prior,
    tasks=_need_pictures,
)

SHUFFLED = Control(
    key="shuffled",
    title="Shuffled features",
    what="Features of held-out trials change places within their recording before the generator.",
    decoder="the run's own generator and judge, not trained again",
    expected=CHANCE,
    report=_shuffled,
    tasks=_need_pictures,
)

NEAREST = Control(
    key="nearest",
    title="Nearest training picture",
    what="The judge is shown, in place of each generated picture, the training picture nearest to "
    "it, and any training picture of the decoded class.",
    decoder="the run's own judge, not trained again",
    expected=OPEN,
    report=_nearest,
    tasks=_need_nearest,
)

CONTROLS = (CLASS_ONLY, PRIOR, SHUFFLED, NEAREST)
