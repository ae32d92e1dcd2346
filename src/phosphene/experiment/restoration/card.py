"""The model card of what a run that restores pictures gives away."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from phosphene.evaluation.fold_scores import leak_stamps
from phosphene.experiment.card import score_table
from phosphene.score import Score


def restoration_card(
    spec: Mapping[str, Any],
    data: Mapping[str, Any],
    scores: Sequence[Score],
    *,
    split: Mapping[str, Any] | None = None,
) -> str:
    """Return the text that travels with a network that restores pictures.

    Parameters
    ----------
    spec
        Of the bundle: what `restoration_spec` says, and ``recipe``, ``citation``, ``name`` of the
        system and ``fold``.
    data
        What the run's dataset.json says of the pictures.
    scores
        Of the run; empty before there are any.
    split
        What the run's split.json says, of which a leak that was allowed and a doubt are told; None
        for one that is known to be clean.
    """
    rows, columns = spec["size"]
    kind = "grey" if spec["color"] == 1 else "RGB"
    other = "colored" if spec["color"] == 1 else "grey"
    return f"""# Restoration of corrupted pictures ({spec["recipe"]}, {spec["name"]})

Takes a picture with a lost or noisy part and draws what it may have been.
What was lost is drawn as the network learnt such pictures; it is not recovered. Method:
{spec["citation"]}.
The network is {spec["network"]["network"]}.

## How to use it

    phosphene doctor
    phosphene restore BUNDLE --images PICTURES --out restored
    phosphene restore BUNDLE --images PICTURES --corrupt trained --out compared

writes `restored/*.png`, `restored.csv` and `grid.png`; the second corrupts the pictures first and
says how far each is from what it was.

## Pictures it expects

- {columns} x {rows} pixels (width x height), {kind}. Others are resized as a whole, and stretched
  where their sides have another ratio; {other} ones are refused unless --convert is given.
- Like those of the training, bright and dark alike (--invert turns them).
- Corrupted by `{spec["corruption"]}`: it learnt to undo this, and nothing else.

## Data

{_data_lines(spec, data, split)}

## Scores

{_score_lines(scores, split)}

## What it is for, and its limits

- For research on restoration, and for pictures whose lost parts need only look right.
- A restored part may show something that never was there, another digit for instance, and looks no
  less clean for it. Do not use it where a picture is evidence: documents, scans, medical pictures.
- Scores are of test pictures of one collection with this corruption; pictures from elsewhere and
  other losses have none.
"""


def _data_lines(
    spec: Mapping[str, Any], data: Mapping[str, Any], split: Mapping[str, Any] | None
) -> str:
    stamps = leak_stamps(split or {})
    licence = (data.get("licence") or "").strip().splitlines()
    citation = (data.get("citation") or "").strip().replace("\n", " ")
    lines = [
        f"- {data['name']} ({data['origin']}), hash {data['data_hash']}: {data['n_train']:,} "
        f"pictures trained, {data['n_test']:,} were held out ({data['design']['reason']}).",
        f"- Licence found beside the pictures: {licence[0] if licence else 'none; ask the owner'}.",
    ]
    if stamps:
        lines.append(f"- Pictures held out may be known to the training ({stamps}).")
    return "\n".join([*lines, *([f"- Cite: {citation}."] if citation else [])])


def _score_lines(scores: Sequence[Score], split: Mapping[str, Any] | None) -> str:
    chosen = [score for score in scores if score.section == "restoration"]
    if not chosen:
        return "Not scored yet: the run that made this bundle is not finished."
    stamps = leak_stamps(split or {})
    doubt = f" Test pictures may be known ({stamps})." if stamps else ""
    intro = (
        "Of the run that this bundle comes from, on test pictures, pixels from 0 to 1. The bundle "
        f"holds the state at equal time.{doubt}"
    )
    named = [
        score if score.fold == "all" else replace(score, method=f"{score.method}, {score.fold}")
        for score in chosen
    ]
    return "\n".join([intro, "", *score_table(named)])
