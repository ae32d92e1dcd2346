"""Whether features that were trained to tell classes apart can be interpolated between them."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from phosphene.data.images import ImageSet
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import class_mean_features
from phosphene.evaluation.pictures.smoothness import (
    cross_fade,
    interpolation_smoothness,
    lines_between,
)
from phosphene.experiment.encoding import fit_condition
from phosphene.experiment.painting import picture_batches, with_generator
from phosphene.experiment.plan import Painted, Painter
from phosphene.export.inference import prepare_generator
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.recipes.brain2image_2017.config import Config
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.loop import fit
from phosphene.training.pictures import pixels_from_tensor, tensor_from_pixels
from phosphene.training.seeding import derive_seed, seeded_generator

ARRAYS = "interpolation.npz"
MAX_PATHS = 100
"""Lines that are drawn at most; 10 classes have 45, 40 classes 780."""
N_EXCHANGES = 500
KINDS = {"softmax": "result", "triplet": "baseline"}


def interpolate(config: Config, painter: Painter, painted: Painted) -> None:
    """Draw pictures along lines between classes and write them, and what the [domain] network sees.

    Lines lead from class mean to class mean of the training trials' features. Each has one draw of
    noise, which is the same for both kinds of features. Cross-fades between the ends of each line,
    and between real pictures of its classes, are described too, but not kept.
    """
    systems = {"softmax": painted.system}
    if config.second_generator:
        systems["triplet"] = train_second_generator(config, painter, painted)
    if not painted.watch.devices.first:
        return
    n_points, seed = config.path_points, derive_seed(painted.seed, "paths")
    arrays: dict[str, np.ndarray] = {}
    for kind, system in systems.items():
        pictures, pairs = draw_paths(system, painted.training, n_points=n_points, seed=seed)
        faded = cross_fade(pictures[:, 0], pictures[:, -1], n_points=n_points)
        features = _describe(painted.domain, pictures)
        arrays |= {
            "pairs": pairs,
            kind: pictures,
            f"{kind}_steps": np.linalg.norm(np.diff(features, axis=1), axis=2),
            f"{kind}_features": features,
            f"{kind}_fade_features": _describe(painted.domain, faded),
            f"{kind}_ends": _seen(painted.domain, pictures[:, [0, -1]]),
        }
    real = _fade_real(painted.images, arrays["pairs"], n_points=n_points, seed=seed)
    arrays["real_fade_features"] = _describe(painted.domain, real)
    painted.run.write_arrays(f"folds/{painted.fold}/{ARRAYS}", arrays)


def train_second_generator(config: Config, painter: Painter, painted: Painted) -> SignalToPicture:
    """Train a generator on the triplet features, as the first one was trained.

    Start values, pictures and number of steps are the same.
    """
    if painted.compared is None:
        raise ValueError(
            "a second generator needs triplet features; this run trains none. Leave out "
            "--no-compare-triplets."
        )
    training, settings = painted.training, painted.settings
    system = fit_condition(
        painted.compared(), training, standardize=settings.standardize_features, pull=0.0
    )
    step = painter.make(
        color=painted.images.pixels.shape[3],
        n_classes=training.n_classes,
        n_pictures=len(painted.images),
        seed=painted.seed,
        guide=None,
        devices=painted.watch.devices,
    )
    batches = picture_batches(
        settings, system, training, painted.images, seed=painted.seed, paired=painted.paired
    )
    fit(
        step,
        batches,
        n_steps=config.generator_steps,
        stage="triplet generator",
        checkpoints=painted.run.fold(painted.fold) / "triplet_generator",
        checkpoint_every=1000,
        resume=True,
        log=painted.watch.record,
        log_every=max(1, config.generator_steps // 150),
        progress=painted.watch.progress,
    )
    return with_generator(system, step, noise=painter.noise)


def draw_paths(
    system: SignalToPicture, training: Trials, *, n_points: int, seed: int
) -> tuple[UInt8[np.ndarray, "path point height width color"], Int[np.ndarray, "path 2"]]:
    """Draw pictures along the lines between class means of training features.

    Of more than `MAX_PATHS` lines some are drawn at random. No feature is pulled to a class.
    """
    trained = system.generator
    if trained is None:
        raise ValueError("drawing paths needs a trained generator; this system has none.")
    features = system.feature_scaler.apply(system.features(training.epochs))
    centres = class_mean_features(features, training.labels, n_classes=training.n_classes)
    points, pairs = lines_between(centres, n_points=n_points)
    rng = np.random.default_rng(derive_seed(seed, "lines"))
    rows = np.sort(rng.permutation(len(pairs))[:MAX_PATHS])
    generator = prepare_generator(trained)
    shape = (len(rows), int(generator.n_noise))  # pyright: ignore[reportArgumentType]
    noise = torch.randn(shape, generator=seeded_generator(seed, "noise of paths"))
    drawn = []
    with torch.no_grad():
        for z, line in zip(noise, points[rows], strict=True):
            condition = torch.from_numpy(line.astype(np.float32))
            drawn.append(pixels_from_tensor(generator(z.expand(n_points, -1), condition)))
    return np.stack(drawn), pairs[rows]


def _fade_real(
    images: ImageSet, pairs: Int[np.ndarray, "path 2"], *, n_points: int, seed: int
) -> UInt8[np.ndarray, "path point height width color"]:
    """Fade a real picture of one class into one of the other, drawn anew for each path."""
    rng = np.random.default_rng(derive_seed(seed, "real pictures"))
    ends = [
        [rng.choice(np.flatnonzero(images.labels == label)) for label in pair] for pair in pairs
    ]
    starts, stops = np.array(ends).T
    return cross_fade(images.pixels[starts], images.pixels[stops], n_points=n_points)


def _describe(
    domain: ClassifierStep, pictures: UInt8[np.ndarray, "path point height width color"]
) -> Float[np.ndarray, "path point feature"]:
    """Return what the [domain] network sees, path by path."""
    domain.network.eval()
    with torch.no_grad():
        found = [domain.network.features(tensor_from_pixels(path)) for path in pictures]  # pyright: ignore
    return torch.stack(found).numpy()


def _seen(
    domain: ClassifierStep, pictures: UInt8[np.ndarray, "path end height width color"]
) -> Int[np.ndarray, "path end"]:
    """Return which class the [domain] network sees at the ends of paths."""
    flat = tensor_from_pixels(pictures.reshape(-1, *pictures.shape[2:]))
    return domain.probabilities(flat).argmax(1).numpy().reshape(pictures.shape[:2])


def interpolation_scores(run: RunDir, key: str, words: str) -> list[Score]:
    """Score how evenly the pictures of a fold change along their paths, if they are there yet.

    Cross-fades between the same ends are the baselines: pixels then change evenly, so that what is
    uneven is the extractor's own doing. Cross-fades between real pictures are the reference. A path
    whose ends do not show its classes may be as even as it likes: "interpolation ends" counts them.
    """
    if not run.has(name := f"folds/{key}/{ARRAYS}"):
        return []
    arrays = run.read_arrays(name)
    rows = [("real_fade_features", "reference", "cross-fade of real pictures")]
    for kind, role in KINDS.items():
        rows.append((f"{kind}_features", role, f"{kind} features"))
        rows.append((f"{kind}_fade_features", "baseline", f"cross-fade of ends, {kind} features"))
    rows.sort(key=lambda row: ("result", "baseline", "reference").index(row[1]))
    scores: list[Score] = []
    for features, role, method in rows:
        if features in arrays:
            scores += interpolation_smoothness(
                arrays[features],
                arrays["pairs"],
                extractor="domain",
                method=method,
                split=words,
                role=role,
            )
    scores += [
        _end_score(arrays[f"{kind}_ends"], arrays["pairs"], kind=kind, role=role, split=words)
        for kind, role in KINDS.items()
        if f"{kind}_ends" in arrays
    ]
    return [replace(score, fold=key) for score in scores]


def _end_score(
    seen: Int[np.ndarray, "path 2"],
    pairs: Int[np.ndarray, "path 2"],
    *,
    kind: str,
    role: str,
    split: str,
) -> Score:
    """Return the share of ends that are seen as their class; paths share classes: no interval.

    Under chance a class is seen as any: the range is that of classes exchanged among one another.
    """
    classes, ends = np.unique(pairs, return_inverse=True)
    rng = np.random.default_rng(0)
    shares = [
        (seen == rng.permutation(classes)[ends.reshape(pairs.shape)]).mean()
        for _ in range(N_EXCHANGES)
    ]
    low, high = np.quantile(shares, [0.025, 0.975])
    return Score(
        name="interpolation ends[domain]",
        value=float((seen == pairs).mean()),
        chance=1 / len(classes),
        chance_low=float(low),
        chance_high=float(high),
        n=len(np.unique(pairs)),
        unit="classes",
        section="pictures",
        role=role,
        method=f"{kind} features",
        split=split,
        extractor="domain",
        note=f"both ends of {len(pairs)} paths, each with noise of its own",
    )
