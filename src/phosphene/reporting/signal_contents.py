"""What a run that makes signals from pictures holds for the report; missing parts are None."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from phosphene._checks import check_finite
from phosphene._checks.structure import check_structure
from phosphene.run_dir import RunDir

if TYPE_CHECKING:
    import numpy as np

KEY = "pictures"
"""Of the one fold of such a run, whose held-out units are pictures."""
FOLD = f"folds/{KEY}"
REAL = "real"
SETS = ("test", "all", "train")
"""Which showings a summary is of, the one to be looked at first leading; "picture" is apart."""
SYSTEMS = (
    "autoencoder",
    "pre-trained GAN",
    "GAN",
    "pre-trained GAN without pictures",
    "GAN without pictures",
    "phase-randomised",
    "noise",
)
"""Order in which systems are shown; a recipe's own come after the autoencoder."""

_INDEX = [{"file": str, "system": str, "set": str, "title?": str, "picture?": str}]
_AXES = {
    "quantiles": 3,
    "spectrum_mean": 2,
    "spectrum_sd": 2,
    "freqs": 1,
    "correlation": 2,
    "examples": 3,
}
_REMEDY = "score the run again with `phosphene evaluate`."


@dataclass(frozen=True, kw_only=True)
class SignalSummary:
    """Arrays that stand for one set of windows of one system."""

    system: str
    of: str
    """One of `SETS`, or "picture": the showings of one picture."""
    title: str
    picture: str
    """Name of the stimulus where `of` is "picture", else ""."""
    quantiles: "np.ndarray"
    """(5, chan, time): 2.5, 25, 50, 75 and 97.5 % over windows."""
    spectrum_mean: "np.ndarray"
    """(chan, freq): amplitude, mean over windows."""
    spectrum_sd: "np.ndarray"
    freqs: "np.ndarray"
    """In Hz."""
    correlation: "np.ndarray"
    """(chan, chan)."""
    examples: "np.ndarray"
    """(window, chan, time)."""


@dataclass(frozen=True, kw_only=True)
class SignalContents:
    """Summaries of real and generated signals, and what autoencoders make of both."""

    summaries: tuple[SignalSummary, ...]
    progress: Mapping[str, "np.ndarray"] | None
    """Spectra of the autoencoder's reconstructions during training."""
    reconstructions: Mapping[str, "np.ndarray"] | None
    shown: Mapping[str, "np.ndarray"] | None
    """Single pictures whose showings have summaries."""

    def systems(self, *, of: str) -> list[SignalSummary]:
        """Return what systems made for a set, in the order of `SYSTEMS`, without real signals."""
        found = [s for s in self.summaries if s.of == of and s.system != REAL]
        return sorted(found, key=lambda s: system_order(s.system))

    def real(self, *, of: str, picture: str = "") -> SignalSummary | None:
        """Return the summary of real signals of a set or of a picture's showings."""
        return next(
            (s for s in self.summaries if (s.system, s.of, s.picture) == (REAL, of, picture)), None
        )

    def compared(self) -> list[tuple[SignalSummary, SignalSummary]]:
        """Return (real, system) of every set that holds both, test showings first."""
        pairs = []
        for of in SETS:
            real = self.real(of=of)
            pairs += [(real, made) for made in self.systems(of=of) if real is not None]
        return pairs


NOTHING_YET = SignalContents(summaries=(), progress=None, reconstructions=None, shown=None)
"""Of a run that is known to make signals and has written none."""


def system_order(name: str) -> tuple[int, str]:
    """Return a sorting key; systems that a recipe names itself follow the autoencoder."""
    return (2 * SYSTEMS.index(name) if name in SYSTEMS else 1, name)


def read_signals(run: RunDir) -> SignalContents | None:
    """Read folds/pictures, None where it holds nothing of a run that makes signals.

    Raises
    ------
    ValueError
        If the index names a file outside its folder, or summaries have other axes than they should,
        or different channels.
    """
    index = _index(run)
    found = SignalContents(
        summaries=tuple(_summary(run, entry) for entry in index),
        progress=_arrays(run, "progress.npz"),
        reconstructions=_arrays(run, "reconstructions.npz"),
        shown=_arrays(run, "shown.npz"),
    )
    sizes = {summary.quantiles.shape[1:] for summary in found.summaries}
    if len(sizes) > 1:
        raise ValueError(
            f"all summaries of {FOLD} must have the same channels and samples; got "
            f"{sorted(sizes)}; {_REMEDY}"
        )
    parts = (found.progress, found.reconstructions, found.shown)
    return found if index or any(part is not None for part in parts) else None


def _index(run: RunDir) -> list[Mapping[str, Any]]:
    name = f"{FOLD}/summaries/index.json"
    if not run.has(name):
        return []
    index = run.read_json(name)
    check_structure(index, _INDEX, where=name, remedy=_REMEDY)
    return index


def _arrays(run: RunDir, name: str) -> Mapping[str, "np.ndarray"] | None:
    return run.read_arrays(f"{FOLD}/{name}") if run.has(f"{FOLD}/{name}") else None


def _summary(run: RunDir, entry: Mapping[str, Any]) -> SignalSummary:
    name = f"{FOLD}/summaries/{entry['file']}"
    if "/" in entry["file"] or "\\" in entry["file"]:
        raise ValueError(
            f"the index of summaries must name files beside it; got {entry['file'][:100]!r}; "
            f"{_REMEDY}"
        )
    arrays = run.read_arrays(name)
    for key, n_axes in _AXES.items():
        got = arrays[key].ndim if key in arrays else "none"
        if got != n_axes:
            raise ValueError(f"`{key}` of {name} must have {n_axes} axes; got {got}; {_REMEDY}")
    n_chans, n_freqs = arrays["quantiles"].shape[1], len(arrays["freqs"])
    expected = {
        "quantiles": (5, n_chans, arrays["quantiles"].shape[2]),
        "spectrum_mean": (n_chans, n_freqs),
        "spectrum_sd": (n_chans, n_freqs),
        "correlation": (n_chans, n_chans),
        "examples": (len(arrays["examples"]), *arrays["quantiles"].shape[1:]),
    }
    for key, shape in expected.items():
        if arrays[key].shape != shape:
            raise ValueError(
                f"`{key}` of {name} must have the shape {shape}; got {arrays[key].shape}; {_REMEDY}"
            )
    for key in _AXES:
        check_finite(f"{key} of {name}", arrays[key])
    return SignalSummary(
        system=entry["system"],
        of=entry["set"],
        title=entry.get("title", ""),
        picture=entry.get("picture", ""),
        **{key: arrays[key] for key in _AXES},
    )
