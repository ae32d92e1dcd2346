"""How a decoder finds what is not there: simulated recordings, each mistake beside its remedy.

    python benchmarks/fooling.py            all demonstrations, ten seconds on one core
    python benchmarks/fooling.py --seeds 5  each on five simulations
    python benchmarks/fooling.py --json FILE

No picture has any effect on these signals, except in the last demonstration. Numbers are balanced
accuracies of two classes, chance is 0.5; the decoders are those of `phosphene.experiment.controls`.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports numpy

import numpy as np

from phosphene.cli.data_simulate import simulate_dataset
from phosphene.data.dataset import Dataset, load_recordings
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.simulate.pictures import digits_images
from phosphene.data.simulate.settings import EEGSimulation
from phosphene.data.splits import k_fold, leave_one_group_out
from phosphene.data.trials import Trials
from phosphene.evaluation.confusion import confusion_matrix, mean_recall
from phosphene.evaluation.grouped_lda import grouped_lda
from phosphene.evaluation.probes import shrinkage_lda
from phosphene.evaluation.repetitions import average_repetitions
from phosphene.experiment.controls.leaking import state_features
from phosphene.experiment.controls.linear import GROUPED, LDA, decode_rows
from phosphene.experiment.controls.recut import pre_stimulus, through_band

N_RECORDINGS = 6
EPOCHS = Preprocessing(band=(0.5, 40.0), resample=None, tmax=0.6)
UNFILTERED = Preprocessing(band=None, resample=None, tmax=0.6)
Row = tuple[str, str, float, str, float]
"""Demonstration; the mistake and what it gives; the remedy and what it gives."""


def simulate(folder: Path, *, seed: int, epochs: Preprocessing = EPOCHS, **settings) -> Dataset:
    """Simulate two classes of digits in six recordings of one wearer of a Muse headband."""
    images = digits_images(16, seed=seed)
    images = images.select(np.flatnonzero(images.labels < 2)).with_classes(images.classes[:2])
    sizes = {"montage": "muse", "n_trials": 420, "effect": 0.0}
    simulation = EEGSimulation(
        **{**sizes, **settings}, n_subjects=1, n_recordings=N_RECORDINGS, seed=seed
    )
    name = f"data{len(list(folder.iterdir()))}"
    return simulate_dataset(simulation, out=folder / name, epochs=epochs, images=images)


def accuracy(trials: Trials, folds, *, decoder: str = LDA) -> float:
    """Return the balanced accuracy over folds of (training, test) positions."""
    found = decode_rows(trials, folds, decoder=decoder)
    return recall(trials.labels[found["row"]], found["probabilities"].argmax(1))


def recall(labels: np.ndarray, decoded: np.ndarray) -> float:
    """Return the balanced accuracy of decisions."""
    return mean_recall(confusion_matrix(labels, decoded, n_classes=2))


def windows(trials: Trials, *, seed: int = 0):
    """Return six folds of single trials."""
    return [fold.indices(trials) for fold in k_fold(trials, N_RECORDINGS, seed=seed).folds]


def recordings(trials: Trials):
    """Return folds of one recording each."""
    return [fold.indices(trials) for fold in leave_one_group_out(trials).folds]


def blocked(folder: Path, seed: int) -> list[Row]:
    """Show each class in one block of a recording."""
    rows = []
    for epochs, words in ((UNFILTERED, "unfiltered"), (EPOCHS, "0.5-40 Hz")):
        trials = simulate(folder, seed=seed, epochs=epochs, order="blocked").trials
        wrong = accuracy(trials, windows(trials), decoder=GROUPED)
        right = accuracy(trials, recordings(trials), decoder=GROUPED)
        rows.append((f"a block per class, {words}", "random windows", wrong, "recordings", right))
    return rows


def high_pass(folder: Path, seed: int) -> list[Row]:
    """Filter a blocked design: what was drift goes, what was gain and hum stays."""
    dataset = simulate(folder, seed=seed, epochs=UNFILTERED, order="blocked")
    waves, states = {}, {}
    for name in ("no filter", "14-70 Hz"):
        trials, _ = through_band(dataset, name)
        folds = windows(trials)
        waves[name] = accuracy(trials, folds, decoder=GROUPED)
        features = state_features(np.asarray(trials.epochs))[:, :, None]
        groups = trials.table["recording"].to_numpy(dtype=str)
        decoded = np.empty(len(trials), dtype=np.int64)
        for train, test in folds:
            probe = grouped_lda(features[train], trials.labels[train], groups[train], n_classes=2)
            decoded[test] = probe.predict_proba(features[test]).argmax(1)
        states[name] = recall(trials.labels, decoded)
    return [
        (
            f"a block per class, random windows, {what}",
            "no filter",
            found["no filter"],
            "above 14 Hz",
            found["14-70 Hz"],
        )
        for what, found in (("waveforms", waves), ("variances", states))
    ]


def random_windows(folder: Path, seed: int) -> list[Row]:
    """Cut overlapping windows from recordings of one class each, and split them at random."""
    rng = np.random.default_rng(seed)
    dataset = simulate(folder, seed=seed, order="randomised", n_trials=120)
    epochs, labels, groups = [], [], []
    for number, each in enumerate(load_recordings(dataset.path or folder)):
        for start in range(0, each.n_samples - 64, 16):  # half-second windows, three quarters alike
            epochs.append(np.asarray(each.signal[:, start : start + 64]))
            labels.append(number % 2)  # the recording is "of" one class
            groups.append(number)
    signals, classes, group = np.stack(epochs), np.array(labels), np.array(groups)
    order = rng.permutation(len(classes)) % N_RECORDINGS
    found = []
    for part in (order, group):
        decoded = np.empty(len(classes), dtype=np.int64)
        for fold in range(N_RECORDINGS):
            train, test = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
            names = group[train]
            known, index = np.unique(names, return_inverse=True)
            probe = shrinkage_lda(signals[train], index.astype(np.int64), n_classes=len(known))
            votes = probe.predict_proba(signals[test]) @ np.eye(2)[known % 2]
            decoded[test] = votes.argmax(1)
        found.append(recall(classes, decoded))
    return [
        ("overlapping windows, a class per recording", "random windows", found[0], "recordings",
         found[1])
    ]  # fmt: skip


def averages(folder: Path, seed: int) -> list[Row]:
    """Average random trials of a class before the split, so that averages share trials."""
    trials = simulate(folder, seed=seed, order="randomised").trials
    rng = np.random.default_rng(seed)
    epochs = np.asarray(trials.epochs)
    per_class = [np.flatnonzero(trials.labels == c) for c in range(2)]
    groups = np.stack([rng.choice(per_class[k % 2], 20, replace=False) for k in range(400)])
    pseudo, labels = average_repetitions(epochs, groups), np.arange(400) % 2
    part = np.arange(400) // 2 % N_RECORDINGS
    decoded = np.empty(400, dtype=np.int64)
    for fold in range(N_RECORDINGS):
        train = part != fold
        probe = shrinkage_lda(pseudo[train], labels[train], n_classes=2)
        decoded[~train] = probe.predict_proba(pseudo[~train]).argmax(1)
    right = []
    for train, test in recordings(trials):
        some = [
            rng.permutation(rows) for c in range(2) for rows in [test[trials.labels[test] == c]]
        ]
        held = np.concatenate([rows[: len(rows) // 20 * 20].reshape(-1, 20) for rows in some])
        probe = shrinkage_lda(epochs[train], trials.labels[train], n_classes=2)
        found = probe.predict_proba(average_repetitions(epochs, held)).argmax(1)
        right.append((trials.labels[held[:, 0]], found))
    return [
        ("20 trials averaged", "before the split", recall(labels, decoded), "after it",
         recall(*(np.concatenate(part) for part in zip(*right, strict=True))))
    ]  # fmt: skip


def chosen_features(folder: Path, seed: int) -> list[Row]:
    """Choose the samples that part the classes best, on all trials or in training trials."""
    trials = simulate(
        folder, seed=seed, order="randomised", n_trials=120, montage="emotiv14"
    ).trials
    rows, labels = np.asarray(trials.epochs).reshape(len(trials), -1), trials.labels

    def best(chosen: np.ndarray) -> np.ndarray:
        some, mine = rows[chosen], labels[chosen]
        gap = some[mine == 0].mean(axis=0) - some[mine == 1].mean(axis=0)
        return np.argsort(-np.abs(gap) / some.std(axis=0))[:20]

    everything, found = best(np.arange(len(rows))), []
    for choose in (lambda train: everything, best):
        decoded = np.empty(len(rows), dtype=np.int64)
        for train, test in recordings(trials):
            picked = choose(train)
            probe = shrinkage_lda(rows[train][:, None, picked], labels[train], n_classes=2)
            decoded[test] = probe.predict_proba(rows[test][:, None, picked]).argmax(1)
        found.append(recall(labels, decoded))
    return [("20 features chosen", "on all trials", found[0], "in training trials", found[1])]


def chosen_decoder(folder: Path, seed: int) -> list[Row]:
    """Keep the best of forty decoders on the test trials."""
    trials = simulate(folder, seed=seed, order="randomised", n_trials=120).trials
    rng = np.random.default_rng(seed)
    epochs, scores = np.asarray(trials.epochs), []
    for _ in range(40):  # window and channels as a search would try them
        start = rng.integers(0, trials.n_times - 12)
        chans = rng.permutation(trials.n_chans)[: rng.integers(1, trials.n_chans + 1)]
        some = epochs[:, chans, start : start + 12]
        decoded = np.empty(len(trials), dtype=np.int64)
        for train, test in recordings(trials):
            probe = shrinkage_lda(some[train], trials.labels[train], n_classes=2)
            decoded[test] = probe.predict_proba(some[test]).argmax(1)
        scores.append(recall(trials.labels, decoded))
    return [("40 windows and montages tried", "the best", max(scores), "their mean",
             float(np.mean(scores)))]  # fmt: skip


def before_the_onset(folder: Path, seed: int) -> list[Row]:
    """Decode before the picture: a zero-phase filter brings the response there."""
    dataset = simulate(folder, seed=seed, order="randomised", effect=6.0, epochs=Preprocessing(
        band=(1.0, 30.0), resample=None, tmax=0.6))  # fmt: skip
    forward, _ = pre_stimulus(dataset)
    both_ways = simulate(folder, seed=seed, order="randomised", effect=6.0, epochs=Preprocessing(
        band=(1.0, 30.0), resample=None, tmin=-0.4, tmax=0.0)).trials  # fmt: skip
    return [
        (
            "a true effect, 0.4 s before the onset",
            "zero-phase filter",
            accuracy(both_ways, recordings(both_ways)),
            "forward filter",
            accuracy(forward, recordings(forward)),
        )
    ]


DEMONSTRATIONS: tuple[Callable[[Path, int], list[Row]], ...] = (
    blocked,
    high_pass,
    random_windows,
    averages,
    chosen_features,
    chosen_decoder,
    before_the_onset,
)


def main() -> None:
    """Print a table of all demonstrations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="simulations of each")
    parser.add_argument("--only", nargs="*", help="names of functions in this file")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    options = parser.parse_args()
    collected: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for demonstrate in DEMONSTRATIONS:
        if options.only and demonstrate.__name__ not in options.only:
            continue
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                for what, mistake, wrong, remedy, right in demonstrate(Path(folder), seed):
                    collected.setdefault((what, mistake, remedy), []).append((wrong, right))
    print("| nothing there | mistake | accuracy | remedy | accuracy |")
    print("|---|---|---|---|---|")
    for (what, mistake, remedy), pairs in collected.items():
        wrong, right = np.mean(pairs, axis=0)
        print(f"| {what} | {mistake} | {wrong:.2f} | {remedy} | {right:.2f} |")
    if options.json:
        rows = [
            {"what": what, "mistake": mistake, "remedy": remedy, "pairs": pairs}
            for (what, mistake, remedy), pairs in collected.items()
        ]
        options.json.write_text(json.dumps({"seeds": options.seeds, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
