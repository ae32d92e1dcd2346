import os
from contextlib import suppress

from phosphene.experiment.threads import THREAD_SETTINGS, thread_settings


def test_settings_hold_inside_and_are_as_before_after_an_error(monkeypatch):
    monkeypatch.setenv(THREAD_SETTINGS[0], "7")
    monkeypatch.delenv(THREAD_SETTINGS[1], raising=False)
    with suppress(KeyboardInterrupt), thread_settings(2):
        inside = {os.environ[name] for name in THREAD_SETTINGS}
        raise KeyboardInterrupt
    assert inside == {"2"}
    assert os.environ[THREAD_SETTINGS[0]] == "7"
    assert THREAD_SETTINGS[1] not in os.environ
