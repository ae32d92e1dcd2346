import shlex
import sys

from phosphene._checks.installation import pip_install


def test_the_command_is_of_this_python_and_can_be_typed(monkeypatch):
    assert pip_install("mne-bids") == f"{shlex.quote(sys.executable)} -m pip install mne-bids"
    monkeypatch.setattr(sys, "executable", "/my envs/bin/python")
    assert pip_install("torch>=2.9") == "'/my envs/bin/python' -m pip install 'torch>=2.9'"
