"""A restorer that learnt nothing, and run folders of restoration, for tests of what uses them."""

from types import SimpleNamespace

import pytest

SIZE, COLOR = (12, 10), 1
CORRUPTION = "lower_half+salt_pepper:0.1"
SYSTEMS = ("CNN-CNN with bottleneck", "CNN-LSTM")
"""Of the hand-made runs; the last one is the recipe's own."""
BASELINES = ("corrupted picture", "mean picture", "total variation")
SECONDS = {"CNN-CNN with bottleneck": 0.02, "CNN-LSTM": 0.05}


@pytest.fixture(scope="session")
def restorer(tmp_path_factory):
    """A bundle with a CNN-LSTM of few units that is not trained, and its parts."""
    from phosphene.export.networks import build_network
    from phosphene.export.picture_to_picture import PictureToPicture
    from phosphene.export.restoration_bundle import save_restoration_bundle
    from phosphene.training.seeding import seeded

    settings = {"size": list(SIZE), "color": COLOR, "hidden": 5, "n_layers": 2, "n_code": 7}
    network = {"network": "CNNLSTM", "settings": settings}
    with seeded(0):
        system = PictureToPicture(
            build_network(network), size=SIZE, color=COLOR, corruption=CORRUPTION
        )
    more = {"recipe": "none", "name": "CNN-LSTM", "citation": "", "fold": "pictures"}
    folder = tmp_path_factory.mktemp("restorer") / "bundle"
    save_restoration_bundle(
        folder, system, spec={**more, "network": network}, card="Not trained.\n"
    )
    return SimpleNamespace(folder=folder, system=system, network=network)


@pytest.fixture(scope="session")
def make_restoration_run(tmp_path_factory):
    """Write a run folder as a course of restoration leaves it: digits of scikit-learn."""

    def make(**changes):
        return write_restoration_run(tmp_path_factory.mktemp("runs") / "digits", **changes)

    return make


def write_restoration_run(
    path, *, finished=True, seed=0, gain=0.5, recipe="cnn_lstm_2018", equal_time=True, n=40
):
    """Write the files that the report reads; restorations mix the original with what was given.

    `gain` is the share of the original in what the last system makes, 0.3 in that of the other.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    from phosphene.run_dir import RunDir

    rng = np.random.default_rng(seed)
    values, labels = load_digits(return_X_y=True)
    original = (np.asarray(values)[:n].reshape(n, 8, 8, 1) * 15).astype(np.uint8)
    missing = np.zeros((n, 8, 8), dtype=bool)
    missing[:, 4:] = True
    corrupted = np.where(missing[..., None], 0, original).astype(np.uint8)
    names = np.array([f"digit_{row:03d}" for row in range(n)])
    run = RunDir.create(path)
    settings = {"seed": seed, "split_seed": 0, "corruption": CORRUPTION, "iterations": 200}
    run.write_json(
        "config.json",
        {"recipe": recipe, "preset": "quick", "data": "digits", "config": settings},
    )
    run.write_environment(data_hash="d1" * 32, seed=seed)
    run.write_json("state.json", {"stage": "done", "finished": finished})
    run.write_json("dataset.json", {"name": "digits", "classes": [str(k) for k in range(10)]})
    fold = {"key": "pictures", "train": ["a", "b", "c"], "test": names.tolist()}
    run.write_json(
        "split.json", {"unit": "picture", "seed": 0, "sha256": "5f" * 32, "folds": [fold]}
    )
    run.write_json("networks.json", {"classifier": {"network": "PictureCNN", "digest": "ab" * 8}})
    arrays = {
        "original": original,
        "corrupted": corrupted,
        "missing": missing,
        "label": np.asarray(labels)[:n],
        "image_id": names,
    }
    run.write_arrays("folds/pictures/test.npz", arrays)
    if not finished:
        return run
    run.write_json("timings.json", {"train_s": {"CNN-LSTM": 9.0}, "seconds_per_iteration": SECONDS})
    systems = []
    for name, share, times in zip(SYSTEMS, (0.3, gain), (500, 200), strict=True):
        slug = name.lower().replace(" ", "-")
        systems.append(
            {
                "name": name,
                "slug": slug,
                "iterations": 200,
                "iterations_equal_time": times if equal_time else None,
                "seconds_per_iteration": SECONDS[name],
                "n_parameters": 1234 if name == "CNN-LSTM" else 5678,
                "learning_rate": 0.001,
                "tuning": {
                    "steps": 50,
                    "runs": 1,
                    "n_validation": 10,
                    "losses": {"0.0003": [0.3], "0.001": [0.2], "0.003": [0.25]},
                },
            }
        )
        for kind in ("iterations", "time") if equal_time else ("iterations",):
            made = (share * original + (1 - share) * corrupted).astype(np.uint8)
            content = {"restored": made, "index": np.arange(n)}
            run.write_arrays(f"folds/pictures/restored/{slug}.{kind}.npz", content)
        for step in range(10, 1 + (times if equal_time else 200), 10):
            loss = 0.5 - 0.03 * np.log(step) + 0.01 * rng.normal()
            run.log({"stage": name, "fold": "pictures", "step": step, "loss": float(loss)})
        run.log({"stage": f"{name}, learning rate 0.001", "step": 10, "loss": 0.4})
        run.log({"stage": f"{name}, learning rate 0.001", "step": 20, "loss": 0.3})
    run.write_json("folds/pictures/systems.json", systems)
    for name in BASELINES:
        index = np.arange(0, n, 2) if name == "total variation" else np.arange(n)
        content = {"restored": corrupted[index], "index": index}
        run.write_arrays(f"folds/pictures/restored/{name.replace(' ', '-')}.npz", content)
    run.write_json("scores.json", _scores(n, gain, equal_time=equal_time))
    return run


def _scores(n, gain, *, equal_time):
    from phosphene.score import Score, scores_to_json

    def score(name, value, method, fold, *, role="result", wide=0.01):
        return Score(
            name=name,
            value=value,
            low=value - wide,
            high=value + wide,
            n=n,
            unit="pictures",
            section="restoration",
            role=role,
            method=method,
            fold=fold,
            higher_is_better=not name.startswith("RMSE"),
            split="pictures held out",
            selected_on="validation pictures",
        )

    scores = []
    folds = ("equal iterations", "equal time") if equal_time else ("equal iterations",)
    for fold in folds:
        for method, share in zip(SYSTEMS, (0.3, gain), strict=True):
            for part, scale in (("whole", 0.5), ("visible", 0.1), ("missing", 0.4)):
                scores.append(score(f"RMSE[{part}]", scale * (1 - share), method, fold))
                scores.append(score(f"PSNR[{part}]", 20 + 10 * share, method, fold, wide=0.5))
                scores.append(score(f"SSIM[{part}]", share, method, fold))
            scores.append(score("accuracy of the classifier", 0.4 + share, method, fold))
        name, method = "RMSE[missing] difference", f"{SYSTEMS[1]} - {SYSTEMS[0]}"
        scores.append(score(name, 0.4 * (0.3 - gain), method, fold))
    for method in BASELINES:
        scores.append(score("RMSE[missing]", 0.4, method, "all", role="baseline"))
        scores.append(score("accuracy of the classifier", 0.3, method, "all", role="baseline"))
    scores.append(
        score("accuracy of the classifier", 0.97, "original picture", "all", role="reference")
    )
    return scores_to_json(scores)
