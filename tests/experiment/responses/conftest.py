from dataclasses import replace

import pytest

from phosphene.recipes.lfpgan_2020.config import smoke


@pytest.fixture(scope="session")
def quick_settings():
    return replace(smoke(), systems=("pre-trained GAN",))


@pytest.fixture(scope="session")
def session(showings_folder, quick_settings):
    from phosphene.experiment.responses.session import prepare_session

    return prepare_session(quick_settings, showings_folder)
