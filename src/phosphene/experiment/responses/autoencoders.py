"""First stages: autoencoders of windows and of pictures."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from phosphene.evaluation.signals.summary import amplitude_spectrum
from phosphene.experiment.painting import is_past
from phosphene.experiment.responses.batches import picture_batches, window_batches
from phosphene.experiment.responses.plan import ResponsePlan
from phosphene.experiment.responses.session import FOLD, Session
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.experiment.watch import Watch
from phosphene.run_dir import RunDir
from phosphene.training.autoencoder_step import AutoencoderStep
from phosphene.training.batches import Batches
from phosphene.training.loop import fit
from phosphene.training.seeding import derive_seed, seeded

PROGRESS = f"folds/{FOLD}/progress.npz"
SHARES = (0.02, 0.1, 0.3, 0.6, 1.0)
"""Of the training, after which the spectrum of reconstructions is kept (figure 5.6)."""
N_SPECTRUM = 256
"""Held-out showings whose reconstructions it is of."""


def train_signal_autoencoder(
    settings: ResponseSettings,
    plan: ResponsePlan,
    session: Session,
    *,
    run: RunDir,
    watch: Watch,
    checkpoints: Path,
) -> nn.Module:
    """Train the autoencoder of windows and return it in evaluation mode.

    progress.npz gets the spectra of reconstructions on its way (figure 5.6): ``steps``,
    ``spectrum_mean`` (step, chan, freq), ``freqs`` and ``real_spectrum_mean`` (chan, freq), of
    showings of test pictures.
    """
    assert plan.signal_autoencoder is not None
    seed = derive_seed(settings.seed, "signal autoencoder")
    with seeded(derive_seed(seed, "weights")):
        network = plan.signal_autoencoder(session)
    step = AutoencoderStep(
        network, lr=plan.autoencoder_lr, betas=plan.autoencoder_betas, devices=watch.devices
    )
    batches = window_batches(
        session.windows(everything=settings.autoencoder_data == "all"),
        batch_size=settings.autoencoder_batch,
        seed=seed,
    )
    heldout = session.signals[session.rows["test"][:N_SPECTRUM]]
    n_steps = settings.autoencoder_steps
    for until in sorted({max(1, round(share * n_steps)) for share in SHARES}):
        if watch.devices.agree(watch.devices.first and is_past(checkpoints, until)):
            continue  # a resumed run does not go back
        _fit(step, batches, until=until, n_steps=n_steps, stage="signal autoencoder",
             watch=watch, checkpoints=checkpoints)  # fmt: skip
        if watch.devices.first:
            _keep_spectrum(run, until, heldout, reconstruct(network, heldout), sfreq=session.sfreq)
    return network.eval()


def _keep_spectrum(
    run: RunDir, step: int, real: np.ndarray, made: np.ndarray, *, sfreq: float
) -> None:
    """Add the spectrum of reconstructions at a step to those of earlier ones."""
    freqs, mean, _ = amplitude_spectrum(made, sfreq=sfreq)
    before = run.read_arrays(PROGRESS) if run.has(PROGRESS) else {}
    earlier = before.get("steps", np.array([], dtype=np.int64)) < step
    spectra = before["spectrum_mean"][earlier] if earlier.any() else np.empty((0, *mean.shape))
    run.write_arrays(
        PROGRESS,
        {
            "steps": np.append(before["steps"][earlier] if earlier.any() else [], step).astype(int),
            "spectrum_mean": np.concatenate([spectra, mean[None]]).astype(np.float32),
            "freqs": freqs,
            "real_spectrum_mean": amplitude_spectrum(real, sfreq=sfreq)[1].astype(np.float32),
        },
    )


def train_picture_autoencoder(
    settings: ResponseSettings,
    plan: ResponsePlan,
    session: Session,
    *,
    watch: Watch,
    checkpoints: Path,
) -> nn.Module:
    """Train the autoencoder of pictures, on those that train (the thesis takes all 118).

    With `autoencoder_data` "all" it takes all too.
    """
    assert plan.picture_autoencoder is not None
    seed = derive_seed(settings.seed, "picture autoencoder")
    with seeded(derive_seed(seed, "weights")):
        network = plan.picture_autoencoder(session)
    step = AutoencoderStep(
        network, lr=plan.autoencoder_lr, betas=plan.autoencoder_betas, devices=watch.devices
    )
    rows = np.unique(session.picture[session.rows["train"]])
    if settings.autoencoder_data == "all":
        rows = np.arange(len(session.pictures))
    batches = picture_batches(
        session.pictures[torch.from_numpy(rows)], batch_size=settings.picture_batch, seed=seed
    )
    n_steps = settings.picture_steps
    _fit(step, batches, until=n_steps, n_steps=n_steps, stage="picture autoencoder",
         watch=watch, checkpoints=checkpoints)  # fmt: skip
    return network.eval()


@torch.no_grad()
def reconstruct(network: nn.Module, arrays: np.ndarray, *, batch_size: int = 128) -> np.ndarray:
    """Return windows or pictures as an autoencoder gives them back, in evaluation mode."""
    network.eval()
    parts = torch.from_numpy(np.ascontiguousarray(arrays)).split(batch_size)
    return torch.cat([network(part) for part in parts]).numpy()


def _fit(
    step: AutoencoderStep,
    batches: Batches,
    *,
    until: int,
    n_steps: int,
    stage: str,
    watch: Watch,
    checkpoints: Path,
) -> None:
    """Train until a step, going on from the newest checkpoint."""
    fit(
        step,
        batches,
        n_steps=until,
        stage=stage,
        checkpoints=checkpoints,
        resume=True,
        log=watch.record,
        log_every=max(1, n_steps // 100),
        progress=watch.progress,
    )
