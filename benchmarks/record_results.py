"""Write the scores of finished runs into the results.json of their recipe.

    python benchmarks/record_results.py runs/n170 --data "N170 subject 1, eeg-notebooks" \
        --command "phosphene train eeg2image_2023 quick --data data/n170 --out runs/n170"

replaces the entry of the same data, or adds one. Scores over all held-out recordings and of
pictures or signals are kept, those of single recordings, classes and bands are not. `phosphene
recipes --pages docs/recipes` then shows them.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from phosphene.recipes import get_recipe
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_from_json

SINGLE = ("IS of class ", "spectrum distance, ", "amplitude distance")
"""How names of scores begin that are left out: of one class, one band, one view of amplitudes."""


def main() -> None:
    """Read one run and rewrite results.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", required=True, help="what it was trained on, in words")
    parser.add_argument("--command", required=True, help="what anyone can repeat")
    options = parser.parse_args()
    run = RunDir(options.run)
    if not run.read_json("state.json")["finished"]:
        raise SystemExit(f"a run must be finished to be recorded; {options.run} is not. Resume it.")
    path = get_recipe(run.read_json("config.json")["recipe"]).module_folder / "results.json"
    results = json.loads(path.read_text())
    scores = scores_from_json(run.read_json("scores.json"))
    entry = {"data": options.data, "command": options.command, **record(scores)}
    same = [one for one in results["ours"] if one["data"] == entry["data"]]
    results["ours"] = [entry if one in same else one for one in results["ours"]]
    if not same:
        results["ours"].append(entry)
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    print(f"{path.parent.name}: {len(entry) - 2} scores of {options.data}")


def record(scores: list[Score]) -> dict[str, Any]:
    """Return scores by name and method, those of single recordings and classes left out."""
    found: dict[str, Any] = {}
    for score in scores:
        if score.section == "decoding" and score.fold != "all":
            continue
        if score.name.startswith(SINGLE):
            continue
        found.setdefault(score.name, {})[score.method] = plain(score)
    return found


def plain(score: Score) -> dict[str, Any]:
    """Return what travels with a number."""
    entry: dict[str, Any] = {"value": round(score.value, 3)}
    for name, ends in (
        ("interval", (score.low, score.high)),
        ("chance_range", (score.chance_low, score.chance_high)),
    ):
        if None not in ends:
            entry[name] = [round(float(end), 3) for end in ends if end is not None]
    return {**entry, "n": score.n, "unit": score.unit}


if __name__ == "__main__":
    main()
