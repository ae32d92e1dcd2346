import json
import subprocess
import sys

import pytest

from phosphene.data.simulate.settings import EEGSimulation


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"sfreq": 0.0}, "`sfreq` must be greater than 0"),
        ({"effect": -1.0}, "`effect` must not be negative"),
        ({"drift": float("nan")}, "`drift` must not be negative"),
        ({"picture_share": 1.5}, "shares of 1"),
        ({"shown_share": 0.0}, "shares of 1"),
        ({"ceiling": 0.9, "effect": 2.0}, "leave one out"),
        ({"interval": (0.3, 0.4)}, "must not overlap"),
        ({"interval": (0.9, 0.7)}, "must not overlap"),
        ({"n_trials": 3}, "every recording needs a trial"),
    ],
)
def test_impossible_settings_are_refused(options, rule):
    with pytest.raises(ValueError, match=rule):
        EEGSimulation(**options)


def test_settings_are_plain_json():
    values = EEGSimulation(ceiling=0.9).to_json()
    assert json.loads(json.dumps(values)) == values


def test_settings_need_no_numpy():
    code = "import phosphene.data.simulate.settings, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
