"""`phosphene data export`: trials as a FIF file of MNE epochs."""

import shlex
from pathlib import Path

import tyro

from phosphene.cli.wrong_use import WrongUseError


def export(data: tyro.conf.Positional[Path], *, out: Path, margin: bool = False) -> None:
    """Write the trials of a data set as MNE epochs.

    Example: phosphene data export data/n170 --out n170-epo.fif

    Args:
        data: Data set folder.
        out: File to write, called ...-epo.fif; must not exist.
        margin: Keep the samples before and after the window, too.
    """
    if not out.name.endswith((".fif", ".fif.gz")):
        raise WrongUseError(f"`--out` is a file called ...-epo.fif; got {out}; rename it.")
    from phosphene.data.dataset import load_dataset
    from phosphene.data.mne_epochs import epochs_from_trials, save_epochs

    dataset = load_dataset(data)
    epochs = epochs_from_trials(
        dataset.trials,
        montage=dataset.info["montage"],
        with_margin=margin,
        description=f"phosphene data set {dataset.name}, hash {dataset.data_hash}",
    )
    save_epochs(out, epochs)
    times = f"{epochs.tmin:.4g} to {epochs.tmax:.4g} s at {dataset.trials.sfreq:g} Hz"
    print(f"{len(epochs)} epochs of {len(epochs.ch_names)} channels, {times}")
    print(f"epochs  {out}")
    code = f"import mne; print(mne.read_epochs({str(out)!r}))"
    print(f"next    python -c {shlex.quote(code)}")


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(export, args=argv, prog="phosphene data export")
