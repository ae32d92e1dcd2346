"""The model card of a bundle."""

from collections.abc import Mapping
from typing import Any


def model_card(spec: Mapping[str, Any]) -> str:
    """Return the text that travels with the weights."""
    classes = ", ".join(spec["classes"])
    return f"""# EEG to pictures ({spec["recipe"]})

Decodes one of the classes {classes} from an epoch of EEG and draws a picture of it.
The picture shows the decoded class, not the picture that was seen.

- Signals: {len(spec["ch_names"])} channels ({", ".join(spec["ch_names"])}),
  {spec["n_times"]} samples at {spec["sfreq"]:g} Hz from {spec["tmin"]:g} s after the event, in
  volts, preprocessed as `spec.json` says.
- Trained on recordings of one data set in one fold: expect chance on other people and headsets
  until the scores of a run on their recordings say otherwise.
- Not for diagnosis, and not for inferring what somebody thinks.

    phosphene generate BUNDLE --signals FILE --out pictures
"""
