"""The specification of a bundle, read from a file that is not trusted."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phosphene._checks import check_option
from phosphene._checks.files import inside, read_json, shown
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.scaling import SCALERS

FORMAT_VERSION = 1
MAX_BYTES = 1 << 20
MAX_NAME = 200
MAX_SFREQ = 1e5
MAX_SIDE = 20_000
"""Rows or columns of a picture."""
MAX_RESTORED_SIDE = 1024
"""The same of one that a network restores as a whole."""
MAX_CORRUPTION = 500
"""Characters of the text of a corruption."""
SIGNAL_TO_PICTURE = "signal to picture"
PICTURE_TO_SIGNAL = "picture to signal"
PICTURE_TO_PICTURE = "picture to picture"
SIGNAL_TO_FEATURES = "signal to features"
NEEDED = {
    SIGNAL_TO_PICTURE: (
        "encoder",
        "generator",
        "noise",
        "classes",
        "ch_names",
        "sfreq",
        "tmin",
        "n_times",
        "preprocessing",
    ),
    PICTURE_TO_SIGNAL: (
        "generator",
        "noise",
        "ch_names",
        "sfreq",
        "tmin",
        "n_times",
        "picture_size",
        "source_size",
        "window_mean",
        "window_sd",
    ),
    PICTURE_TO_PICTURE: ("network", "size", "color", "corruption"),
    SIGNAL_TO_FEATURES: ("classifier", "stimuli", "ch_names", "sfreq", "tmin", "n_times"),
}
"""What the spec of each task must hold."""


def bundle_task(folder: Path) -> str:
    """Return what a bundle is for, a key of `NEEDED`, from its spec.json.

    Raises
    ------
    ValueError
        When it is missing, too large, no JSON, or of another format or task.
    """
    return str(_read(folder)["task"])


def read_spec(folder: Path, *, task: str = SIGNAL_TO_PICTURE) -> dict[str, Any]:
    """Read and check spec.json of a bundle for one task.

    Raises
    ------
    ValueError
        When it is missing, too large, no JSON, of another format or task, or lacks or contradicts
        what a bundle needs.
    """
    spec, path = _read(folder), folder / "spec.json"
    check_option("task", str(spec["task"]), (task,))
    for name in NEEDED[task]:
        if name not in spec:
            raise ValueError(
                f"spec.json must hold `{name}`; {path} lacks it. Export the run again."
            )
    for name in {"classes", "stimuli", "ch_names"} & set(NEEDED[task]):
        _check_names(name, spec[name])
    _check_numbers(spec)
    if task == SIGNAL_TO_PICTURE:
        _check_signal_to_picture(spec, path)
    elif task == PICTURE_TO_SIGNAL:
        _check_picture_to_signal(spec)
    elif task == PICTURE_TO_PICTURE:
        _check_picture_to_picture(spec)
    return spec


def _read(folder: Path) -> dict[str, Any]:
    """Return the content of spec.json, of a format and for a task that are known."""
    path = inside(folder, "spec.json")
    if not path.is_file():
        raise ValueError(
            f"a bundle is a folder with spec.json; {folder} has none. `phosphene train` leaves one "
            "in RUN/bundle."
        )
    spec = read_json(path, limit=MAX_BYTES, remedy="export the run again.")
    if not isinstance(spec, dict) or spec.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"this version reads bundles of format {FORMAT_VERSION}; {path} is none. "
            "Export the run again."
        )
    if "task" not in spec:
        raise ValueError(f"spec.json must hold `task`; {path} lacks it. Export the run again.")
    check_option("task", str(spec["task"]), NEEDED)
    return spec


def _check_signal_to_picture(spec: Mapping[str, Any], path: Path) -> None:
    check_option("noise", str(spec["noise"]), ("normal", "uniform"))
    check_option("condition_on", str(spec.get("condition_on", "features")), ("features", "label"))
    check_option("scaling", scaling_from(spec), SCALERS)
    if spec.get("montage") is not None:
        _check_names("montage", [spec["montage"]])
    recorded = spec["preprocessing"]
    if not (isinstance(recorded, dict) and isinstance(recorded.get("settings", {}), dict)):
        raise ValueError(
            f"`preprocessing` in {path} must name steps and settings; it does not. "
            "Export the run again."
        )


def _check_picture_to_signal(spec: Mapping[str, Any]) -> None:
    check_option("noise", str(spec["noise"]), ("normal",))
    for name in ("picture_size", "source_size"):
        size = spec[name]
        if not _is_size(size, MAX_SIDE) and size is not None:
            raise ValueError(
                f"`{name}` in spec.json must be rows and columns, 1 to {MAX_SIDE}, or null; got "
                f"{shown(size)}. Export the run again."
            )


def _check_picture_to_picture(spec: Mapping[str, Any]) -> None:
    if not _is_size(spec["size"], MAX_RESTORED_SIDE):
        raise ValueError(
            f"`size` in spec.json must be rows and columns, 1 to {MAX_RESTORED_SIDE}; got "
            f"{shown(spec['size'])}. Export the run again."
        )
    if type(spec["color"]) is not int or spec["color"] not in (1, 3):
        raise ValueError(
            f"`color` in spec.json must be 1 (grey) or 3 (RGB); got {shown(spec['color'])}. Export "
            "the run again."
        )
    text = spec["corruption"]
    if not isinstance(text, str) or len(text) > MAX_CORRUPTION or not text.isprintable():
        raise ValueError(
            f"`corruption` in spec.json must be at most {MAX_CORRUPTION} printable characters; got "
            f"{shown(text)}. Export the run again."
        )


def _is_size(value: Any, largest: int) -> bool:
    """Say whether a value is rows and columns."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and 0 < side <= largest for side in value)
    )


def scaling_from(spec: Mapping[str, Any]) -> str:
    """Return what signals are scaled by: "channel" where a spec does not say."""
    found = spec.get("scaling", {"per": "channel"})
    return str(found.get("per") if isinstance(found, dict) else found)


def preprocessing_from(spec: Mapping[str, Any], *, path: Path) -> Preprocessing:
    """Return how trials were cut, from a checked spec.

    Raises
    ------
    ValueError
        When the spec does not say, names settings that there are not, or values that they cannot
        have.
    """
    settings = spec["preprocessing"].get("settings")
    if not settings:
        raise ValueError(
            f"cutting a recording needs the settings of the training trials; {path} does not hold "
            "them. Give a data set folder instead."
        )
    for name, value in settings.items():
        check_option("preprocessing", name, Preprocessing.__dataclass_fields__)
        if not _is_setting(name, value):
            raise ValueError(
                f"`{name}` of the preprocessing in {path} cannot be {shown(value)}. "
                "Export the run again."
            )
    if settings.get("resample") not in (None, spec["sfreq"]):
        raise ValueError(
            f"`resample` must be the rate of the epochs, {spec['sfreq']:g} Hz; {path} has "
            f"{settings['resample']:g}. Export the run again."
        )
    try:
        values: dict[str, Any] = {name: _as_floats(value) for name, value in settings.items()}
        return Preprocessing(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`preprocessing` must say how trials are cut; {path} does not ({error}). "
            "Export the run again."
        ) from None


def _check_names(name: str, value: Any) -> None:
    fits = (
        isinstance(value, list)
        and value
        and all(isinstance(v, str) and 0 < len(v) <= MAX_NAME and v.isprintable() for v in value)
        and len(set(value)) == len(value)
    )
    if not fits:
        raise ValueError(
            f"`{name}` in spec.json must be different printable names; got {shown(value)}. "
            "Export the run again."
        )


def _is_setting(name: str, value: Any) -> bool:
    """Say whether a value from a file has the type and a sensible size for the setting."""
    if name == "reference":
        return isinstance(value, str) and len(value) <= MAX_NAME
    if value is None:
        return name in ("band", "notch", "resample", "baseline", "reject")
    pair = name in ("band", "baseline")
    numbers = value if isinstance(value, list) and pair and len(value) == 2 else [value]
    if pair and numbers is not value:
        return False
    low, high = {"notch": (1, MAX_SFREQ), "resample": (0, MAX_SFREQ)}.get(name, (-3600, 3600))
    high = MAX_SFREQ if name == "band" else high
    return all(
        isinstance(n, int | float) and not isinstance(n, bool) and low <= n <= high for n in numbers
    )


def _as_floats(value: Any) -> Any:
    """Turn numbers and pairs of numbers into floats, which JSON may write as integers."""
    if isinstance(value, list):
        return tuple(map(float, value))
    return float(value) if isinstance(value, int) else value


def _check_numbers(spec: Mapping[str, Any]) -> None:
    limits = {
        "sfreq": (0, MAX_SFREQ),
        "tmin": (-1e4, 1e4),
        "n_times": (0, 1e6),
        "window_mean": (-1, 1),
        "window_sd": (0, 1),
    }
    for name in limits.keys() & set(NEEDED[spec["task"]]):
        (low, high), value = limits[name], spec[name]
        plain = isinstance(value, int if name == "n_times" else int | float)
        if isinstance(value, bool) or not plain or not low < value < high or math.isnan(value):
            raise ValueError(
                f"`{name}` in spec.json must be a number between {low:g} and {high:g}; got "
                f"{shown(value)}. Export the run again."
            )
