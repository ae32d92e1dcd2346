from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from phosphene.cli.ablate import plan_variants
from phosphene.cli.series import train_series
from phosphene.cli.shared_stages import copy_stages, sharing
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir


@dataclass(frozen=True, kw_only=True)
class Config:
    seed: int = 0


def test_copying_goes_on_where_it_was_cut_off_and_keeps_what_is_there(tmp_path):
    source, run = RunDir(tmp_path / "source"), RunDir(tmp_path / "run")
    for name in ("encoder/1.pt", "encoder/.1.pt.x.tmp", "judge/1.pt", "other/1.pt"):
        source.write_bytes(f"folds/a/{name}", lambda file: file.write(b"source"))
    run.write_bytes("folds/a/judge/1.pt", lambda file: file.write(b"own"))
    run.write_bytes("folds/a/.encoder.copying/half.pt", lambda file: file.write(b"half"))
    copy_stages(source, run, ("encoder", "judge", "domain"))
    files = sorted(p.relative_to(run.path).as_posix() for p in run.path.rglob("*.*") if p.is_file())
    assert files == ["copied.json", "folds/a/encoder/1.pt", "folds/a/judge/1.pt"]
    assert (run.path / "folds/a/judge/1.pt").read_bytes() == b"own"


def test_a_recipe_that_shares_nothing_trains_as_ever(tmp_path):
    recipe = Recipe(
        key="fake_2020", title="", task="signal to picture", paper="", url="", wants="",
        presets={"quick": Config}, published={}, train=list, evaluate=list, module_folder=Path(),
    )  # fmt: skip
    assert sharing(recipe, RunDir(tmp_path)) is recipe
    assert sharing(replace(recipe, shared_stages=("encoder",)), RunDir(tmp_path)) is not recipe


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A simulated data set: 240 trials of four digits in four recordings."""
    from phosphene.cli.data_simulate import simulate_dataset
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation

    root = tmp_path_factory.mktemp("digits")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            patch.setenv(name, str(root / "cache"))
        images = digits_images(16, seed=0)
        images = images.select(np.flatnonzero(images.labels < 4)).with_classes(images.classes[:4])
        simulation = EEGSimulation(
            montage="muse", n_trials=240, n_subjects=2, n_recordings=2, effect=3.0
        )
        simulate_dataset(simulation, out=root / "data", images=images)
    return root / "data"


@pytest.mark.slow
def test_copied_stages_give_the_scores_of_training_them_again(digits, tmp_path):
    from phosphene.recipes import get_recipe

    found = get_recipe("eeg2image_2023")
    stages = ("encoder", "compared_encoder", "judge", "domain", "decoding.npz", "null.npz")
    recipe = replace(
        found,
        ablations={"neither": {"mode_seeking": 0.0, "augment": ()}},
        shared_stages=found.shared_stages or (*stages, "linear_null.npz"),
    )
    out = {"copied": tmp_path / "copied", "alone": tmp_path / "alone"}
    for folder in out.values():
        planned = plan_variants(
            recipe, "smoke", replace(recipe.config("smoke"), guidance=0.0), out=folder, seeds=[0]
        )
        copies = folder == out["copied"]
        assert train_series(planned, data=digits, shares=lambda *pair, c=copies: c) == []
    name = "eeg2image_2023-smoke-neither-seed0"
    copied, alone = (RunDir(folder / name) for folder in out.values())
    assert copied.has("copied.json")
    assert not alone.has("copied.json")
    assert copied.read_json("scores.json") == alone.read_json("scores.json")
    unchanged = RunDir(out["alone"] / "eeg2image_2023-smoke-unchanged-seed0")
    assert unchanged.read_json("scores.json") != alone.read_json("scores.json")
