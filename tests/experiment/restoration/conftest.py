from dataclasses import replace

import pytest

from phosphene.recipes.cnn_lstm_2018.config import smoke


@pytest.fixture(scope="session")
def settings():
    return replace(smoke(), systems=("CNN-CNN with bottleneck", "CNN-LSTM"), equal_time=(3, 2))


@pytest.fixture(scope="session")
def pictures(settings, digits_folder):
    from phosphene.experiment.restoration.pictures import prepare_pictures

    return prepare_pictures(settings, digits_folder)


@pytest.fixture(scope="session")
def plan(settings):
    from phosphene.recipes.cnn_lstm_2018.run import make_plan

    return make_plan(settings)


@pytest.fixture
def run(settings, pictures, tmp_path):
    """A run folder with its test pictures."""
    from phosphene.experiment.restoration.pictures import describe_pictures
    from phosphene.run_dir import RunDir

    run = RunDir.create(tmp_path / "run")
    describe_pictures(run, pictures, settings)
    return run


@pytest.fixture
def watch(run):
    from phosphene.experiment.watch import Watch
    from phosphene.training.progress import SilentProgress

    return Watch(log=run.log, progress=SilentProgress(), fold="pictures")


@pytest.fixture
def judge(settings, pictures, watch, tmp_path):
    from phosphene.experiment.restoration.classifier import train_judge

    return train_judge(settings, pictures, watch=watch, checkpoints=tmp_path / "classifier")
