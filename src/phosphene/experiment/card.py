"""What a bundle says about itself: its spec and the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

from phosphene.data.trials import Trials
from phosphene.evaluation.fold_scores import leak_stamps
from phosphene.experiment.plan import Plan
from phosphene.run_dir import RunDir
from phosphene.score import Score

CARD = "bundle/README.md"
SCALING = {
    "channel": {
        "per": "channel",
        "subtract": "scaler.mean",
        "divide_by": "scaler.scale",
        "in": "weights.safetensors",
        "fitted_on": "training trials of the fold",
    },
    "window": {"per": "window", "formula": "2 x / largest value of the window - 1"},
}
SCALED = {
    "channel": "per channel by mean and SD of the training trials (in the weights, not refitted)",
    "window": "window by window: 2 x / its largest value - 1; no amplitude is left",
}
"""Words of the model card for each of `SCALERS`."""


def bundle_spec(
    plan: Plan,
    trials: Trials,
    *,
    color: int,
    montage: str | None,
    fold: str,
    scaling: str = "channel",
) -> dict[str, Any]:
    """Return what a bundle says about its networks and the signals it expects."""
    return {
        "task": "signal to picture",
        "recipe": plan.recipe,
        "citation": plan.citation,
        "encoder": plan.encoder.spec(trials),
        "generator": plan.painter.spec(color=color, n_classes=trials.n_classes),
        "classes": list(trials.classes),
        "ch_names": list(trials.ch_names),
        "montage": montage,
        "sfreq": float(trials.sfreq),
        "tmin": float(trials.tmin),
        "n_times": int(trials.n_times),
        "unit": trials.unit,
        "preprocessing": trials.preprocessing,
        "scaling": SCALING[scaling],
        "fold": fold,
    }


def write_card(run: RunDir, scores: Sequence[Score]) -> None:
    """Write the model card of a run's bundle with its scores, if there is a bundle yet."""
    if run.has("bundle/spec.json"):
        spec, data, split = (
            run.read_json(name) for name in ("bundle/spec.json", "dataset.json", "split.json")
        )
        card = model_card(spec, data, scores, split=split)
        run.write_bytes(CARD, lambda file: file.write(card.encode()))


def model_card(
    spec: Mapping[str, Any],
    data: Mapping[str, Any],
    scores: Sequence[Score],
    *,
    split: Mapping[str, Any] | None = None,
) -> str:
    """Return the text that travels with the weights.

    Parameters
    ----------
    spec
        Of the bundle.
    data
        What the run's dataset.json says of the recordings and pictures.
    scores
        Of the run; empty before there are any.
    split
        What the run's split.json says, of which a leak that was allowed and a doubt are told; None
        for one that is known to be clean.
    """
    stamps = leak_stamps(split or {})
    classes = ", ".join(spec["classes"])
    return f"""# EEG to pictures ({spec["recipe"]})

Decodes one of the classes {classes} from an epoch of EEG and draws a picture of it.
The picture shows the decoded class, not the picture that was seen. Method:
{spec["citation"]}.
The networks are {spec["encoder"]["network"]} and {spec["generator"]["network"]}.

## How to use it

    phosphene doctor
    phosphene data inspect RECORDING
    phosphene generate BUNDLE --signals RECORDING --out pictures

`generate` refuses recordings that do not fit and names the option that helps.

## Signals it expects

- {len(spec["ch_names"])} channels ({", ".join(spec["ch_names"])}), montage
  {spec["montage"] or "not stated"}, in {spec["unit"]}; found by name, in any order.
- {spec["n_times"]} samples at {spec["sfreq"]:g} Hz from {spec["tmin"]:g} s after the event.
{_steps(spec["preprocessing"])}
- Scaled {SCALED[spec.get("scaling", {"per": "channel"})["per"]]}.

## Data

{_data_lines(spec, data, stamps)}

## Scores

{_score_lines(scores, stamps)}

## What it is for, and its limits

- For research on decoding, and for showing what decoding can do. Not for diagnosis, and not for
  inferring what somebody thinks.
- It knows {len(spec["classes"])} classes and names one of them whatever the signal holds, noise
  too.
- Trained on one data set: expect chance on other people and headsets until the scores of a run on
  their recordings say otherwise.
- A person's recordings may be recognisable from what was trained on them: share it as you may share
  the recordings.
"""


def _steps(preprocessing: Mapping[str, Any]) -> str:
    steps = []
    for step in preprocessing.get("steps", ()):
        details = [f"{key} {value}" for key, value in step.items() if key not in ("step", "mne")]
        steps.append(f"  - {step.get('step')}: {', '.join(details)}")
    return "\n".join(["- Preprocessed so, as `generate` does with raw recordings:", *steps])


def _data_lines(spec: Mapping[str, Any], data: Mapping[str, Any], stamps: str) -> str:
    people, pictures = len(data["per_subject"]), data["images"]
    licence = (data.get("licence") or "").strip().splitlines()
    citation = (data.get("citation") or "").strip().replace("\n", " ")
    pairs = ", ".join(f"{name} {n}" for name, n in data["per_class"].items())
    lines = [
        f"- {data['name']} ({data['origin']}), hash {data['data_hash']}: {data['n_trials']} trials "
        f"({pairs}) of {people} {'person' if people == 1 else 'people'}, {data['n_recordings']} "
        "recordings.",
        f"- Fold `{spec['fold']}`: its trials "
        + (
            f"were held out, but training may know them ({stamps})."
            if stamps
            else "trained nothing here."
        ),
        f"- Pairing of trials and pictures: {data['pairing']['kind']}.",
        f"- Licence found beside the pictures: {licence[0] if licence else 'none; ask the owner'}.",
        "- Licence of the recordings: as their owner says; not kept in the data set.",
    ]
    if data["origin"] == "simulated":
        lines[-1] = "- Recordings: simulated, of nobody."
    if pictures:
        lines.insert(1, f"- {pictures['n']} pictures, {pictures['n_shown']} of them shown.")
    return "\n".join([*lines, *([f"- Cite: {citation}."] if citation else [])])


def _score_lines(scores: Sequence[Score], stamps: str) -> str:
    """Return a table of what was scored over all folds, and of pictures, with its notes."""
    chosen = [s for s in scores if s.fold == "all" or s.section != "decoding"]
    chosen = [s for s in chosen if not s.name.startswith("IS of class ")]  # the report has them
    if not chosen:
        return "Not scored yet: the run that made this bundle is not finished."
    lines = [
        "Of the run that this bundle comes from, on "
        + (
            f"held-out trials that training may know ({stamps})"
            if stamps
            else "trials that trained nothing"
        )
        + "; controls must lie in their range under chance.",
        "",
    ]
    return "\n".join(lines + score_table(chosen))


def score_table(scores: Sequence[Score]) -> list[str]:
    """Return the lines of a table of scores, with their notes under it."""
    lines = [
        "| score | of | value | 95 % interval | chance | n | note |",
        "|---|---|---|---|---|---|---|",
    ]
    notes = list(dict.fromkeys(score.note for score in scores if score.note))
    for score in scores:
        role = "" if score.role == "result" else f" ({score.role})"
        chance = _span(score.chance_low, score.chance_high)
        if not chance and score.chance is not None:
            chance = f"{score.chance:.3f}"
        cells = (
            score.name,
            score.method + role,
            f"{score.value:.3f}",
            _span(score.low, score.high),
            chance,
            f"{score.n} {score.unit}",
            str(notes.index(score.note) + 1) if score.note else "",
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    if notes:
        lines += ["", "Notes:", "", *(f"{i}. {note}." for i, note in enumerate(notes, start=1))]
    return lines


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
