"""Decoders that are trained again: on permuted labels, and with other seeds."""

from dataclasses import dataclass

import numpy as np

from phosphene.data.splits import Fold
from phosphene.evaluation.permutation import calibrate, pair_reuse
from phosphene.evaluation.retrained_null import joint_linear_null
from phosphene.experiment.controls.control import (
    CHANCE,
    RESULT,
    Arrays,
    Control,
    ControlNotPossibleError,
    Found,
    Made,
    Task,
)
from phosphene.experiment.controls.inference import need_plan, silent_watch
from phosphene.experiment.controls.linear import joint_permutations, own_folds, permuter
from phosphene.experiment.controls.material import Effort, Material
from phosphene.experiment.traces import TIMINGS
from phosphene.score import Score
from phosphene.training.seeding import derive_seed

NULL = "null labels"
"""Purpose of the permutations that encoders are trained on."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many trainings the effort allows."""

    n_nulls: int
    n_seeds: int
    n_folds: int
    """Folds of each."""


def share_effort(effort: Effort, *, seconds: float, n_folds: int) -> Share:
    """Divide the time among trainings on permuted labels and with other seeds.

    Each is of as many folds as there is time for. Where there is not time for one fold of each,
    there are fewer of them, those on permuted labels first.

    Parameters
    ----------
    effort
        Trainings that are wanted, and the time.
    seconds
        What training one fold took in the run.
    n_folds
        Folds of the run.
    """
    wanted = effort.n_nulls + effort.n_seeds
    if not wanted:
        return Share(n_nulls=0, n_seeds=0, n_folds=0)
    n_trainings = int(60 * effort.minutes / max(seconds, 1e-3))
    folds = min(n_folds, n_trainings // wanted)
    if folds:
        return Share(n_nulls=effort.n_nulls, n_seeds=effort.n_seeds, n_folds=folds)
    n_nulls = min(effort.n_nulls, n_trainings)
    return Share(n_nulls=n_nulls, n_seeds=min(effort.n_seeds, n_trainings - n_nulls), n_folds=1)


def share_of(material: Material) -> Share:
    """Return how many trainings there are, by how long the run's own took.

    The numbers depend on what the run noted in timings.json, and not on this machine.
    """
    need_plan(material)
    timings = material.run.read_json(TIMINGS) if material.run.has(TIMINGS) else {}
    seconds = timings.get("train_s", {}).get("encoder")
    if seconds is None:
        raise ControlNotPossibleError("the run does not say how long its encoder was in training")
    n_folds = len(material.folds)
    share = share_effort(material.effort, seconds=seconds / n_folds, n_folds=n_folds)
    if not share.n_nulls + share.n_seeds:
        raise ControlNotPossibleError(
            f"training a fold of the run's encoder took {seconds / n_folds:.0f} s, and there are "
            f"{material.effort.minutes} minutes for all of them"
        )
    return share


def folds_of(material: Material, number: int, *, n: int) -> list[Fold]:
    """Return the folds of a training: others for each, so that all folds take their turn."""
    folds = material.folds
    return [folds[(number * n + k) % len(folds)] for k in range(n)]


def _train(material: Material, fold: Fold, labels: np.ndarray, *, seed: int) -> Arrays:
    assert material.plan is not None
    train, test = fold.indices(material.trials)
    training = material.trials.select(train)
    if len(np.unique(labels[train])) < material.trials.n_classes:
        raise ControlNotPossibleError("permuted labels leave a training fold without a class")
    system = material.plan.encoder.train(
        training, labels[train], seed=seed, stage="controls", watch=silent_watch(fold)
    )
    epochs = np.asarray(material.trials.epochs[test])
    probabilities = system.decoder.probabilities(system.features(epochs))
    return {"probabilities": probabilities, "row": test, "labels": labels[test]}


def _null_tasks(material: Material) -> list[Task]:
    share = share_of(material)
    permuted = joint_permutations(material, share.n_nulls, purpose=NULL)
    return [
        Task(
            name=f"null-{number}-{fold.key}",
            make=lambda fold=fold, labels=labels, number=number: _train(
                material, fold, labels, seed=derive_seed(material.seed, NULL, number, fold.key)
            ),
        )
        for number, labels in enumerate(permuted)
        for fold in folds_of(material, number, n=share.n_folds)
    ]


def _seed_tasks(material: Material) -> list[Task]:
    share = share_of(material)
    if not share.n_seeds:
        raise ControlNotPossibleError("there was no time for trainings with other seeds")
    labels = material.trials.labels
    return [
        Task(
            name=f"seed-{number}-{fold.key}",
            make=lambda fold=fold, number=number: _train(
                material, fold, labels, seed=derive_seed(material.seed, "seed", number, fold.key)
            ),
        )
        for number in range(share.n_seeds)
        for fold in folds_of(material, 0, n=share.n_folds)
    ]


def _joined(parts: list[Arrays]) -> Arrays:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _nulls(material: Material, made: Made) -> Found:
    assert material.plan is not None
    share = share_of(material)
    tests = {"AUC": [], "balanced accuracy": []}
    for number in range(share.n_nulls):
        folds = folds_of(material, number, n=share.n_folds)
        arrays = _joined([made(f"null-{number}-{fold.key}") for fold in folds])
        for statistic, found in tests.items():
            found.append(material.test(arrays, statistic=statistic))
    own = material.test(material.own())
    # a training of few folds shares fewer pairs of trials than one of all
    wider = float(np.sqrt((1 + material.reuse) / (1 + _reuse(material, share))))
    widened = [test.z * wider for test in tests["AUC"]]
    p_value = calibrate(own, widened, reuse=material.reuse)
    name = f"trained on permuted labels: {material.plan.encoder.name}"
    scores = [
        spread_score(
            np.array([test.value for test in found]), name=statistic, method=name,
            chance=float(np.mean([test.mean for test in found])), split=material.words,
        )
        for statistic, found in tests.items()
    ]  # fmt: skip
    return Found(
        scores=scores[::-1],
        details={
            "nulls": [test.value for test in tests["AUC"]],
            "balanced_accuracy": [test.value for test in tests["balanced accuracy"]],
            "of_all_folds": [own.mean + each * own.sd for each in widened],
            "z": widened,
            "folds_of_each": share.n_folds,
            "p_value_of_the_result": p_value,
        },
        note=f"{share.n_nulls} trainings of {share.n_folds} of {len(material.folds)} folds each.",
    )


def _reuse(material: Material, share: Share) -> float:
    """Return the share of pairs that count twice in a training of some folds."""
    fold_of = material.decoded["fold"]
    chosen = {fold.key for fold in folds_of(material, 0, n=share.n_folds)}
    kept = [key for key in fold_of.tolist() if key in chosen]
    return pair_reuse(kept, n_trials=len(material.trials))


def spread_score(values: np.ndarray, *, name: str, method: str, chance: float, split: str) -> Score:
    """Return the mean of retrained decoders; its interval is what most of them lie in.

    The range under chance is that of the mean of so many, from their own spread.
    """
    from scipy import stats

    n = len(values)
    reach = 0.0
    if n > 1:
        reach = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Score(
        name=name,
        value=float(values.mean()),
        low=float(np.quantile(values, 0.025, method="lower")),
        high=float(np.quantile(values, 0.975, method="higher")),
        n=n,
        unit="trainings",
        chance=chance,
        chance_low=chance - reach if n > 1 else None,
        chance_high=chance + reach if n > 1 else None,
        role="control",
        method=method,
        split=split,
        interval="middle 95 % of the trainings",
    )


def _linear_tasks(material: Material) -> list[Task]:
    if "lda_probabilities" not in material.decoded:
        raise ControlNotPossibleError("the run did not decode by shrinkage LDA")

    def make() -> Arrays:
        trials = material.trials
        epochs = np.asarray(trials.epochs)[:, :, :: material.step]
        z = joint_linear_null(
            epochs.reshape(len(trials), -1).astype(np.float64),
            trials.labels,
            folds=own_folds(material),
            permute=permuter(material),
            recordings=trials.table["recording"],
            n_classes=trials.n_classes,
            n_permutations=material.effort.n_linear_nulls,
            seed=derive_seed(material.seed, "linear nulls") % 2**32,
        )
        return {"z": z}

    return [Task(name=f"linear_nulls-{material.effort.n_linear_nulls}", make=make)]


def _linear(material: Material, made: Made) -> Found:
    z = made(f"linear_nulls-{material.effort.n_linear_nulls}")["z"]
    own = material.own("lda_probabilities")
    test = material.test(own)
    score = spread_score(
        z, name="AUC, distance from chance in SD", method="trained on permuted labels: shrinkage "
        "LDA", chance=0.0, split=material.words,
    )  # fmt: skip
    return Found(
        scores=[score],
        details={
            "observed_z": test.z,
            "p_value_of_the_result": calibrate(test, z, reuse=material.reuse),
        },
        note="The distance of shrinkage LDA on the true labels and its p-value are under details; "
        "standard deviations are those of permuting held-out labels.",
    )


def _seeds(material: Material, made: Made) -> Found:
    assert material.plan is not None
    share = share_of(material)
    folds = folds_of(material, 0, n=share.n_folds)
    keys = {fold.key for fold in folds}
    mine = np.array([key in keys for key in material.decoded["fold"].tolist()])
    name = material.plan.encoder.name
    own = {key: values[mine] for key, values in material.own().items()}
    scores = material.scores(own, method=f"{name}, the run's seed, same folds", role="baseline")
    values = [scores[0].value]
    for number in range(share.n_seeds):
        arrays = _joined([made(f"seed-{number}-{fold.key}") for fold in folds])
        method = f"{name}, another seed ({number + 1})"
        found = material.scores(arrays, method=method, role="baseline")
        values.append(found[0].value)
        scores += found
    return Found(
        scores=scores,
        details={"values": values, "sd": float(np.std(values, ddof=1))},
        note=f"{len(folds)} of {len(material.folds)} folds. The standard deviation over seeds is "
        "under details.",
    )


LINEAR = Control(
    key="linear_nulls",
    title="Permuted labels, linear",
    what="Labels are permuted once for all trials at their independent unit; every fold is trained "
    "on them and scored against them.",
    decoder="linear discriminants, trained again each time",
    expected=CHANCE,
    report=_linear,
    tasks=_linear_tasks,
)

ENCODER = Control(
    key="encoder_nulls",
    title="Permuted labels, the run's encoder",
    what="The same with the run's own encoder, as often as there is time for.",
    decoder="the run's own, trained again each time",
    expected=CHANCE,
    report=_nulls,
    tasks=_null_tasks,
)

SEEDS = Control(
    key="seeds",
    title="Other seeds",
    what="The run's own encoder is trained again with other seeds.",
    decoder="the run's own, trained again",
    expected=RESULT,
    report=_seeds,
    tasks=_seed_tasks,
)

CONTROLS = (LINEAR, ENCODER, SEEDS)
