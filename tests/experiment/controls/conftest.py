import shutil

import pytest

SMALL = {"n_nulls": 2, "n_seeds": 1, "minutes": 60, "n_permutations": 60, "n_linear_nulls": 20}


@pytest.fixture(scope="session")
def effort():
    """A few trainings of each kind."""
    from phosphene.experiment.controls.material import Effort

    return Effort(**SMALL)


@pytest.fixture(scope="session")
def copy_run(trained):
    """Copy the smoke run, so that what controls write stays apart."""
    from phosphene.run_dir import RunDir

    def copy(path):
        shutil.copytree(trained.run.path, path)
        return RunDir(path)

    return copy


@pytest.fixture(scope="session")
def controlled(copy_run, data_folder, effort, tmp_path_factory):
    """A run with all its controls, and what they say."""
    from phosphene.experiment.controls.course import run_controls
    from phosphene.recipes.eeg2image_2023 import RECIPE

    run = copy_run(tmp_path_factory.mktemp("controlled") / "run")
    content = run_controls(run, data=data_folder, plan_of=RECIPE.plan, effort=effort)
    return run, content


@pytest.fixture(scope="session")
def material(controlled, data_folder, effort):
    """The run and its data, opened."""
    from phosphene.experiment.controls.material import open_material
    from phosphene.recipes.eeg2image_2023 import RECIPE

    return open_material(controlled[0], data_folder, plan_of=RECIPE.plan, effort=effort)
