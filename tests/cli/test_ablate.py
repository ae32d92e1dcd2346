import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from phosphene.cli.ablate import plan_variants
from phosphene.cli.main import main
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir
from phosphene.score import scores_from_json


@dataclass(frozen=True, kw_only=True)
class Config:
    mode_seeking: float = 1.0
    augment: tuple[str, ...] = ("color",)
    image_size: int = 16
    split_seed: int = 0
    seed: int = 0


@pytest.fixture
def lab(write_result, tmp_path, monkeypatch):
    """A recipe with ablations whose trainings say which stages they found on disk."""
    calls = SimpleNamespace(trained=[], fail=())

    def train(config, *, data, run, **context):
        if run.path.name in calls.fail:
            raise ValueError("no.")
        found = run.has("folds/a/encoder/step.pt")
        calls.trained.append((run.path.name, found))
        run.write_bytes("folds/a/encoder/step.pt", lambda file: file.write(b"weights"))
        value = 0.6 + 0.1 * config.mode_seeking + 0.02 * config.seed
        write_result(run.path, value=value, config=None)
        return scores_from_json(run.read_json("scores.json"))

    off = {"mode_seeking": 0.0}
    calls.recipe = Recipe(
        key="fake_2020", title="", task="signal to picture", paper="", url="", wants="",
        presets={"quick": Config}, published={}, train=train, evaluate=list,
        ablations={"no mode seeking": off, "neither": {**off, "augment": ()}},
        shared_stages=("encoder", "decoding.npz"), module_folder=Path(),
    )  # fmt: skip
    plain = replace(calls.recipe, key="plain_2021", ablations={})
    known = {"fake_2020": calls.recipe, "plain_2021": plain}
    monkeypatch.setattr("phosphene.cli.ablate.find_recipes", lambda: known)
    monkeypatch.setattr("phosphene.reporting.report.write_report", lambda run: None)
    RunDir(tmp_path / "data").write_json("info.json", {"data_hash": "d1" * 8})
    calls.out = tmp_path / "out"
    calls.words = ["ablate", "fake_2020", "--data", str(tmp_path / "data"), "--out", str(calls.out)]
    return calls


def test_every_variant_is_trained_with_every_seed(lab, capsys):
    assert main([*lab.words, "--seeds", "0", "1"]) == 0
    names = [name.removeprefix("fake_2020-quick-") for name, _ in lab.trained]
    assert names == [
        f"{variant}-seed{seed}"
        for seed in (0, 1)
        for variant in ("unchanged", "no-mode-seeking", "neither")
    ]
    text = capsys.readouterr().out
    assert "0.700, 0.720" in text  # each seed below the mean
    found = json.loads((lab.out / "ablation.json").read_text())
    labels = [system["label"] for system in found["systems"]]
    assert labels == ["unchanged", "no mode seeking", "neither"]
    accuracy = [s["values"]["decoding"]["balanced accuracy"]["value"] for s in found["systems"]]
    assert accuracy == pytest.approx([0.71, 0.61, 0.61])


def test_variants_find_the_stages_of_the_first_of_their_seed(lab):
    assert main([*lab.words, "--seeds", "0", "1"]) == 0
    assert [found for _, found in lab.trained] == [False, True, True] * 2
    neither = RunDir(lab.out / "fake_2020-quick-neither-seed1")
    assert neither.read_json("copied.json") == {
        "from": "fake_2020-quick-unchanged-seed1",
        "stages": ["encoder", "decoding.npz"],
    }
    assert not RunDir(lab.out / "fake_2020-quick-unchanged-seed1").has("copied.json")


def test_without_sharing_every_stage_is_trained(lab):
    assert main([*lab.words, "--no-share"]) == 0
    assert [found for _, found in lab.trained] == [False] * 3


def test_a_variant_that_failed_is_no_source(lab):
    lab.fail = ("fake_2020-quick-unchanged-seed0",)
    assert main(lab.words) == 1
    assert [found for _, found in lab.trained] == [False, True]


def test_the_same_command_keeps_what_is_finished(lab):
    assert main([*lab.words, "--variants", "neither"]) == 0
    assert main(lab.words) == 0
    names = [name.removeprefix("fake_2020-quick-") for name, _ in lab.trained]
    assert names == ["neither-seed0", "unchanged-seed0", "no-mode-seeking-seed0"]
    assert [found for _, found in lab.trained] == [False, True, True]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--variants", "neiter"], "Did you mean 'neither'"),
        (["--set", "mode_seking=0"], "Did you mean 'mode_seeking'"),
        (["quik"], "`preset` must be 'quick'"),
    ],
)
def test_wrong_use_is_told_before_anything_is_trained(lab, words, message, capsys):
    assert main([*lab.words[:2], *words, *lab.words[2:]]) == 2
    assert message in capsys.readouterr().err
    assert lab.trained == []


def test_a_recipe_without_ablations_is_refused_with_those_that_have_some(lab, capsys):
    assert main(["ablate", "plain_2021", *lab.words[2:]]) == 2
    assert "Those with some: fake_2020." in capsys.readouterr().err


def test_an_ablation_that_changes_nothing_is_the_unchanged_one(lab, tmp_path):
    recipe = replace(lab.recipe, ablations={"both": {}, "neither": {"augment": ()}})
    planned = plan_variants(recipe, "quick", Config(), out=tmp_path, seeds=[0])
    assert [one.variant for one in planned] == ["both", "neither"]
