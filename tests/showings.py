"""A small data set of showings of pictures, for tests of what goes from pictures to signals."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def showings_folder(tmp_path_factory) -> Path:
    """A data set of showings: 6 channels, 10 pictures of 54 x 69 shown 8 times, true responses."""
    import numpy as np
    import pandas as pd

    from phosphene.data.dataset import save_dataset
    from phosphene.data.images import ImageSet
    from phosphene.data.pairing import pair
    from phosphene.data.recording import Recording
    from phosphene.data.showings import NATURAL_SCENE, SHOWN, cut_showings, lfp_preprocessing

    rng = np.random.default_rng(0)
    n_pictures, n_repeats, n_chans, n_times = 10, 8, 6, 313
    names = [f"natural_scene_{frame:03d}" for frame in range(n_pictures)]
    shown = np.concatenate([rng.permutation(n_pictures) for _ in range(n_repeats)])
    onsets = 100 + 313 * np.arange(len(shown))
    waves = rng.normal(size=(n_pictures, n_chans, n_times + 40)).cumsum(2)
    responses = (waves[:, :, 40:] - waves[:, :, :-40]) * 2e-6
    signal = rng.normal(size=(n_chans, onsets[-1] + 2000)).cumsum(1) * 1e-6
    signal[:, 20:] -= signal[:, :-20].copy()  # noise that stays where it is
    for onset, row in zip(onsets, shown, strict=True):
        signal[:, onset : onset + n_times] += responses[row]
    recording = Recording(
        signal=signal.astype(np.float32),
        sfreq=1250.0,
        ch_names=tuple(f"V1-{k}" for k in range(n_chans)),
        recording="probe",
        subject="mouse",
        session="1",
        events=pd.DataFrame(
            {
                "sample": onsets,
                "code": SHOWN,
                "stimulus": [names[row] for row in shown],
                "block": "1",
            }
        ),
        source="probe.nwb",
        sha256="0",
    )
    table = pd.DataFrame(
        {
            "image_id": names,
            "label": 0,
            "class_name": NATURAL_SCENE,
            "stimulus": names,
            "shown": True,
            "source": [f"{name}.png" for name in names],
            "sha256": names,
        }
    )
    pixels = rng.integers(0, 256, (n_pictures, 6, 8, 1)).repeat(9, 1).repeat(9, 2)[:, :, :69]
    images = ImageSet(pixels.astype(np.uint8), table)
    trials, rejected = cut_showings(recording, lfp_preprocessing())
    folder = tmp_path_factory.mktemp("showings") / "data"
    save_dataset(
        folder,
        recordings=[recording],
        trials=trials,
        images=images,
        pairing=pair(trials, images),
        rejected=rejected,
        info={"origin": "simulated", "events": {SHOWN: NATURAL_SCENE}},
        extra={"true_responses": responses.astype(np.float32)},
    )
    return folder
