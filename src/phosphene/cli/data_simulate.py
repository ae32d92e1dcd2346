"""`phosphene data simulate --out DIR`: make a data set with a known best-possible accuracy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from phosphene.cli.progress import open_progress
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.simulate.settings import EEGSimulation

if TYPE_CHECKING:
    from phosphene.data.dataset import Dataset
    from phosphene.data.images import ImageSet
    from phosphene.training.progress import Progress

EPOCHS = Preprocessing(band=(0.5, 40.0), resample=None, tmax=0.6)
"""Default cut: as long as the simulated response."""

DIGITS_LICENCE = "CC BY 4.0"
DIGITS_CITATION = (
    "Alpaydin, Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning "
    "Repository, 1998, https://doi.org/10.24432/C50P49"
)


def simulate_dataset(
    simulation: EEGSimulation,
    *,
    out: Path,
    epochs: Preprocessing = EPOCHS,
    images: "ImageSet | None" = None,
    licence: str = "",
    progress: "Progress | None" = None,
) -> "Dataset":
    """Simulate, cut into epochs and write a data set folder.

    Parameters
    ----------
    simulation
        Who sees what, how strongly the brain answers, and what hides the answer.
    out
        Folder to make.
    epochs
        How trials are cut.
    images
        Pictures to show; scikit-learn's digits if None.
    licence
        Of `images`.
    progress
        Hears of every recording.
    """
    from phosphene.data.dataset import load_dataset, save_dataset
    from phosphene.data.pairing import pair
    from phosphene.data.preprocess import cut_epochs
    from phosphene.data.simulate.eeg import simulate_eeg

    if out.exists():
        raise ValueError(
            f"a data set is written once; {out} exists; choose another --out or remove it."
        )

    def on_recording(done: int, total: int) -> None:
        if progress is not None and done == 0:
            progress.start("simulating", total)
        elif progress is not None:
            progress.update(done, {})

    simulated = simulate_eeg(simulation, images=images, progress=on_recording)
    if progress is not None:
        progress.finish()
    events = {str(label): name for label, name in enumerate(simulated.images.classes)}
    trials, rejected = cut_epochs(simulated.recordings, epochs, events=events)
    save_dataset(
        out,
        recordings=simulated.recordings,
        trials=trials,
        images=simulated.images,
        pairing=pair(trials, simulated.images),
        rejected=rejected,
        info={
            "name": out.name,
            "origin": "simulated",
            "events": events,
            "ceiling": simulated.ceiling,
            "montage": simulated.recordings[0].montage,
            "simulation": simulated.simulation.to_json(),
            "seed": simulation.seed,
            "licence": DIGITS_LICENCE if images is None else licence,
            "citation": DIGITS_CITATION if images is None else "",
        },
    )
    return load_dataset(out)


def data_simulate(
    simulation: Annotated[EEGSimulation, tyro.conf.OmitArgPrefixes],
    epochs: Annotated[Preprocessing, tyro.conf.OmitArgPrefixes] = EPOCHS,
    *,
    out: Path,
    images: Path | None = None,
    image_size: int = 32,
) -> None:
    """Simulate EEG of people who look at pictures, and say how well it can be decoded at best.

    Args:
        simulation: What happens.
        epochs: How trials are cut.
        out: Folder to make.
        images: Pictures to show instead of scikit-learn's digits: a folder with one sub-folder per
            class, MNIST's IDX files, or CIFAR-10's binary files.
        image_size: Side of the pictures in pixels; larger ones are cropped and shrunk.
    """
    from phosphene.data.formats import read_images
    from phosphene.data.formats.image_folder import find_document
    from phosphene.data.simulate.pictures import digits_images

    shown = None if images is None else read_images(images, image_size=image_size)
    if shown is None and image_size != 32:
        shown = digits_images(image_size, seed=simulation.seed)
    progress = open_progress()
    try:
        dataset = simulate_dataset(
            simulation,
            out=out,
            epochs=epochs,
            images=shown,
            licence=DIGITS_LICENCE if images is None else find_document(images),
            progress=progress,
        )
    finally:
        progress.finish()
    print(describe(dataset))
    print(f"next       phosphene train eeg2image_2023 --data {out} --out runs/{out.name}")


def describe(dataset: "Dataset") -> str:
    """Return what was made, and how well it can be decoded at best, in five lines."""
    trials, images, best = dataset.trials, dataset.images, dataset.info["ceiling"]
    settings, table = dataset.info["simulation"], trials.table
    n_shown = int(images.shown.sum()) if images is not None else 0
    return "\n".join(
        [
            f"simulated  {len(trials):,} trials of {trials.n_classes} classes, "
            f"{table['subject'].nunique()} subjects, {table['recording'].nunique()} recordings, "
            f"{settings['order']}; {len(dataset.rejected)} rejected",
            f"signals    {trials.n_chans} channels, {trials.n_times} samples at "
            f"{trials.sfreq:g} Hz per trial",
            f"pictures   {n_shown:,} shown, {len(images or ()) - n_shown:,} kept unseen for judges",
            f"ceiling    {best['accuracy']:.3f} [{best['low']:.3f}, {best['high']:.3f}] is the "
            "best accuracy that any decoder can reach; "
            f"chance {best['chance']:.3f}; effect {settings['effect']:.3f}",
            f"data       {dataset.path}",
        ]
    )


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(data_simulate, args=argv, prog="phosphene data simulate")
