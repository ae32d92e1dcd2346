"""Model cards of what a run from pictures to signals gives away: a system and a classifier."""

from collections.abc import Mapping, Sequence
from typing import Any

from phosphene.evaluation.fold_scores import leak_stamps
from phosphene.experiment.card import score_table
from phosphene.score import Score


def response_card(
    spec: Mapping[str, Any],
    data: Mapping[str, Any],
    scores: Sequence[Score],
    split: Mapping[str, Any] | None = None,
) -> str:
    """Return the text that travels with a system from picture to signal.

    Parameters
    ----------
    spec
        Of the bundle: what `response_spec` says, and ``recipe``, ``citation``, ``name`` of the
        system, ``fold``; where ``autoencoder_data`` is "all" the card says what that leaks.
    data
        What the run's dataset.json says of the recording and the pictures.
    scores
        Of the run; empty before there are any.
    split
        What the run's split.json says, of which a leak that was allowed and a doubt are told; None
        for one that is known to be clean.
    """
    network = spec["generator"]["network"]
    if spec["picture_size"] is None:
        title = "Local field potentials from noise"
        what = "Makes windows of LFP as after natural scenes. It takes no pictures."
        options = ""
        wants = "It takes no pictures: every window is a draw from all of them."
    else:
        title, options = "Pictures to local field potentials", " --images PICTURES"
        what = "Makes windows of LFP as they may follow a picture, as many as you like of each."
        wants = _pictures(spec)
    return f"""# {title} ({spec["recipe"]}, {spec["name"]})

{what}
They are generated, not recorded. Method: {spec["citation"]}.
The network is {network}.

## How to use it

    phosphene doctor
    phosphene generate BUNDLE{options} --n 50 --out responses
    phosphene generate BUNDLE{options} --n 50 --volts --out responses

writes `generated.npy` (picture, draw, channel, time), `generated.nwb`, `pictures.csv` and a figure.

## Pictures it expects

{wants}

## Signals it makes

- {_signals(spec)}
- Z-scored: mean 0 and standard deviation 1 over each window's channels and samples. `--volts`
  scales all by the means of the training showings, SD {spec["window_sd"]:.4g} V and mean
  {spec["window_mean"]:.4g} V: how much windows differ in amplitude is not modelled.

## Data

{_data_lines(spec, data, split)}

## Scores

{_score_lines(scores, split)}

## What it is for, and its limits

- For methods and models that need realistic signals whose picture is known. It is no recording: do
  not report its windows as data of an animal.
- Trained on one probe in one animal. Other depths, areas, species and electrodes are not in it, and
  channels are those of that probe.
- It answers any picture of the right size. Whether the answer belongs to the picture is what
  "picture specificity" on test pictures says; pictures unlike the training's have no score.
"""


def classifier_card(
    spec: Mapping[str, Any],
    data: Mapping[str, Any],
    scores: Sequence[Score],
    split: Mapping[str, Any] | None = None,
) -> str:
    """Return the text that travels with a classifier of windows.

    Parameters
    ----------
    spec
        Of the bundle: what `classifier_spec` says, and ``recipe``, ``fold``.
    data, split
        As for `response_card`.
    scores
        Of the run; those of the section "decoding" say how well it classifies.
    """
    decoding = [score for score in scores if score.section == "decoding"]
    network = spec["classifier"]["network"]
    return f"""# Classifier of LFP windows ({spec["recipe"]})

Tells from one z-scored window which of {len(spec["stimuli"])} pictures was shown. Its features,
before the last layer, are what the Fréchet distances of signals are measured on. The LFPGAN thesis
(section 7.1) asks for such a network as a standard of its field. The network is {network}.

## How to use it

    from pathlib import Path
    from phosphene.export.signal_classifier import load_signal_classifier

    classifier = load_signal_classifier(Path("BUNDLE")).classifier
    features = classifier.features(z)  # (window, feature) float32
    probabilities = classifier.probabilities(z)  # (window, picture), as in classifier.stimuli

`z` is (window, channel, time) float32; `phosphene.data.windows.zscore_windows` makes it of volts.

## Signals it expects

- {_signals(spec)}
- Z-scored: mean 0 and standard deviation 1 over each window's channels and samples.

## Data

{_data_lines(spec, data, split)}
- Trained on showings of training pictures alone; tested on other showings of the same pictures.

## How well it classifies

{_score_lines(decoding, split)}

## What it is for, and its limits

- To compare sets of windows from this probe. Distances on its features are comparable where the
  features are the same network's: name it beside every number.
- It was trained on recorded windows of one probe in one animal; it names one of its pictures
  whatever the window holds, noise too.
"""


def _signals(spec: Mapping[str, Any]) -> str:
    names = ", ".join(spec["ch_names"])
    return (
        f"{len(spec['ch_names'])} channels ({names}), {spec['n_times']} samples at "
        f"{spec['sfreq']:g} Hz from {spec['tmin']:g} s after the picture's onset."
    )


def _pictures(spec: Mapping[str, Any]) -> str:
    rows, columns = spec["source_size"]
    lines = [
        f"- PNG, JPEG, TIFF or BMP of {columns} x {rows} pixels (width x height), as on the screen "
        "of the recording; others are refused.",
        "- Colors become grey (0.299 R + 0.587 G + 0.114 B).",
    ]
    if spec["picture_size"] != spec["source_size"]:
        rows, columns = spec["picture_size"]
        lines.append(f"- The network sees them shrunk to {columns} x {rows}; finer detail is lost.")
    return "\n".join(lines)


def _data_lines(
    spec: Mapping[str, Any], data: Mapping[str, Any], split: Mapping[str, Any] | None
) -> str:
    stamps = leak_stamps(split or {})
    licence = (data.get("licence") or "").strip().splitlines()
    citation = (data.get("citation") or "").strip().replace("\n", " ")
    lines = [
        f"- {data['name']} ({data['origin']}), hash {data['data_hash']}: {data['n_trials']} "
        f"showings, {data['recorded_s'] / 60:.1f} minutes of signal.",
        f"- Fold `{spec['fold']}`: pictures, not showings, were held out; their showings "
        + (f"may have trained it all the same ({stamps})." if stamps else "trained no system."),
        f"- Licence found beside the pictures: {licence[0] if licence else 'none; ask the owner'}.",
    ]
    if data["images"]:
        lines.insert(1, f"- {data['images']['n']} pictures, {data['images']['n_shown']} shown.")
    if spec.get("autoencoder_data") == "all":
        lines.append(
            "- Its signal autoencoder saw the whole recording, showings of held-out pictures too, "
            "as in the thesis: scores on test pictures are better than those of new recordings."
        )
    if data["origin"] == "simulated":
        lines.append("- The recording is simulated, of no animal.")
    else:
        lines.append("- Licence of the recording: as its owner says; not kept in the data set.")
    return "\n".join([*lines, *([f"- Cite: {citation}."] if citation else [])])


def _score_lines(scores: Sequence[Score], split: Mapping[str, Any] | None) -> str:
    stamps = leak_stamps(split or {})
    chosen = [score for score in scores if score.fold == "all" or score.section != "decoding"]
    if not chosen:
        return "Not scored yet: the run that made this bundle is not finished."
    doubt = f" Held-out pictures may be known ({stamps})." if stamps else ""
    intro = (
        "Of the run that this bundle comes from; rows named otherwise are what it stands beside. "
        f"References are recorded windows, controls must be worse.{doubt}"
    )
    return "\n".join([intro, "", *score_table(chosen)])
