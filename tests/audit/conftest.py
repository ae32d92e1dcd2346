import pytest


@pytest.fixture
def make_source():
    """Make a source of noise: recordings of trials one second apart, labels in random order.

    `labels` and `columns` replace what would be drawn; epochs are cut from the recordings' noise.
    """
    import numpy as np
    import pandas as pd

    from phosphene.audit.source import AuditSource
    from phosphene.data.recording import Recording
    from phosphene.data.trials import Trials, content_hash

    def make(
        *,
        n_recordings=4,
        n_trials=30,
        n_classes=2,
        n_chans=3,
        sfreq=100.0,
        n_times=50,
        margin=20,
        step=100,
        labels=None,
        seed=0,
        keep_recordings=True,
        **columns,
    ):
        rng = np.random.default_rng(seed)
        n_all = n_recordings * n_trials
        if labels is None:
            rounds = np.resize(np.arange(n_classes), n_trials)
            labels = np.concatenate([rng.permutation(rounds) for _ in range(n_recordings)])
        labels = np.asarray(labels, dtype=np.int64)
        number = np.repeat(np.arange(n_recordings), n_trials)
        begin = 100 + np.tile(np.arange(n_trials) * step, n_recordings)
        ch_names = tuple(f"c{i}" for i in range(n_chans))
        recordings, epochs = [], []
        for i in range(n_recordings):
            n_samples = 300 + step * n_trials
            signal = rng.normal(0, 1e-5, (n_chans, n_samples)).astype(np.float32)
            recordings.append(
                Recording(
                    signal=signal,
                    sfreq=sfreq,
                    ch_names=ch_names,
                    recording=f"r{i}",
                    subject="s",
                    session=f"day{i}",
                    events=pd.DataFrame({"sample": begin[number == i], "code": "1"}),
                    source="made",
                    sha256="",
                )
            )
            for first in begin[number == i]:
                epochs.append(signal[:, first - margin : first + n_times + margin])
        epochs = np.stack(epochs)
        table = pd.DataFrame(
            {
                "trial": [f"t{i}" for i in range(n_all)],
                "label": labels,
                "class_name": [f"k{label}" for label in labels],
                "subject": "s",
                "session": [f"day{i}" for i in number],
                "recording": [f"r{i}" for i in number],
                "block": "",
                "onset": begin / sfreq,
                "stimulus": "",
                "start": begin,
                "stop": begin + n_times,
                "content": [content_hash(epoch) for epoch in epochs],
            }
        ).assign(**columns)
        trials = Trials(
            epochs_with_margin=epochs,
            margin=margin,
            sfreq=sfreq,
            tmin=0.0,
            ch_names=ch_names,
            classes=tuple(f"k{i}" for i in range(max(n_classes, int(labels.max()) + 1))),
            table=table,
            preprocessing={"steps": [], "settings": {}},
        )
        return AuditSource.from_trials(trials, recordings=recordings if keep_recordings else ())

    return make


@pytest.fixture
def make_split():
    """Make a split of one fold per group of rows, whatever it claims to keep apart."""
    import numpy as np

    from phosphene.data.splits import Fold, Split

    def make(source, groups, *, unit="trial"):
        ids, groups = source.table["trial"].to_numpy(), np.asarray(groups)
        folds = [
            Fold(str(name), tuple(ids[groups != name]), tuple(ids[groups == name]))
            for name in np.unique(groups)
        ]
        return Split(unit, tuple(folds))

    return make
