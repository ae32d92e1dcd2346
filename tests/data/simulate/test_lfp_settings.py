import json
import subprocess
import sys

import pytest

from phosphene.data.simulate.lfp_settings import LFPSimulation


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"sfreq": 0.0}, "`sfreq` must be greater than 0"),
        ({"sfreq": 100.0}, "at least 300 Hz"),
        ({"effect": -1.0}, "`effect` must be at least 0"),
        ({"background": float("nan")}, "`background` must be at least 0"),
        ({"picture_share": 1.0}, "`picture_share` must be at least 0 and below 1"),
        ({"n_pictures": 1}, "at least 2 pictures"),
        ({"n_chans": 3}, "at least 4 channels"),
        ({"picture_shape": (918, 20)}, "at least 32 pixels"),
        ({"n_pictures": 2, "n_repeats": 1, "n_blocks": 4}, "every block needs a showing"),
        ({"rest": -1.0}, "`rest` must be at least 0"),
    ],
)
def test_impossible_settings_are_refused(options, rule):
    with pytest.raises(ValueError, match=rule):
        LFPSimulation(**options)


def test_defaults_are_those_of_a_published_session():
    simulation = LFPSimulation()
    assert simulation.n_times == 313
    assert simulation.n_showings == 119 * 50
    assert simulation.duration > 20 * 60
    assert simulation.n_samples / simulation.sfreq == pytest.approx(simulation.duration, abs=1)


def test_settings_are_plain_json():
    values = LFPSimulation().to_json()
    assert json.loads(json.dumps(values)) == values


def test_settings_need_no_numpy():
    code = "import phosphene.data.simulate.lfp_settings, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
