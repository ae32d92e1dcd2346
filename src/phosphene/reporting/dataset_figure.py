"""One picture of a data set: evoked responses, spectrum, pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phosphene.data.dataset import Dataset, load_recordings
from phosphene.data.images import ImageSet
from phosphene.data.inspection import evoked_responses, power_spectrum
from phosphene.data.trials import Trials
from phosphene.reporting.figures.palette import INK, MUTED, RULE, class_colors
from phosphene.reporting.number_text import signal_scale, squared_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CHANNELS = 4
MAX_CLASSES = 10
PICTURES_PER_CLASS = 8
SCENES = (4, 5)
"""Rows and columns of pictures, where all are of one class."""
MAX_HZ, MAX_HZ_SHOWINGS = 70, 200
"""Highest frequency of the spectrum; LFP of showings of pictures has gamma above."""
STYLE: "dict[Any, Any]" = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}


def write_dataset_figure(dataset: Dataset, path: Path) -> Path:
    """Draw a data set and save the figure as PNG.

    Parameters
    ----------
    dataset
        What to draw; its recordings, where it has any, give the spectrum.
    path
        File to write; an existing one is replaced.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with rc_context(STYLE):
        figure = draw_dataset(dataset)
        FigureCanvasAgg(figure)
        figure.savefig(path, dpi=130, facecolor="white")
    return path


def draw_dataset(dataset: Dataset) -> "Figure":
    """Draw evoked responses per class with 95 % interval, spectrum, and a grid of pictures."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    trials = dataset.trials
    evoked = evoked_responses(trials)
    one_class = trials.n_classes == 1
    with_depth = one_class and trials.n_chans > MAX_CHANNELS
    channels = _spread(trials.n_chans) if with_depth else _informative(evoked)
    figure = Figure(figsize=(12, 7.2), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)  # type: ignore[union-attr]
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[1, 1.05])[:, 0]
    axes = top.subplots(1, len(channels) + with_depth, squeeze=False)[0]
    for other in axes[1 : len(channels)]:
        other.sharey(axes[0])
        other.tick_params(labelleft=False)
    if with_depth:
        _draw_all_channels(axes[-1], evoked, trials)
    for position, channel in enumerate(channels):
        _draw_evoked(axes[position], evoked, channel, trials)
    axes[0].set_ylabel(signal_scale(trials.unit)[1])
    n_unseen = trials.n_classes - MAX_CLASSES
    more = f" (first {MAX_CLASSES} classes)" if n_unseen > 0 else ""
    what = "mean response to all pictures" if one_class else "evoked response per class"
    top.suptitle(
        f"{dataset.name}: {len(trials)} trials, {len(dataset.rejected)} rejected, hash "
        f"{dataset.data_hash}\n{what}, 95 % interval of the mean over "
        f"trials{more}",
        fontsize=10,
    )
    counts = np.bincount(trials.labels, minlength=trials.n_classes)
    colors = class_colors(trials.n_classes)
    handles = [
        Line2D([], [], color=color, linewidth=2, label=f"{name} ({n})")
        for name, n, color in zip(trials.classes, counts, colors, strict=True)
    ][:MAX_CLASSES]
    top.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    left, right = bottom.subfigures(1, 2, squeeze=False, width_ratios=[1, 1.35])[0]
    _draw_spectrum(left.subplots(), dataset)
    if one_class and dataset.images is not None:
        _draw_scenes(right.subplots(), dataset.images)
    else:
        _draw_pictures(right.subplots(), dataset.images, colors)
    return figure


def _spread(n_chans: int) -> list[int]:
    """Return channels from the first to the last, evenly apart; one place is left for a map."""
    return np.linspace(0, n_chans - 1, MAX_CHANNELS - 1).round().astype(int).tolist()


def _informative(evoked: dict[str, np.ndarray]) -> list[int]:
    """Return the channels on which class means differ most against their intervals, in order."""
    mean = np.nan_to_num(evoked["mean"])
    width = np.nan_to_num(evoked["high"] - evoked["low"])
    spread = mean.var(axis=0).mean(axis=1) / np.maximum((width**2).mean(axis=(0, 2)), 1e-30)
    return sorted(np.argsort(-spread, kind="stable")[:MAX_CHANNELS].tolist())


def _draw_evoked(axes: "Axes", evoked: dict[str, np.ndarray], channel: int, trials: Trials) -> None:
    factor, _ = signal_scale(trials.unit)
    tmin, duration = trials.tmin, trials.n_times / trials.sfreq
    times = evoked["times"] * 1e3
    colors = class_colors(len(evoked["mean"]))
    axes.axvspan(tmin * 1e3, (tmin + duration) * 1e3, color=RULE, alpha=0.35, linewidth=0)
    axes.axhline(0, color=MUTED, linewidth=0.6)
    axes.axvline(0, color=MUTED, linewidth=0.6)
    for label in range(min(len(evoked["mean"]), MAX_CLASSES)):
        low, high = (evoked[end][label, channel] * factor for end in ("low", "high"))
        axes.fill_between(times, low, high, color=colors[label], alpha=0.2, linewidth=0)
        axes.plot(
            times, evoked["mean"][label, channel] * factor, color=colors[label], linewidth=1.4
        )
    axes.set_title(str(evoked["ch_names"][channel]))
    axes.set_xlabel("ms after the event (grey: the window)")
    axes.margins(x=0)


def _draw_all_channels(axes: "Axes", evoked: dict[str, np.ndarray], trials: Trials) -> None:
    """Draw the mean of every channel as a map, the first channel on top."""
    factor, unit = signal_scale(trials.unit)
    mean = evoked["mean"][0] * factor
    limit = float(np.nanmax(np.abs(mean)))
    times = evoked["times"] * 1e3
    extent = (times[0], times[-1], len(mean) - 0.5, -0.5)
    image = axes.imshow(mean, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, extent=extent)
    axes.figure.colorbar(image, ax=axes, label=unit)
    rows = _spread(len(mean))
    axes.set_yticks(rows, [str(evoked["ch_names"][row]) for row in rows])
    axes.set_title(f"mean of all {len(mean)} channels")
    axes.set_xlabel("ms after the event")


def _draw_spectrum(axes: "Axes", dataset: Dataset) -> None:
    recordings = load_recordings(dataset.path) if dataset.path is not None else []
    spectrum = power_spectrum(recordings, dataset.trials)
    highest = MAX_HZ_SHOWINGS if dataset.trials.n_classes == 1 else MAX_HZ
    kept = (spectrum["freqs"] >= 0.5) & (spectrum["freqs"] <= min(highest, spectrum["freqs"][-2]))
    factor, unit = signal_scale(dataset.trials.unit)
    level = 10 * np.log10(np.maximum(spectrum["psd"][:, kept] * factor**2, 1e-9))
    names = spectrum["ch_names"]
    for index, line in enumerate(level):
        label = str(names[index]) if len(names) <= 8 else None
        axes.plot(spectrum["freqs"][kept], line, linewidth=0.9, alpha=0.8, label=label)
    what = "recordings as they were" if recordings else "trials"
    axes.set_title(f"power spectrum of the {what}, per channel")
    axes.set_xlabel("Hz")
    axes.set_ylabel(f"dB, 1 {squared_unit(unit)}/Hz")
    axes.margins(x=0)
    if len(names) <= 8:
        axes.legend(frameon=False, fontsize=8)


def _draw_pictures(axes: "Axes", images: ImageSet | None, colors: list[str]) -> None:
    axes.set_axis_off()
    if images is None:
        axes.text(0.5, 0.5, "no pictures", ha="center", va="center", color=MUTED)
        return
    from phosphene.data.images import fit_picture, to_pillow

    n_rows = min(len(images.classes), MAX_CLASSES)
    side, gap = 96, 4
    sheet = np.full((n_rows * (side + gap), PICTURES_PER_CLASS * (side + gap), 3), 255, np.uint8)
    for row in range(n_rows):
        of_class = np.flatnonzero(images.labels == row)
        first_shown = of_class[np.argsort(~images.shown[of_class], kind="stable")]
        for column, index in enumerate(first_shown[:PICTURES_PER_CLASS]):
            tile = fit_picture(to_pillow(images.pixels[index]), size=side, color=3)
            y, x = row * (side + gap), column * (side + gap)
            sheet[y : y + side, x : x + side] = tile
        axes.text(
            -6,
            row * (side + gap) + side / 2,
            images.classes[row],
            ha="right",
            va="center",
            color=colors[row] if row < len(colors) else INK,
        )
    axes.imshow(sheet)
    axes.set_title(
        f"{len(images)} pictures, {int(images.shown.sum())} of them shown (shown ones first)"
    )


def _draw_scenes(axes: "Axes", images: ImageSet) -> None:
    """Draw pictures of one class in their own shape."""
    from phosphene.data.images import to_pillow

    axes.set_axis_off()
    n_rows, n_columns = SCENES
    height, width = images.pixels.shape[1:3]
    scale = 160 / max(height, width)
    high, wide, gap = max(1, round(height * scale)), max(1, round(width * scale)), 6
    chosen = images.pixels[: n_rows * n_columns]
    n_rows = -(-len(chosen) // n_columns)
    sheet = np.full((n_rows * (high + gap), n_columns * (wide + gap), 3), 255, np.uint8)
    for index, pixels in enumerate(chosen):
        tile = to_pillow(pixels).resize((wide, high)).convert("RGB")
        y, x = index // n_columns * (high + gap), index % n_columns * (wide + gap)
        sheet[y : y + high, x : x + wide] = np.asarray(tile)
    axes.imshow(sheet)
    first = f", the first {len(chosen)}" if len(chosen) < len(images) else ""
    axes.set_title(
        f"{len(images)} pictures of {width} x {height}, {int(images.shown.sum())} of them shown"
        f"{first}"
    )
