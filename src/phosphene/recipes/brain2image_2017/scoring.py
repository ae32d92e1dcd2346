"""The paper's second score of pictures: whether Inception sees the class that was shown."""

from dataclasses import replace

from phosphene.evaluation.pictures.inception_accuracy import inception_accuracy, unknown_classes
from phosphene.experiment.inception import ARRAYS, WEIGHTS
from phosphene.experiment.picture_scoring import SOURCES
from phosphene.recipes.brain2image_2017.interpolation import interpolation_scores
from phosphene.run_dir import RunDir
from phosphene.score import Score


def extra_scores(run: RunDir, key: str, words: str) -> list[Score]:
    """Score what no other recipe does: Inception's classes, and pictures between classes."""
    return inception_scores(run, key, words) + interpolation_scores(run, key, words)


def inception_scores(run: RunDir, key: str, words: str) -> list[Score]:
    """Score the pictures of a fold by the classes that Inception sees.

    Nothing where Inception has not described them, or where not all classes of the data are classes
    of ImageNet: of digits or faces it has nothing to say.
    """
    classes = run.read_json("dataset.json")["classes"]
    if not run.has(f"folds/{key}/{ARRAYS}") or unknown_classes(classes):
        return []
    seen, drawn = (run.read_arrays(f"folds/{key}/{name}") for name in (ARRAYS, "generated.npz"))
    scores = []
    for source, (role, method, note) in SOURCES.items():
        decoded = drawn["noise_decoded" if source == "noise" else "decoded"]
        for target, expected in (("shown", drawn["labels"]), ("decoded", decoded)):
            n = len(seen[f"{source}_probabilities"])  # perhaps fewer than were drawn
            score = inception_accuracy(
                seen[f"{source}_probabilities"],
                expected[:n],
                classes=classes,
                target=target,
                method=method,
                extractor=WEIGHTS,
                split=words,
                role=role,
                recordings=drawn["recording"][:n],
            )
            scores.append(replace(score, note=note, fold=key))
    if "training_labels" not in seen:  # runs of older versions lack it
        return scores
    real = inception_accuracy(
        seen["training_probabilities"],
        seen["training_labels"],
        classes=classes,
        target="shown",
        method="real pictures",
        extractor=WEIGHTS,
        split="the generator's own training pictures",
        role="reference",
    )
    return [*scores, replace(real, fold=key)]
