"""All scores of a run from pictures to signals, from the arrays in its folder."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from phosphene.evaluation.fold_scores import leak_stamps
from phosphene.evaluation.signals.choice import ChosenWindows
from phosphene.evaluation.signals.scores import REAL as REAL_NAME
from phosphene.evaluation.signals.scores import SETS as SET_WORDS
from phosphene.evaluation.signals.scores import choose_sets, score_signals
from phosphene.evaluation.signals.windows import number_pictures, picture_score
from phosphene.experiment.responses import drawing, inception
from phosphene.experiment.responses.session import FOLD, SETS
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.run_dir import RunDir
from phosphene.score import Score

CLASSIFIER = f"folds/{FOLD}/classifier.npz"
DESCRIBED = f"folds/{FOLD}/classified/{{}}.npz"
"""What the classifier says of a system's windows, by its name as part of a file name."""
DOMAIN = "domain"
OTHER_HALF = "other half"

Arrays = Mapping[str, np.ndarray]


def score_run(run: RunDir, settings: ResponseSettings) -> list[Score]:
    """Score whatever the run folder holds so far."""
    systems = [name for name in inception.systems_of(run) if name != REAL_NAME]
    systems = [name for name in systems if run.has(DESCRIBED.format(drawing.slug(name)))]
    if not systems or not run.has(CLASSIFIER):
        return []
    real = run.read_arrays(drawing.REAL)
    generated = {name: run.read_arrays(drawing.generated_file(name)) for name in systems}
    chosen = choose_sets(
        real, generated, n_scored=max(2, settings.n_scored // 2), seed=settings.split_seed
    )
    described = {DOMAIN: _described(run, DESCRIBED, systems, chosen)}
    if all(run.has(inception.DESCRIBED.format(drawing.slug(s))) for s in (REAL_NAME, *systems)):
        described[inception.WEIGHTS] = _described(run, inception.DESCRIBED, systems, chosen)
    split = split_words(run)
    return [
        *classifier_scores(run.read_arrays(CLASSIFIER), split=split),
        *_reconstruction_scores(real, generated, split=split, seed=settings.split_seed),
        *score_signals(
            real,
            generated,
            sfreq=float(run.read_json("dataset.json")["sfreq"]),
            chosen=chosen,
            described=described,
            true_responses=real.get("truth"),
            split=split,
            seed=settings.split_seed,
        ),
    ]


def split_words(run: RunDir) -> str:
    """Return how training and test pictures were kept apart, with what puts it in doubt."""
    stamps = leak_stamps(run.read_json("split.json"))
    return "; ".join(filter(None, ("pictures held out", stamps)))


def classifier_scores(arrays: Arrays, *, split: str) -> list[Score]:
    """Score the feature network on showings of training pictures that did not train it."""
    probabilities, labels = arrays["probabilities"], arrays["labels"]
    hits = probabilities.argmax(1) == labels
    n_classes = probabilities.shape[1]
    place = (probabilities > probabilities[np.arange(len(labels)), labels][:, None]).sum(1)
    pictures = number_pictures(labels, len(labels))
    n_pictures = int(pictures.max()) + 1
    shown = np.bincount(pictures)
    found = []
    for name, right, chance in (
        ("accuracy of the classifier of windows", hits, 1 / n_classes),
        ("top-5 accuracy of the classifier of windows", place < 5, min(1.0, 5 / n_classes)),
    ):
        each = np.bincount(pictures, weights=right)
        score = picture_score(
            name,
            lambda drawn, each=each: float((drawn * each).sum() / (drawn * shown).sum()),
            n_pictures,
            method="LFPCNN",
            split=f"showings held out; {split}",
            role="reference",
            bounds=(0.0, 1.0),
            higher_is_better=True,
            note="the [domain] feature network, on showings of training pictures it never saw",
        )
        found.append(replace(score, chance=chance, section="decoding"))
    return found


def _reconstruction_scores(
    real: Arrays, generated: Mapping[str, Arrays], *, split: str, seed: int
) -> list[Score]:
    """Score what comes back from the signal autoencoder, on both sets of pictures."""
    if "autoencoder" not in generated:
        return []
    found = []
    for name in SETS:
        error = ((generated["autoencoder"][name] - real[name]) ** 2).mean((1, 2))
        numbers = number_pictures(real[f"{name}_picture"], len(error))
        total, shown = np.bincount(numbers, weights=error), np.bincount(numbers)
        found.append(
            picture_score(
                f"reconstruction error, {SET_WORDS[name]}",
                lambda drawn, total=total, shown=shown: float(
                    (drawn * total).sum() / (drawn * shown).sum()
                ),
                len(shown),
                method="autoencoder",
                split=split,
                role="baseline",
                note="mean squared error of z-scored windows: 0 is perfect, 1 their variance",
                seed=seed,
            )
        )
    return found


def _described(
    run: RunDir, file: str, systems: list[str], chosen: Mapping[str, ChosenWindows]
) -> dict[str, dict[str, np.ndarray]]:
    """Return what a network says of the chosen windows, by system."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for system in (REAL_NAME, *systems):
        arrays = run.read_arrays(file.format(drawing.slug(system)))
        for name, of_set in chosen.items():
            rows = {system: of_set.generated.get(system)}
            if system == REAL_NAME:
                rows = {REAL_NAME: of_set.real, OTHER_HALF: of_set.other_half}
            for method, chosen_rows in rows.items():
                found.setdefault(method, {}).update(
                    {
                        f"{name}_{key}": arrays[f"{name}_{key}"][chosen_rows]
                        for key in ("features", "probabilities")
                    }
                )
    return found
