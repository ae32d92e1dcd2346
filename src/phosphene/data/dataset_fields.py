"""The types of what the JSON files of a data set folder hold."""

_COLUMNS = {str: str}
INFO_FIELDS = {
    "format_version": int,
    "name": str,
    "classes": [str],
    "epochs": {
        "file": str,
        "margin": int,
        "sfreq": float,
        "tmin": float,
        "ch_names": [str],
        "unit": str,
    },
    "images": (None, {"file": str, "classes": [str]}),
    "preprocessing": {"settings?": {str: object}},
    "ceiling?": (None, {"accuracy": float, "low": float, "high": float}),
    "published_splits?": [{"key": str, "train": [str], "val": [str], "test": [str]}],
    "doubt?": str,
    "recordings": [str],
    "columns": {str: _COLUMNS},
    "arrays": {str: {"shape": [int], "dtype": str}},
    "files": {str: {"bytes": int, "sha256": str}},
    "hashes": int,
    "data_hash": str,
}
"""What info.json must hold; a name with "?" may be missing."""

RECORDING_FIELDS = {
    "sfreq": float,
    "ch_names": [str],
    "recording": str,
    "subject": str,
    "session": str,
    "source": str,
    "sha256": str,
    "montage": (None, str),
    "gaps": [int],
    "sfreq_measured": (None, float),
    "meas_note": str,
    "columns": _COLUMNS,
}
"""What the JSON file of a recording must hold."""
