"""Third stage of an experiment: draw pictures of held-out trials, judge them, keep some."""

from collections.abc import Mapping
from time import perf_counter

import numpy as np

from phosphene.data.images import ImageSet
from phosphene.data.pairing import pictures_of
from phosphene.data.trials import Trials
from phosphene.evaluation.pictures import nearest_pictures
from phosphene.experiment.painting import SOURCES, features_of_sources
from phosphene.experiment.pictures import look
from phosphene.experiment.settings import ExperimentSettings
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.run_dir import RunDir
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.seeding import derive_seed

N_SHOWN = 60
N_MAPPED = 800
N_TIMED = 128


def write_pictures(
    settings: ExperimentSettings,
    system: SignalToPicture,
    training: Trials,
    test: Trials,
    arrays: Mapping[str, np.ndarray],
    *,
    images: tuple[ImageSet, ImageSet, ImageSet],
    networks: tuple[ClassifierStep, ClassifierStep],
    run: RunDir,
    key: str,
) -> None:
    """Draw pictures of held-out trials from each source, judge them, and keep some to show."""
    seed = derive_seed(settings.seed, "drawing", key)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(test))[: settings.n_scored])
    everything, training_images, heldout_images = images
    judge, domain = networks
    features = features_of_sources(system, training, dict(arrays), rows, seed=seed)
    found = {
        "labels": test.labels[rows],
        "decoded": arrays["probabilities"][rows].argmax(1),
        "noise_decoded": arrays["noise_probabilities"][rows].argmax(1),
        "recording": arrays["recording"][rows],
        "training_labels": training_images.labels,
    }
    pixels = {
        **{
            source: system.draw(
                features[source],
                seed=seed,
                decoded=found["decoded"] if source == "label_only" else None,
            )
            for source in SOURCES
        },
        "training": training_images.pixels,
        "heldout": heldout_images.pixels,
    }
    for source, drawn in pixels.items():
        seen = look(drawn, judge=judge, domain=domain)
        found |= {source: drawn, **{f"{source}_{name}": v for name, v in seen.items()}}
    run.write_arrays(f"folds/{key}/generated.npz", found)

    chosen = rows[_balanced(test.labels[rows], N_SHOWN, rng)]
    draws = np.stack(
        [
            system.draw(arrays["features"][chosen], seed=seed, draw=draw)
            for draw in range(1, settings.n_draws + 1)
        ],
        axis=1,
    )
    judged = [
        look(np.ascontiguousarray(draws[:, number]), judge=judge, domain=domain)["judge"]
        for number in range(settings.n_draws)
    ]
    nearest, _ = nearest_pictures(draws[:, 0], training_images.pixels)
    shown = pictures_of(test.select(chosen), everything, seed=settings.seed)
    run.write_arrays(
        f"folds/{key}/pictures.npz",
        {
            "images": draws,
            "judged": np.stack(judged, axis=1).argmax(2),
            "shown": everything.pixels[shown],
            "nearest": training_images.pixels[nearest[:, 0]],
            "decoded": arrays["probabilities"][chosen].argmax(1),
            "labels": test.labels[chosen],
            "trial": arrays["trial"][chosen],
            "real": _examples(training_images),
        },
    )


def write_map(
    system: SignalToPicture,
    arrays: Mapping[str, np.ndarray],
    *,
    run: RunDir,
    key: str,
    seed: int,
) -> None:
    """Lay held-out features out in the plane, some with the pictures drawn from them (figure 3)."""
    rng, rows = _mapped_rows(arrays, key=key, seed=seed)
    plane = _plane(system.feature_scaler.apply(arrays["features"][rows]), seed=seed)
    chosen = _balanced(arrays["labels"][rows], 50, rng)
    run.write_arrays(
        f"folds/{key}/map.npz",
        {
            "tsne": plane,
            "labels": arrays["labels"][rows],
            "decoded": arrays["probabilities"][rows].argmax(1),
            "thumbs": system.draw(arrays["features"][rows][chosen], seed=seed, draw=1),
            "thumb_index": chosen,
        },
    )


def write_compared_map(
    arrays: Mapping[str, np.ndarray], *, run: RunDir, key: str, seed: int
) -> None:
    """Lay out the same trials' features of the compared encoder, if there is one (figure 2)."""
    name = f"folds/{key}/compare_map.npz"
    if "compare_features" in arrays and not run.has(name):
        _, rows = _mapped_rows(arrays, key=key, seed=seed)
        plane = _plane(arrays["compare_features"][rows], seed=seed)
        run.write_arrays(name, {"tsne": plane, "labels": arrays["labels"][rows]})


def _mapped_rows(
    arrays: Mapping[str, np.ndarray], *, key: str, seed: int
) -> tuple[np.random.Generator, np.ndarray]:
    """Choose the trials of a fold's maps; return what goes on drawing, too."""
    rng = np.random.default_rng(derive_seed(seed, "map", key))
    return rng, np.sort(rng.permutation(len(arrays["labels"]))[:N_MAPPED])


def _plane(features: np.ndarray, *, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, max(2.0, (len(features) - 1) / 4))
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features)


def pictures_per_second(system: SignalToPicture, features: np.ndarray) -> float:
    """Return how many pictures a second the system draws from features, the best of three times."""
    some = np.resize(features, (N_TIMED, features.shape[1]))
    seconds = []
    for _ in range(3):
        began = perf_counter()
        system.draw(some, seed=0)
        seconds.append(perf_counter() - began)
    return N_TIMED / min(seconds)


def _balanced(labels: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Choose up to n rows, classes in turn."""
    rows = rng.permutation(len(labels))
    rank = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        mine = rows[labels[rows] == label]
        rank[mine] = np.arange(len(mine))
    return np.lexsort((labels, rank))[:n]


def _examples(images: ImageSet, n: int = 8) -> np.ndarray:
    """Return n real pictures per class, (class, n, height, width, color); few ones repeat."""
    rows = [np.flatnonzero(images.labels == label) for label in range(len(images.classes))]
    return np.stack([images.pixels[np.resize(r, n)] for r in rows])
