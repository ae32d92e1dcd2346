"""A session with a laminar probe in mouse visual cortex whose pictures, and answers, are known.

A channel records ``background + slow waves + gamma * (bursts + induced(picture)) + gain(showing) *
evoked(picture)``. The gain is 1 on average and gamma has no fixed phase, so that the mean over many
showings of a picture approaches `LFPModel.true_means`.
"""

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from phosphene.data.simulate.dead_leaves import dead_leaves_picture
from phosphene.data.simulate.laminar_probe import LaminarProbe, make_probe
from phosphene.data.simulate.lfp_background import LFPBackground, make_lfp_background
from phosphene.data.simulate.lfp_responses import LFPResponses, make_responses
from phosphene.data.simulate.lfp_settings import FRAME, FRAMES_PER_SHOWING, LFPSimulation
from phosphene.data.simulate.nwb_writer import (
    Electrodes,
    ProbeSignal,
    require_pynwb,
    write_probe,
    write_session,
)
from phosphene.data.simulate.oriented_filters import picture_features

CLOCK_START = 4.2
"""Seconds of the session's clock at the first sample of the probe."""
GAMMA_RISE, GAMMA_END = (0.06, 0.12), (0.25, 0.34)
"""Seconds after a picture between which its gamma grows, and between which it fades."""
HORIZONTAL = (43, 11, 59, 27)
"""Horizontal positions in um of a probe's four columns, in turn."""
SESSION_FILE, PROBE_FILE = "session.nwb", "probe_0_lfp.nwb"
PICTURES, TRUTH_FILE = "natural_scenes", "true_responses.npz"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class LFPModel:
    """All that is known before the first showing.

    Parameters
    ----------
    simulation
        Settings.
    probe, responses, background
        The channels, what they answer, and what hides it.
    showings
        One row per showing with ``start_time, stop_time`` in s, ``frame`` (-1.0 is grey),
        ``stimulus_block``, ``stimulus_index`` and ``sample``, the sample nearest to its start.
    rests
        ``start_time, stop_time`` of the grey screen around the blocks.
    """

    simulation: LFPSimulation
    probe: LaminarProbe
    responses: LFPResponses
    background: LFPBackground
    showings: pd.DataFrame
    rests: pd.DataFrame

    def true_means(self) -> NDArray[np.float32]:
        """Return (picture, chan, time) in V: the mean response, channels as in the probe file."""
        simulation = self.simulation
        return self.responses.true_means(n_times=simulation.n_times, sfreq=simulation.sfreq)

    def pieces(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Draw the recording: first sample and (chan, time) in V of each piece, in order."""
        samples = self.showings["sample"].to_numpy()
        rows = self.showings["frame"].to_numpy().astype(int)  # -1 is the last row: grey
        rng = np.random.default_rng([self.simulation.seed, 14])
        sd = self.simulation.response_sd
        gains = np.exp(sd * rng.standard_normal(len(rows)) - sd**2 / 2).astype(np.float32)
        strengths = gains * self.responses.gamma[rows].astype(np.float32)
        course = _gamma_course(self.simulation.sfreq)

        def induced(start: int, stop: int) -> NDArray[np.float32]:
            total = np.zeros(stop - start, np.float32)
            for index in _within(samples, start, stop, len(course)):
                _add(total, strengths[index] * course, int(samples[index]) - start)
            return total

        for start, signal in self.background.pieces(induced):
            length = self.responses.evoked.shape[2]
            for index in _within(samples, start, start + signal.shape[1], length):
                answer = gains[index] * self.responses.evoked[rows[index]]
                _add(signal, answer, int(samples[index]) - start)
            yield start, signal


def make_model(simulation: LFPSimulation, features: NDArray[np.float64]) -> LFPModel:
    """Prepare channels, responses and background, and draw the order of the showings.

    Parameters
    ----------
    simulation
        Settings; as many pictures as `features` has rows.
    features
        (picture, feature) from `picture_features`.
    """
    probe = make_probe(simulation)
    showings, rests = design_showings(simulation)
    return LFPModel(
        simulation,
        probe,
        make_responses(simulation, probe, features),
        make_lfp_background(simulation, probe),
        showings,
        rests,
    )


def design_showings(simulation: LFPSimulation) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of showings and of rests, see `LFPModel`; times are the session's."""
    rng = np.random.default_rng([simulation.seed, 10])
    frames = np.repeat(np.arange(-1.0, simulation.n_pictures), simulation.n_repeats)
    frames = rng.permutation(frames)
    step = FRAMES_PER_SHOWING * FRAME
    pause = simulation.rest / (simulation.n_blocks + 1)
    blocks = np.arange(len(frames)) * simulation.n_blocks // len(frames)
    starts = CLOCK_START + pause * (blocks + 1) + step * np.arange(len(frames))
    showings = pd.DataFrame(
        {
            "start_time": starts,
            "stop_time": starts + step,
            "stimulus_block": blocks.astype(np.float64),
            "stimulus_index": 0.0,
            "frame": frames,
            "sample": np.round((starts - CLOCK_START) * simulation.sfreq).astype(np.int64),
        }
    )
    ends = showings.groupby("stimulus_block")["stop_time"].max().to_numpy()
    begins = showings.groupby("stimulus_block")["start_time"].min().to_numpy()
    rests = pd.DataFrame(
        {
            "start_time": np.concatenate([[CLOCK_START], ends]),
            "stop_time": np.append(begins, CLOCK_START + simulation.duration),
        }
    )
    return showings, rests[rests["stop_time"] - rests["start_time"] > FRAME]


def simulate_session(
    simulation: LFPSimulation,
    *,
    out: Path,
    pictures: Iterator[NDArray[np.uint8]] | None = None,
    progress: Progress | None = None,
) -> LFPModel:
    """Write session.nwb, probe_0_lfp.nwb, natural_scenes/*.png and true_responses.npz.

    Parameters
    ----------
    simulation
        Settings.
    out
        Folder to make; it appears when all is written.
    pictures
        `simulation.n_pictures` grey pictures (height, width) of one size; `make_pictures` if None.
    progress
        Called with what is being made, how many steps are done and how many there are.

    Raises
    ------
    ValueError
        When the folder exists, or pynwb is not installed. Nothing is left behind.
    """
    if out.exists() or out.is_symlink():
        raise ValueError(
            f"a session is written once; {out} exists; choose another --out or remove it."
        )
    require_pynwb()
    make_probe(simulation)  # both refuse before any work
    report: Progress = progress if progress is not None else lambda stage, done, total: None
    shown = make_pictures(simulation) if pictures is None else pictures
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.parent / f".{out.name}.{uuid.uuid4().hex[:8]}.tmp"
    draft.mkdir()
    try:
        features = _write_pictures(draft / PICTURES, shown, simulation.n_pictures, report)
        model = make_model(simulation, features)
        with (draft / TRUTH_FILE).open("wb") as file:
            np.savez(
                file,
                responses=model.true_means(),
                stimulus=np.array(stimulus_names(simulation.n_pictures)),
                sfreq=np.float64(simulation.sfreq),
            )
        _write_nwb(draft, model, report)
        draft.rename(out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return model


def make_pictures(simulation: LFPSimulation) -> Iterator[NDArray[np.uint8]]:
    """Draw the pictures one after another."""
    for index in range(simulation.n_pictures):
        rng = np.random.default_rng([simulation.seed, 9, index])
        yield dead_leaves_picture(simulation.picture_shape, rng=rng)


def stimulus_names(n_pictures: int) -> list[str]:
    """Return the name of each picture, which is its file's without the suffix."""
    return [f"natural_scene_{index:03d}" for index in range(n_pictures)]


def _write_pictures(
    folder: Path, pictures: Iterator[NDArray[np.uint8]], n_pictures: int, report: Progress
) -> NDArray[np.float64]:
    """Write PNG files and return the features (picture, feature)."""
    folder.mkdir()
    features = []
    report("drawing pictures", 0, n_pictures)
    for name, picture in zip(stimulus_names(n_pictures), pictures, strict=False):
        Image.fromarray(picture).save(folder / f"{name}.png", compress_level=1)
        features.append(picture_features(picture))
        report("drawing pictures", len(features), n_pictures)
    if len(features) < n_pictures or next(pictures, None) is not None:
        found = f"only {len(features)}" if len(features) < n_pictures else "more"
        raise ValueError(
            f"there must be `n_pictures` pictures, {n_pictures}; got {found}; set `n_pictures` to "
            "their number."
        )
    return np.stack(features)


def _write_nwb(folder: Path, model: LFPModel, report: Progress) -> None:
    simulation, probe = model.simulation, model.probe
    n_samples, n_chans = simulation.n_samples, len(probe.depths)
    electrodes = Electrodes(
        location=probe.areas,
        vertical=probe.vertical_positions,
        horizontal=np.resize(HORIZONTAL, n_chans),
    )
    settings = repr(sorted(simulation.to_json().items())).encode()
    identifier = str(int(hashlib.sha256(settings).hexdigest()[:7], 16))
    n_frames = round(simulation.duration / FRAME)
    write_session(
        folder / SESSION_FILE,
        showings=model.showings,
        rests=model.rests,
        frames=CLOCK_START + FRAME * np.arange(n_frames),
        electrodes=electrodes,
        identifier=identifier,
        description="Data and metadata for a simulated session: pictures and their times",
    )

    def pieces() -> Iterator[tuple[int, NDArray[np.float32]]]:
        report("simulating", 0, n_samples)
        for start, signal in model.pieces():
            yield start, signal
            report("simulating", start + signal.shape[1], n_samples)

    write_probe(
        folder / PROBE_FILE,
        ProbeSignal(pieces(), n_samples, n_chans),
        timestamps=CLOCK_START + np.arange(n_samples) / simulation.sfreq,
        electrodes=electrodes,
        identifier=identifier,
        description="LFP data and associated info for one probe (simulated)",
    )


def _gamma_course(sfreq: float) -> NDArray[np.float32]:
    """Return (time,): how the gamma that a picture induces comes and goes, 1 at its height."""
    times = np.arange(round(GAMMA_END[1] * sfreq)) / sfreq
    rise = ((times - GAMMA_RISE[0]) / (GAMMA_RISE[1] - GAMMA_RISE[0])).clip(0, 1)
    fall = ((GAMMA_END[1] - times) / (GAMMA_END[1] - GAMMA_END[0])).clip(0, 1)
    return (np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall)).astype(np.float32) ** 2


def _within(samples: NDArray[np.int64], start: int, stop: int, length: int) -> range:
    """Return the showings whose response of `length` samples touches samples start to stop."""
    first = np.searchsorted(samples, start - length, side="right")
    return range(int(first), int(np.searchsorted(samples, stop)))


def _add(signal: NDArray[np.float32], part: NDArray[np.float32], at: int) -> None:
    """Add what of the part lies inside the signal; `at` may be before its start."""
    begin, end = max(at, 0), min(at + part.shape[-1], signal.shape[-1])
    signal[..., begin:end] += part[..., begin - at : end - at]
