"""Write a session as the Allen Institute publishes its Visual Coding Neuropixels recordings.

One file holds the session's stimuli (`intervals/natural_scenes_presentations`), another one the LFP
of a probe (`acquisition/probe_0_lfp/probe_0_lfp_data`, samples by channels, with timestamps) and
its electrodes. Names, columns, units and the order of channels are those of allensdk's ecephys
writer (https://github.com/AllenInstitute/AllenSDK, brain_observatory/ecephys/write_nwb); its own
extension types are left out, so that plain pynwb opens the files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phosphene._checks.installation import pip_install

if TYPE_CHECKING:
    from pynwb import NWBFile

START = datetime(2020, 1, 1, tzinfo=UTC)
"""Start of a session that never took place; a fixed date keeps files of one seed alike."""
ROWS_PER_CHUNK = 4096
"""Samples of all channels that HDF5 stores as one piece."""
FILTERING = "LFP band: 1000 Hz low-pass"


@dataclass(frozen=True, eq=False)
class Electrodes:
    """The electrodes table, one row per channel in the order of the signal's columns.

    Parameters
    ----------
    location
        Acronym of the area, '' where it is not known.
    vertical, horizontal
        Position on the probe in um, the vertical one from the tip.
    """

    location: Sequence[str]
    vertical: NDArray[np.int64]
    horizontal: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ProbeSignal:
    """A signal that is drawn while it is written.

    Parameters
    ----------
    pieces
        (chan, time) float32 in V with the first sample of each, in order, without gaps.
    n_samples, n_chans
        Size of all.
    """

    pieces: Iterator[tuple[int, NDArray[np.float32]]]
    n_samples: int
    n_chans: int


def write_session(
    path: Path,
    *,
    showings: pd.DataFrame,
    rests: pd.DataFrame,
    frames: NDArray[np.floating],
    electrodes: Electrodes,
    identifier: str,
    probe: int = 0,
    description: str,
) -> None:
    """Write the session file: when which picture was shown.

    Parameters
    ----------
    path
        File to write.
    showings
        Rows with ``start_time, stop_time`` in s, ``frame`` (-1 is grey), ``stimulus_block``.
    rests
        Rows with ``start_time, stop_time``: grey without showings.
    frames
        Times in s of the monitor's frames; each showing refers to those within it.
    electrodes, probe
        The probe's channels and its number.
    identifier, description
        Of the session.
    """
    pynwb = require_pynwb()
    from pynwb.base import TimeSeriesReference

    file = _new_file(identifier, identifier, description)
    _add_electrodes(file, electrodes, probe)
    times = pynwb.TimeSeries(name="timestamps", data=frames, timestamps=frames, unit="s")
    module = file.create_processing_module(name="stimulus", description="Stimulus Times processing")
    module.add(times)
    for name, table in (("natural_scenes", showings), ("spontaneous", rests)):
        table = table.assign(stimulus_name=name)
        first = np.searchsorted(frames, table["start_time"] - 1e-6)
        count = np.searchsorted(frames, table["stop_time"] - 1e-6) - first
        references = [
            TimeSeriesReference(int(i), int(n), times) for i, n in zip(first, count, strict=True)
        ]
        file.add_time_intervals(_intervals(name, table, references))
    _write(path, file)


def write_probe(
    path: Path,
    signal: ProbeSignal,
    *,
    timestamps: NDArray[np.floating],
    electrodes: Electrodes,
    identifier: str,
    probe: int = 0,
    description: str,
) -> None:
    """Write the probe file, piece by piece, holding no more than a piece of the signal.

    Parameters
    ----------
    path
        File to write.
    signal
        Its pieces.
    timestamps
        (time,) in s, in the same clock as the session's showings.
    electrodes, identifier, probe, description
        As in `write_session`.
    """
    pynwb = require_pynwb()
    from hdmf.backends.hdf5.h5_utils import H5DataIO

    file = _new_file(str(probe), identifier, description)
    region = _add_electrodes(file, electrodes, probe)
    container = pynwb.ecephys.LFP(name=f"probe_{probe}_lfp")
    file.add_acquisition(container)
    chunks = (min(ROWS_PER_CHUNK, signal.n_samples), signal.n_chans)
    series = container.create_electrical_series(
        name=f"probe_{probe}_lfp_data",
        data=H5DataIO(data=_data_chunks(signal), chunks=chunks),
        timestamps=timestamps,
        electrodes=region,
    )
    file.add_acquisition(series)  # a link, as in the published files
    _write(path, file)


def require_pynwb() -> Any:
    """Return pynwb, or say how to install it."""
    try:
        import pynwb
    except ImportError:
        raise ValueError(
            "NWB files are written by pynwb; it is not installed; install it with "
            f"`{pip_install('pynwb')}`."
        ) from None
    return pynwb


def _new_file(identifier: str, session: str, description: str) -> "NWBFile":
    return require_pynwb().NWBFile(
        session_description=description,
        identifier=identifier,
        session_id=session,
        session_start_time=START,
        institution="simulated",
    )


def _add_electrodes(file: "NWBFile", electrodes: Electrodes, probe: int) -> Any:
    """Add device, group and electrodes; return the region of all electrodes."""
    name = f"probe_{probe}"
    device = file.create_device(name=name, description="Laminar probe (simulated)")
    group = file.create_electrode_group(
        name=name,
        description="Ecephys Electrode Group",
        location="See electrode locations",
        device=device,
    )
    columns = {
        "probe_vertical_position": "Length-wise position of electrode/channel on device (microns)",
        "probe_horizontal_position": "Width-wise position of electrode/channel on device (microns)",
        "probe_id": "The unique id of this electrode's/channel's device",
        "local_index": "The local index of electrode/channel on device",
        "valid_data": "Whether data from this electrode/channel is usable",
    }
    for column, about in columns.items():
        file.add_electrode_column(name=column, description=about)
    for index, location in enumerate(electrodes.location):
        file.add_electrode(
            id=1000 * (probe + 1) + index,
            x=np.nan,
            y=np.nan,
            z=np.nan,
            imp=np.nan,
            location=location,
            filtering=FILTERING,
            group=group,
            probe_vertical_position=int(electrodes.vertical[index]),
            probe_horizontal_position=int(electrodes.horizontal[index]),
            probe_id=probe,
            local_index=index,
            valid_data=True,
        )
    return file.create_electrode_table_region(
        region=list(range(len(electrodes.location))),
        description=f"lfp channels on probe {probe}",
        name="electrodes",
    )


def _intervals(name: str, table: pd.DataFrame, references: list) -> Any:
    """Return a table of showings with the columns of a published one."""
    from hdmf.common import VectorData, VectorIndex
    from pynwb.base import TimeSeriesReferenceVectorData
    from pynwb.epoch import TimeIntervals

    about = {
        "start_time": "Start time of epoch, in seconds",
        "stop_time": "Stop time of epoch, in seconds",
        "stimulus_name": "Name of stimulus",
        "stimulus_block": "Index of contiguous presentations of one stimulus type",
        "stimulus_index": "Index of stimulus type",
        "frame": "Frame of movie stimulus",
    }
    names = [column for column in about if column in table.columns]
    columns = [
        VectorData(name=column, description=about[column], data=table[column].tolist())
        for column in names
    ]
    ends = np.arange(1, len(table) + 1)
    tags = VectorData(
        name="tags", description="user-defined tags", data=["stimulus_time_interval"] * len(table)
    )
    series = TimeSeriesReferenceVectorData(
        name="timeseries", description="index into a TimeSeries object", data=references
    )
    ragged = [
        part
        for column in (tags, series)
        for part in (column, VectorIndex(name=f"{column.name}_index", data=ends, target=column))
    ]
    return TimeIntervals(
        name=f"{name}_presentations",
        description=f"Presentation times and stimuli details for '{name}' stimuli",
        columns=[*columns, *ragged],
        colnames=[*names, "tags", "timeseries"],
    )


def _data_chunks(signal: ProbeSignal) -> Any:
    """Return an iterator that hands pieces to HDF5 as (time, chan)."""
    from hdmf.data_utils import AbstractDataChunkIterator, DataChunk

    class Pieces(AbstractDataChunkIterator):
        """Pieces of the signal in the order in which they are drawn."""

        dtype = np.dtype(np.float32)
        maxshape = (signal.n_samples, signal.n_chans)

        def __iter__(self) -> "Pieces":
            return self

        def __next__(self) -> DataChunk:
            start, piece = next(signal.pieces)
            rows = slice(start, start + piece.shape[1])
            return DataChunk(
                data=np.ascontiguousarray(piece.T), selection=(rows, slice(0, signal.n_chans))
            )

        def recommended_chunk_shape(self) -> None:
            return None

        def recommended_data_shape(self) -> tuple[int, int]:
            return self.maxshape

    return Pieces()


def _write(path: Path, file: "NWBFile") -> None:
    with require_pynwb().NWBHDF5IO(str(path), mode="w") as writer:
        writer.write(file)
