import base64
import io
from dataclasses import replace

import numpy as np
from PIL import Image

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.channel_correlation import correlation_panels, matrix_address


def pixels(address):
    data = address.removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_colour_is_sign_and_opacity_is_size():
    found = pixels(matrix_address(np.array([[1.0, -0.5], [0.0, np.nan]])))
    assert found[0, 0].tolist() == [0x00, 0x72, 0xB2, 255]
    assert found[0, 1].tolist() == [0xD5, 0x5E, 0x00, 128]
    assert found[1, :, 3].tolist() == [0, 0]  # nothing is the paper of the page


def test_systems_are_compared_with_real_signals_of_the_same_showings(make_signal_run):
    signals = read_contents(make_signal_run(GAN=0.5)).signals
    shifted = [
        replace(s, correlation=np.full((6, 6), {"real": 0.25, "GAN": -0.5}[s.system]))
        for s in signals.summaries
    ]
    real, made = correlation_panels(replace(signals, summaries=tuple(shifted)))
    assert (real.system, real.of, real.difference, real.mean_difference) == ("real", "test", "", "")
    assert (made.system, made.mean_difference) == ("GAN", "0.750")
    assert (pixels(made.difference)[..., 3] == 191).all()
    assert (pixels(made.matrix)[..., 3] == 128).all()
