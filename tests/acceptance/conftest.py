from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def simulate(tmp_path_factory):
    """Simulate recordings of digits and cut trials; keywords are settings of the simulation.

    Returns a namespace of `recordings`, `trials`, and `source` (what an audit looks at).
    """
    import numpy as np

    from phosphene.audit.source import AuditSource
    from phosphene.data.preprocess import cut_epochs
    from phosphene.data.preprocessing import Preprocessing
    from phosphene.data.simulate.eeg import simulate_eeg
    from phosphene.data.simulate.pictures import digits_images
    from phosphene.data.simulate.settings import EEGSimulation

    root = tmp_path_factory.mktemp("simulate")

    def cut(recordings, classes, **epochs):
        settings = {"band": (1.0, 40.0), "resample": None, "tmax": 0.6, **epochs}
        events = {str(label): name for label, name in enumerate(classes)}
        trials, _ = cut_epochs(recordings, Preprocessing(**settings), events=events)
        source = AuditSource.from_trials(trials, recordings=recordings)
        return SimpleNamespace(recordings=recordings, trials=trials, source=source, cut=cut)

    def simulate(*, n_classes=2, epochs=None, **settings):
        sizes = {"montage": "muse", "n_trials": 240, "n_subjects": 1, "n_recordings": 6}
        simulation = EEGSimulation(**{**sizes, **settings})
        images = digits_images(16, seed=simulation.seed)
        images = images.select(np.flatnonzero(images.labels < n_classes))
        images = images.with_classes(images.classes[:n_classes])
        recordings = simulate_eeg(simulation, images=images).recordings
        return cut(recordings, images.classes, **(epochs or {}))

    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
            patch.setenv(name, str(root / "cache"))
        yield simulate
