"""A run folder that looks real: digits as pictures, Gaussian clusters as features."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

DIGIT_NAMES = tuple("0123456789")


@dataclass(frozen=True, kw_only=True)
class FakeRun:
    """What `write_fake_run` needs to know."""

    classes: tuple[str, ...] = DIGIT_NAMES
    n_chans: int = 14
    size: int = 32
    color: int = 1
    n_recordings: int = 5
    n_trials: int = 500
    effect: float = 3.4
    pairing: str = "class-only"
    stage: str = "finished"
    """"started", "decoding" (no pictures yet) or "finished"."""
    broken_control: bool = False
    seed: int = 0


def write_fake_run(path, fake: FakeRun):
    """Write every file that the contract names, as far as the stage has come."""
    from phosphene.run_dir import RunDir

    rng = np.random.default_rng(fake.seed)
    run = RunDir.create(path)
    _write_settings(run, fake)
    if fake.stage == "started":
        return run
    _write_signals(run, fake, rng)
    labels, features, probabilities, decoded, recording = _decode(fake, rng)
    trial = np.array([f"{index:016x}" for index in range(len(labels))])
    folds = ["all"] if fake.n_recordings == 1 else np.unique(recording).tolist()
    for key in folds:
        chosen = slice(None) if key == "all" else recording == key
        arrays = {
            "trial": trial[chosen],
            "labels": labels[chosen],
            "probabilities": probabilities[chosen],
            "features": features[chosen],
            "recording": recording[chosen],
        }
        run.write_arrays(f"folds/{key}/decoding.npz", arrays)
    run.write_json(
        "split.json",
        {
            "unit": "recording",
            "seed": 0,
            "sha256": "5f" * 32,
            "leak_reason": None,
            "folds": [
                {
                    "key": key,
                    "train": trial[recording != key].tolist(),
                    "test": trial[recording == key].tolist(),
                }
                for key in folds
            ],
            "pictures": {"generator": ["a"] * 800, "judge": ["b"] * 500},
        },
    )
    scores = _decoding_scores(fake, labels, decoded)
    last = folds[-1]
    chosen = np.arange(len(labels)) if last == "all" else np.flatnonzero(recording == last)
    thumbs = fake.stage == "finished"
    _write_map(run, fake, last, features[chosen], labels[chosen], decoded[chosen], thumbs, rng)
    if fake.stage == "finished":
        _write_pictures(run, fake, last, labels[chosen], decoded[chosen], trial[chosen], rng)
        scores += _picture_scores(last)
    run.write_json("scores.json", scores)
    _write_log(run, fake, folds, rng)
    return run


def _write_settings(run, fake):
    run.write_json(
        "config.json",
        {
            "recipe": "eeg2image_2023",
            "preset": "quick",
            "data": "digits",
            "config": {
                "encoder": {"name": "compact_cnn", "n_features": 64, "n_steps": 2000, "lr": 3e-4},
                "generator": {"size": fake.size, "n_steps": 4000, "lr": 1e-4, "width": 16},
                "objective": "softmax + triplet",
                "policy": ["color", "translation"],
                "resume": False,
            },
        },
    )
    run.write_environment(data_hash="c0ffee" * 10 + "abcd", seed=0)
    stage = {"started": "encoder", "decoding": "generator"}.get(fake.stage, "done")
    run.write_json("state.json", {"stage": stage, "finished": fake.stage == "finished"})
    n_classes = len(fake.classes)
    ceiling = {
        "accuracy": 0.93,
        "low": 0.926,
        "high": 0.934,
        "n": 20000,
        "chance": 1 / n_classes,
        "method": "known class-conditional distributions",
    }
    run.write_json(
        "dataset.json",
        {
            "n_trials": fake.n_trials,
            "sfreq": 128.0,
            "ch_names": [f"E{index + 1}" for index in range(fake.n_chans)],
            "trials_per_class": {name: fake.n_trials // n_classes for name in fake.classes},
            "mains": 50.0,
            "info": {
                "name": "digits",
                "origin": "simulated",
                "classes": list(fake.classes),
                "pairing": {"kind": fake.pairing, "reason": "stimulus ids are not recorded"},
                "ceiling": ceiling if n_classes > 2 else None,
            },
        },
    )


def _write_signals(run, fake, rng):
    n_classes, times = len(fake.classes), np.linspace(-0.1, 0.8, 116)
    peaks = rng.uniform(0.1, 0.4, (n_classes, 1, 1))
    gains = rng.normal(1, 0.6, (n_classes, fake.n_chans, 1))
    gains *= np.linspace(2, 0.3, fake.n_chans)[:, None]
    mean = 1e-6 * gains * 3 * np.exp(-(((times - peaks) / 0.05) ** 2))
    mean += 4e-7 * np.cumsum(rng.normal(0, 0.3, mean.shape), axis=-1) / 4
    half = 8e-7 * np.ones_like(mean)
    names = np.array([f"E{index + 1}" for index in range(fake.n_chans)])
    bands = {"low": mean - half, "high": mean + half}
    run.write_arrays("evoked.npz", {"times": times, "mean": mean, **bands, "ch_names": names})
    freqs = np.arange(0, 64.5, 0.5)
    psd = 1e-11 / (freqs + 1) * rng.uniform(0.5, 2, (fake.n_chans, 1))
    psd *= rng.uniform(0.8, 1.2, (1, 129))
    psd += 6e-12 * np.exp(-(((freqs - 10) / 1.5) ** 2)) + 2e-11 * (freqs == 50)
    run.write_arrays("spectrum.npz", {"freqs": freqs, "psd": psd})


def _decode(fake, rng):
    n_classes = len(fake.classes)
    labels = np.sort(np.arange(fake.n_trials) % n_classes)
    labels = rng.permutation(labels)
    centres = rng.normal(0, 1, (n_classes, 16))
    centres *= fake.effect / np.linalg.norm(centres, axis=1, keepdims=True)
    features = centres[labels] + rng.normal(0, 1.0, (fake.n_trials, 16))
    distance = ((features[:, None] - centres) ** 2).sum(axis=2)
    odds = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / 2)
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    recording = np.array([f"subject1_session1_{1 + i}" for i in range(fake.n_recordings)])
    recording = recording[np.arange(fake.n_trials) % fake.n_recordings]
    return labels, features.astype(np.float32), probabilities, probabilities.argmax(1), recording


@cache
def _digits():
    from sklearn.datasets import load_digits

    return load_digits()


def _digit_pictures(fake, label, n_pictures, rng):
    from PIL import Image

    digits = _digits()
    pool = digits.images[digits.target == label % 10] / 16
    chosen = pool[rng.integers(len(pool), size=n_pictures)]
    noisy = np.clip(chosen + rng.normal(0, 0.05, chosen.shape), 0, 1)
    side = (fake.size, fake.size)
    scaled = [Image.fromarray((255 * p).astype("uint8")).resize(side, 3) for p in noisy]
    grey = np.stack([np.asarray(p) for p in scaled])[..., None]
    if fake.color == 1:
        return grey
    tint = np.random.default_rng(label).uniform(0.35, 1, 3)
    texture = rng.normal(0, 8, (*grey.shape[:3], 3))
    return np.clip(grey * tint + 30 + texture, 0, 255).astype("uint8")


def _write_map(run, fake, key, features, labels, decoded, thumbs, rng):
    from sklearn.decomposition import PCA

    flat = PCA(2, random_state=0).fit_transform(features)  # as a map: faster than t-SNE
    arrays = {"tsne": flat.astype(np.float32), "labels": labels, "decoded": decoded}
    if thumbs:
        index = np.arange(min(60, len(labels)))
        arrays["thumb_index"] = index
        arrays["thumbs"] = np.concatenate(
            [_digit_pictures(fake, decoded[i], 1, rng) for i in index]
        )
    run.write_arrays(f"folds/{key}/map.npz", arrays)


def _write_pictures(run, fake, key, labels, decoded, trial, rng, n_draws=5):
    n_shown = min(60, len(labels))
    labels, decoded, trial = labels[:n_shown], decoded[:n_shown], trial[:n_shown]
    images = np.stack([_digit_pictures(fake, label, n_draws, rng) for label in decoded])
    judged = np.repeat(decoded[:, None], n_draws, axis=1)
    judged[rng.random(judged.shape) < 0.06] = 0
    run.write_arrays(
        f"folds/{key}/pictures.npz",
        {
            "images": images,
            "shown": np.concatenate([_digit_pictures(fake, c, 1, rng) for c in labels]),
            "nearest": np.concatenate([_digit_pictures(fake, c, 1, rng) for c in decoded]),
            "decoded": decoded,
            "labels": labels,
            "trial": trial,
            "judged": judged,
            "real": np.stack(
                [_digit_pictures(fake, label, 8, rng) for label in range(len(fake.classes))]
            ),
        },
    )


def _decoding_scores(fake, labels, decoded):
    n_classes = len(fake.classes)
    chance = 1 / n_classes
    luck = 1.96 * np.sqrt(chance * (1 - chance) / len(labels))
    accuracy = float((labels == decoded).mean())
    k_means = {"name": "k-means accuracy", "at": chance * 1.4}

    def score(value, method, role="result", name="balanced accuracy", at=chance, note="", **more):
        return {
            "name": name,
            "value": float(value),
            "low": max(0.0, float(value) - 0.025),
            "high": min(1.0, float(value) + 0.025),
            "n": len(labels),
            "unit": "trials",
            "chance": at,
            "chance_low": max(0.0, at - luck),
            "chance_high": at + luck,
            "role": role,
            "method": method,
            "split": "leave one recording out",
            "interval": "bootstrap over recordings",
            "note": note,
            **more,
        }

    broken = 0.3 if fake.broken_control else 0.4
    folds = [
        score(accuracy, "compact_cnn + softmax head", fold=f"subject1_session1_{index + 1}")
        for index in range(fake.n_recordings)
    ]
    return [
        score(accuracy, "compact_cnn + softmax head"),
        score(accuracy - 0.02, "compact_cnn + linear probe"),
        score(accuracy - 0.06, "shrinkage LDA", "baseline", note="1 to 30 Hz, about 64 Hz."),
        score(accuracy - 0.04, "lstm_two_layer, triplet", "baseline", note="published encoder"),
        score(
            chance + (luck * 2.5 if fake.broken_control else -0.3 * luck),
            "permuted labels",
            "control",
            note="Labels permuted within each recording; encoder and head trained again.",
        ),
        score(chance + broken * luck, "noise input", "control", note="Nothing is trained again."),
        score(0.985, "compact_cnn + softmax head", name="AUC", at=0.5),
        score(0.96, "shrinkage LDA", "baseline", name="AUC", at=0.5),
        score(0.502, "permuted labels", "control", name="AUC", at=0.5),
        score(0.81, "features of compact_cnn", **k_means),
        score(chance * 1.4, "shuffled features", "control", **k_means),
        *folds,
    ]


def _picture_scores(fold):
    def score(value, method, role="result", name="class consistency (decoded)", half=0.02, **more):
        return {
            "name": name,
            "value": value,
            "low": value - half,
            "high": value + half,
            "n": 1000,
            "unit": "pictures",
            "section": "pictures",
            "role": role,
            "method": method,
            "split": "leave one recording out",
            "extractor": "judge (PictureCNN)",
            "fold": fold,
            **more,
        }

    chance = {"chance": 0.1, "chance_low": 0.08, "chance_high": 0.12}
    shown = {"name": "class consistency (shown)", **chance}
    distance = {"name": "Fréchet distance[domain]", "half": 1.5, "higher_is_better": False}
    near = {"name": "nearest training distance", "half": 0.01}
    copies = {"name": "copied fraction", "half": 0.005, "higher_is_better": False}
    luck = {"chance": 0.01, "chance_low": 0.0, "chance_high": 0.02}
    return [
        score(0.94, "generated", **chance),
        score(0.105, "shuffled features", "control", note="Same generator.", **chance),
        score(0.95, "class label only", "control", note="No signal is used.", **chance),
        score(0.975, "real pictures", "reference", **chance),
        score(0.83, "generated", **shown),
        score(0.101, "shuffled features", "control", **shown),
        score(0.92, "class label only", "control", note="No signal is used.", **shown),
        score(7.4, "generated", name="IS[domain]"),
        score(8.9, "real pictures", "reference", name="IS[domain]"),
        score(23.4, "generated", **distance),
        score(2.1, "real pictures", "reference", **distance),
        score(0.152, "generated", **near),
        score(0.161, "held-out real pictures", "reference", **near),
        score(0.008, "generated", **copies, **luck),
    ]


def _write_log(run, fake, folds, rng):
    for fold in folds:
        for step in range(0, 2000, 40):
            loss = 2.3 * np.exp(-step / 500) + 0.2 + 0.1 * rng.normal()
            accuracy = min(1.0, 0.95 - 0.8 * np.exp(-step / 400) + 0.02 * rng.normal())
            at = {"stage": "encoder", "fold": fold, "step": step}
            run.log({**at, "loss": loss, "accuracy": accuracy})
    if fake.stage != "finished":
        return
    for step in range(0, 4000, 10):
        run.log(
            {
                "stage": "generator",
                "fold": folds[-1],
                "step": step,
                "loss_discriminator": 0.7 + 0.3 * np.exp(-step / 900) + 0.12 * rng.normal(),
                "loss_generator": 0.5 * rng.normal() + 0.4 + step / 4000,
                "mode_seeking": 1.2 + 4 * np.exp(-step / 100) + 0.1 * abs(rng.normal()),
                "pictures_per_second": 80.0,
            }
        )


@pytest.fixture(scope="session")
def make_run(tmp_path_factory):
    """Return a function that writes a fake run folder from the fields of `FakeRun`."""

    def make(**fields):
        return write_fake_run(tmp_path_factory.mktemp("runs") / "run", FakeRun(**fields))

    return make


@pytest.fixture(scope="session")
def finished_run(make_run):
    """Return a run of ten classes that has ended."""
    return make_run()


def _windows(rng, slope, n_windows, n_chans, n_times):
    """Return z-scored autoregressive noise that neighbouring channels share."""
    noise = rng.normal(size=(n_windows, n_chans, n_times))
    for chan in range(1, n_chans):
        noise[:, chan] = 0.9 * noise[:, chan - 1] + 0.5 * noise[:, chan]
    for time in range(1, n_times):
        noise[..., time] += slope * noise[..., time - 1]
    return (noise / noise.std(axis=(1, 2), keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def make_signal_run(tmp_path_factory):
    """Return a function that writes a run from pictures to signals; slopes are by system."""
    from phosphene.evaluation.signals.summary import summarise
    from phosphene.run_dir import RunDir

    def make(scores=(), *, n_chans=6, n_times=40, size=(12, 16), **slopes):
        run, rng = RunDir.create(tmp_path_factory.mktemp("runs")), np.random.default_rng(0)
        index, folder = [], "folds/pictures"
        names = [f"natural_scene_{number:03d}" for number in (25, 43)]
        sets = [("train", ""), ("test", ""), *(("picture", name) for name in names)]
        for system, slope in {"real": 0.95, **(slopes or {"GAN": 0.5, "noise": 0.0})}.items():
            for of, picture in sets:
                file = f"{len(index)}.npz"
                index.append({"file": file, "system": system, "set": of, "picture": picture})
                arrays = summarise(_windows(rng, slope, 60, n_chans, n_times), sfreq=1250.0)
                run.write_arrays(f"{folder}/summaries/{file}", arrays)
        run.write_json(f"{folder}/summaries/index.json", index)
        shown = rng.integers(0, 256, (2, *size), dtype=np.uint8)
        run.write_arrays(f"{folder}/shown.npz", {"picture": shown, "stimulus": np.array(names)})
        pairs = {"real": arrays["examples"], "autoencoder": 0.5 * arrays["examples"]}
        pairs |= {"picture": shown, "picture_autoencoder": shown // 2}
        run.write_arrays(f"{folder}/reconstructions.npz", pairs)
        mean, rest = arrays["spectrum_mean"], {"steps": [10, 1000], "freqs": arrays["freqs"]}
        progress = {"spectrum_mean": np.stack([mean / 3, mean]), "real_spectrum_mean": mean}
        run.write_arrays(f"{folder}/progress.npz", {**rest, **progress})
        ch_names = [f"LFP{number}" for number in range(n_chans)]
        run.write_json("dataset.json", {"ch_names": ch_names, "sfreq": 1250.0})
        run.write_json("state.json", {"stage": "done", "finished": True})
        run.write_json("scores.json", list(scores))
        return run

    return make
