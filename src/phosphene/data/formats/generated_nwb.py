"""Write generated windows as an NWB file, laid end to end, with a table of what each is."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phosphene import _checks
from phosphene._checks.installation import pip_install

if TYPE_CHECKING:
    from pynwb import NWBFile

NAME = "generated_lfp"
INTERVALS = "generated_windows"
BUFFER_BYTES = 8 << 20
"""Bytes of the signal that are turned around at a time."""


@dataclass(frozen=True, kw_only=True)
class GeneratedLFP:
    """Generated windows and what is known of them.

    Parameters
    ----------
    windows
        ``(picture, draw, chan, time)`` float32, in memory or memory-mapped.
    volts
        Whether they are in V; else they are z-scores.
    pictures
        Name of each picture; "" where there was none.
    ch_names
        Channels.
    sfreq
        Samples per second.
    tmin
        Time of a window's first sample in s from the onset of its picture.
    area
        Acronym of the brain area that the channels lie in, "unknown" if nobody knows.
    source
        What made them: system, bundle, seed.

    Raises
    ------
    ValueError
        When names and windows differ in number, or there are none.
    """

    windows: np.ndarray
    volts: bool
    pictures: Sequence[str]
    ch_names: Sequence[str]
    sfreq: float
    tmin: float = 0.0
    area: str = "unknown"
    source: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.pictures), None, len(self.ch_names), None)
        _checks.check_shape("windows", self.windows.shape, shape, "picture draw chan time")
        _checks.check_positive("sfreq", self.sfreq)
        if not self.windows.size:
            raise ValueError(
                f"a file needs windows; got the shape {self.windows.shape}; draw some."
            )

    @property
    def unit(self) -> str:
        """Unit as the file states it."""
        return "volts" if self.volts else "z-score"


def write_generated_nwb(path: Path, generated: GeneratedLFP) -> None:
    """Write windows one after another, pictures in order and the draws of each together.

    In volts they are an `ElectricalSeries` in ``processing/ecephys/LFP``. NWB defines that type to
    be in volts, so z-scores are a plain `TimeSeries` of the unit "z-score" in
    ``processing/ecephys``. Both are called ``generated_lfp``, ``(time, chan)``, channels in the
    order of the electrodes table. ``intervals/generated_windows`` names picture, draw, start and
    stop of each window. Windows that stand side by side were not so in time: what crosses a border
    means nothing.

    Raises
    ------
    ValueError
        Where pynwb is not installed.
    """
    try:
        import pynwb
    except ImportError:
        raise ValueError(
            "NWB files are written by pynwb; it is not installed; install it with "
            f"`{pip_install('pynwb')}`."
        ) from None
    n_pictures, n_draws, _, n_times = generated.windows.shape
    about = (
        f"Generated signals, not a recording. {n_pictures} pictures, {n_draws} windows of "
        f"{n_times} samples each, laid end to end; {INTERVALS} says which is which. "
        f"{generated.source}".strip()
    )
    digest = hashlib.sha256(np.ascontiguousarray(generated.windows[0, 0]).tobytes()).hexdigest()
    file = pynwb.NWBFile(
        session_description=about,
        identifier=f"generated-{digest[:16]}",
        session_start_time=datetime.now(UTC),
    )
    region = _add_electrodes(file, generated)
    module = file.create_processing_module(name="ecephys", description="Generated signals")
    timing = {"starting_time": 0.0, "rate": float(generated.sfreq)}
    names = ", ".join(generated.ch_names)
    if generated.volts:
        container = pynwb.ecephys.LFP()
        module.add(container)  # before its series: the electrodes must share an ancestor with it
        container.create_electrical_series(
            name=NAME,
            data=_rows(generated.windows),
            electrodes=region,
            description=f"{about} Channels: {names}.",
            **timing,
        )
    else:
        series = pynwb.TimeSeries(
            name=NAME,
            data=_rows(generated.windows),
            unit=generated.unit,
            description=(
                f"{about} Z-scored: mean 0 and standard deviation 1 over the channels and samples "
                f"of each window. Columns are the electrodes in order: {names}."
            ),
            **timing,
        )
        module.add(series)
    file.add_time_intervals(_intervals(generated))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="hdmf")
        with pynwb.NWBHDF5IO(str(path), mode="w") as writer:
            writer.write(file)


def _add_electrodes(file: "NWBFile", generated: GeneratedLFP) -> Any:
    """Add one electrode per channel; return the region of all."""
    device = file.create_device(name="generator", description="A trained network, no probe")
    group = file.create_electrode_group(
        name="generated",
        description="Channels of the probe that the network was trained on",
        location=generated.area,
        device=device,
    )
    file.add_electrode_column(name="channel_name", description="Name in the training recording")
    for name in generated.ch_names:
        file.add_electrode(location=generated.area, group=group, channel_name=name)
    return file.create_electrode_table_region(
        region=list(range(len(generated.ch_names))), description="all channels"
    )


def _intervals(generated: GeneratedLFP) -> Any:
    """Return the table of windows."""
    from hdmf.common import VectorData
    from pynwb.epoch import TimeIntervals

    n_pictures, n_draws, _, n_times = generated.windows.shape
    start = np.arange(n_pictures * n_draws) * n_times
    number = np.repeat(np.arange(n_pictures), n_draws)
    columns = {
        "start_time": ("Time of the window's first sample, in s", start / generated.sfreq),
        "stop_time": ("Time after its last sample, in s", (start + n_times) / generated.sfreq),
        "picture": ("Name of the picture", [generated.pictures[row] for row in number]),
        "picture_number": ("Row of pictures.csv and first index of generated.npy", number),
        "draw": ("Which of the picture's windows, from 0", np.tile(np.arange(n_draws), n_pictures)),
        "first_sample": ("Row of the series at which the window begins", start),
    }
    return TimeIntervals(
        name=INTERVALS,
        description=(
            f"One row per generated window; its first sample is {generated.tmin:g} s from the "
            "onset of its picture."
        ),
        columns=[
            VectorData(name=name, description=about, data=values)
            for name, (about, values) in columns.items()
        ],
        colnames=list(columns),
    )


def _rows(windows: np.ndarray) -> Any:
    """Return an iterator that hands windows to HDF5 as (time, chan), a few megabytes at a time."""
    from hdmf.data_utils import GenericDataChunkIterator

    n_pictures, n_draws, n_chans, n_times = windows.shape
    flat = windows.reshape(n_pictures * n_draws, n_chans, n_times)
    n_rows = len(flat) * n_times

    class Rows(GenericDataChunkIterator):
        """Windows one after another."""

        def _get_data(self, selection: tuple[slice, ...]) -> np.ndarray:
            rows = range(*selection[0].indices(n_rows))
            first, last = rows[0] // n_times, rows[-1] // n_times + 1
            part = np.ascontiguousarray(flat[first:last].transpose(0, 2, 1)).reshape(-1, n_chans)
            begin = rows[0] - first * n_times
            return part[begin : begin + len(rows), selection[1]]

        def _get_maxshape(self) -> tuple[int, int]:
            return n_rows, n_chans

        def _get_dtype(self) -> np.dtype:
            return np.dtype(np.float32)

    at_once = max(1, BUFFER_BYTES // (4 * n_chans * n_times)) * n_times
    return Rows(
        chunk_shape=(min(n_times, n_rows), n_chans), buffer_shape=(min(at_once, n_rows), n_chans)
    )
