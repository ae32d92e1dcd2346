import numpy as np

from phosphene.recipes.human_mind_2017.scoring import score_run
from phosphene.run_dir import RunDir


def write(run, *, chosen):
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(3), 20)
    probabilities = 0.8 * np.eye(3)[labels] + 0.2 / 3
    folds = [{"key": "a", "train": [], "test": []}]
    run.write_json(
        "split.json", {"unit": "recording", "leak_reason": None, "doubt": "odd", "folds": folds}
    )
    run.write_json("dataset.json", {"design": {"unit": "trial"}})
    arrays = {
        "labels": labels,
        "recording": np.repeat(["r1", "r2"], 30),
        "block": np.full(60, ""),
        "features": rng.normal(size=(60, 4)) + 5 * np.eye(3, 4)[labels],
        "probabilities": probabilities,
        "lda_probabilities": np.full((60, 3), 1 / 3),
        "noise_probabilities": np.full((60, 3), 1 / 3),
        "chosen_step": np.full(60, chosen),
    }
    run.write_arrays("folds/a/decoding.npz", arrays)


def test_scores_follow_from_the_arrays(tmp_path, smoke):
    run = RunDir(tmp_path)
    write(run, chosen=0)
    scores = {(s.name, s.method, s.fold): s for s in score_run(run, smoke)}
    assert scores["balanced accuracy", "lstm, softmax head", "all"].value == 1
    assert scores["AUC", "shrinkage LDA", "all"].value == 0.5
    assert scores["k-means accuracy", "lstm", "all"].value > 0.9
    assert scores["balanced accuracy", "lstm, softmax head", "r2"].n == 30
    assert {s.note.split(";")[0] for s in scores.values()} == {"doubt: odd"}


def test_scores_say_what_chose_the_weights(tmp_path, smoke):
    run = RunDir(tmp_path)
    write(run, chosen=40)
    by_method = {s.method: s.selected_on for s in score_run(run, smoke)}
    assert by_method["lstm, softmax head"] == "validation trials of the split"
    assert by_method["noise input: lstm"] == "validation trials of the split"
    assert by_method["shrinkage LDA"] == "nothing (last step)"


def test_nothing_decoded_gives_no_scores(tmp_path, smoke):
    run = RunDir(tmp_path)
    write(run, chosen=0)
    (tmp_path / "folds" / "a" / "decoding.npz").unlink()
    assert score_run(run, smoke) == []
