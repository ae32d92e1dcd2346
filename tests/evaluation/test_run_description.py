from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.dataset import load_dataset
from phosphene.data.splits import k_fold, leave_one_group_out
from phosphene.evaluation.run_description import (
    blocks_of,
    check_permutable,
    describe_run,
    doubt_blocks,
    identity_arrays,
)
from phosphene.run_dir import RunDir


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Simulated trials of three classes in random order, two recordings, shown pictures known."""
    from phosphene.cli.data_simulate import simulate_dataset
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation

    root = tmp_path_factory.mktemp("description")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            patch.setenv(name, str(root / "cache"))
        images = digits_images(16, seed=0)
        images = images.select(images.labels < 3).with_classes(images.classes[:3])
        simulation = EEGSimulation(montage="muse", n_trials=90, n_subjects=1, n_recordings=2)
        simulate_dataset(simulation, out=root / "data", images=images)
    return load_dataset(root / "data")


def sorted_by_class(trials, *, blocks):
    """The same trials with classes in blocks."""
    table = trials.table
    order = np.lexsort([table["label"], table["recording"]])
    names = table["class_name"] if blocks else ""
    trials = replace(trials, table=table.assign(block=names))
    return trials.select(order)


def test_describes_data_and_split(dataset, tmp_path):
    run = RunDir(tmp_path)
    split = leave_one_group_out(dataset.trials)
    describe_run(run, dataset, split, seed=3, pictures={"generator": ["a"]})
    assert run.read_json("dataset.json")["design"]["unit"] == "trial"
    stored = run.read_json("split.json")
    assert stored["pictures"]["generator"] == ["a"]
    assert stored["pictures"]["shown_in_both"] >= 0
    assert run.read_json("environment.json")["seed"] == 3
    assert run.has("evoked.npz")
    assert run.has("spectrum.npz")
    describe_run(run, dataset, split, seed=3, pictures={"generator": ["a"]})


def test_refuses_to_go_on_with_other_data_or_another_split(dataset, tmp_path):
    run = RunDir(tmp_path)
    split = leave_one_group_out(dataset.trials)
    describe_run(run, dataset, split, seed=0)
    with pytest.raises(ValueError, match="the split it began with"):
        describe_run(run, dataset, k_fold(dataset.trials, 2), seed=0)
    other = replace(dataset, trials=dataset.trials.select(np.arange(80)))
    with pytest.raises(ValueError, match="the data it began with"):
        describe_run(run, other, split, seed=0)


def test_recordings_of_one_class_each_are_refused(dataset):
    trials = dataset.trials
    one_each = replace(
        trials, table=trials.table.assign(recording="only_" + trials.table["class_name"])
    )
    fold = k_fold(trials, 2).folds[0]
    with pytest.raises(ValueError, match=r"no recording allows it.*Record several classes"):
        check_permutable(one_each, fold, unit="trial")
    check_permutable(trials, fold, unit="trial")


@pytest.mark.parametrize("blocks", [True, False], ids=["named", "runs of labels"])
def test_a_block_on_both_sides_is_a_doubt(dataset, blocks):
    trials = sorted_by_class(dataset.trials, blocks=blocks)
    inside = doubt_blocks(replace(k_fold(trials, 2), doubt="old"), trials)
    assert inside.doubt.startswith("this is a blocked design (")
    assert "6 blocks hold training and test trials alike" in inside.doubt
    assert inside.doubt.endswith("; old")
    assert doubt_blocks(leave_one_group_out(trials), trials).doubt is None


def test_a_random_order_leaves_no_doubt(dataset):
    assert doubt_blocks(k_fold(dataset.trials, 2), dataset.trials).doubt is None


def test_identity_and_blocks(dataset):
    arrays = identity_arrays(dataset.trials)
    assert set(arrays) == {"labels", "trial", "recording", "block"}
    assert arrays["trial"].dtype.kind == "U"
    assert blocks_of(replace(dataset.trials, table=dataset.trials.table.assign(block=""))) is None
    named = replace(dataset.trials, table=dataset.trials.table.assign(block="b"))
    assert set(blocks_of(named)) == {"b"}
