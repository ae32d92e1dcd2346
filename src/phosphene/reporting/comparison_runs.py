"""What a comparison reads of each finished run, and which runs may share a column."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phosphene._checks.structure import check_structure
from phosphene.reporting.figures.class_scores import PREFIX
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_from_json

EDITED = "was it edited by hand?"
_NETWORK = {"network?": str, "n_parameters?": int, "digest?": str}
_STORED = {
    "config.json": {"recipe": str, "preset?": str, "config": {}},
    "environment.json": {"data_hash": str},
    "state.json": {"finished": bool},
    "split.json": {
        "unit": str,
        "folds": [{"key": str, "train": [str], "test": [str]}],
        "leak_reason?": (None, str),
        "doubt?": (None, str),
        "pictures?": {},
    },
    "networks.json": {str: _NETWORK},
    "timings.json": {
        "train_s?": {str: float},
        "pictures_per_s?": (None, float),
        "n_threads?": (None, int),
    },
}
NETWORKS = ("encoder", "generator", "discriminator")
"""Parts whose parameters are counted."""
COPIED = "copied.json"
"""Says which stages a run took over from another one, so that its training time is not whole."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A finished run: its scores, and what says whether they may stand beside those of others."""

    folder: RunDir
    recipe: str
    preset: str
    settings: Mapping[str, Any]
    """The recipe's Config, as stored."""
    scores: tuple[Score, ...]
    data: str
    data_hash: str
    classes: tuple[str, ...]
    split: str
    """Hash of the unit that was kept apart and of the trials of each fold."""
    stamps: tuple[str, ...]
    """What the split says against the scores: a leak that was allowed, a doubt."""
    decoded: tuple[str, ...]
    """Folds whose held-out trials were decoded."""
    pictures: str
    """Hash of the division of pictures between generator and judge; empty without pictures."""
    digests: Mapping[str, str]
    """Hash of the weights of "judge" and "domain", as far as the run says."""
    n_parameters: Mapping[str, int]
    """Trainable parameters of `NETWORKS`, as far as the run says."""
    train_s: float | None
    """Seconds of training in all; None where unknown, or where stages came from another run."""
    pictures_per_s: float | None
    n_threads: int | None
    variant: str = ""
    """Name that stands for recipe, preset and settings in the table; empty to make one."""

    @property
    def name(self) -> str:
        """Return the name of the run folder."""
        return self.folder.path.resolve().name

    @property
    def seed(self) -> Any:
        """Return the seed of the model, None where the recipe has none."""
        return self.settings.get("seed")

    @property
    def painted(self) -> tuple[str, ...]:
        """Return the folds whose pictures were scored."""
        found = {s.fold for s in self.scores if s.section == "pictures" and s.role == "result"}
        return tuple(key for key in (*self.decoded, "all") if key in found)


def read_run(run: RunDir, *, variant: str = "") -> RunResult:
    """Read a finished run.

    Parameters
    ----------
    run
        Its folder.
    variant
        How the table calls its settings; empty to name them by recipe and preset.

    Raises
    ------
    ValueError
        If the run is not finished or a file does not hold what a run writes.
    FileNotFoundError
        If the folder is no run.
    """
    config = _read(run, "config.json")
    state = _read(run, "state.json") if run.has("state.json") else {"finished": False}
    if not state["finished"]:
        raise ValueError(
            f"a run must be finished before it can be compared; {run.path} is not. "
            "Call its `phosphene train` command again with --resume, or leave it out."
        )
    split, environment = _read(run, "split.json"), _read(run, "environment.json")
    networks = _read(run, "networks.json") if run.has("networks.json") else {}
    timings = _read(run, "timings.json") if run.has("timings.json") else {}
    dataset = run.read_json("dataset.json") if run.has("dataset.json") else {}
    where = f"{run.path}/dataset.json"
    check_structure(dataset, {"name?": str, "classes?": [str]}, where=where, remedy=EDITED)
    seconds = timings.get("train_s", {})
    stamps = {"leak allowed": split.get("leak_reason"), "doubt": split.get("doubt")}
    return RunResult(
        folder=run,
        recipe=config["recipe"],
        preset=config.get("preset", ""),
        settings=config["config"],
        scores=tuple(scores_from_json(run.read_json("scores.json"))),
        data=dataset.get("name", ""),
        data_hash=environment["data_hash"],
        classes=tuple(dataset.get("classes", ())),
        split=_hash([split["unit"], [[f["key"], f["train"], f["test"]] for f in split["folds"]]]),
        stamps=tuple(f"{name}: {text}" for name, text in stamps.items() if text),
        decoded=tuple(
            fold["key"] for fold in split["folds"] if run.has(f"folds/{fold['key']}/decoding.npz")
        ),
        pictures=_division(split.get("pictures", {})),
        digests={n: found["digest"] for n, found in networks.items() if "digest" in found},
        n_parameters={
            name: networks[name]["n_parameters"]
            for name in NETWORKS
            if "n_parameters" in networks.get(name, {})
        },
        train_s=sum(seconds.values()) if seconds and not run.has(COPIED) else None,
        pictures_per_s=timings.get("pictures_per_s"),
        n_threads=timings.get("n_threads"),
        variant=variant,
    )


def _read(run: RunDir, name: str) -> Any:
    found = run.read_json(name)
    check_structure(found, _STORED[name], where=f"{run.path}/{name}", remedy=EDITED)
    return found


def _hash(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _division(pictures: Mapping[str, Any]) -> str:
    """Return a hash of which pictures served whom, empty where none served a generator."""
    users = {name: ids for name, ids in pictures.items() if name != "shown_in_both"}
    return _hash(users) if "generator" in users else ""


def extractor_of(score: Score) -> str:
    """Return "judge" or "domain" for scores that read a network trained with the run, else ""."""
    words = (score.extractor or "").split()
    return words[0] if words and words[0] in ("judge", "domain") else ""


def check_comparable(runs: Sequence[RunResult]) -> None:
    """Refuse runs whose scores cannot stand in one column.

    All must have decoded the same trials of the same data; those with pictures must have divided
    and sized them alike and must read them with the same networks. A run without the hash of a
    network is not refused: its scores through that network are left out, see `unidentified`.

    Raises
    ------
    ValueError
        Naming two runs, what differs between them, and what to do about it.
    """
    if not runs:
        raise ValueError("a comparison needs at least one run; got none. Name run folders.")
    names = [run.name for run in runs]
    for number, run in enumerate(runs):
        first = next(n for n, r in enumerate(runs) if _twin(r) == _twin(run))
        if first != number:
            raise ValueError(
                f"each run must be given once; {names[first]} and {names[number]} have the same "
                "recipe, settings and seed. Leave one of them out."
            )
    alike = "Train one of them again with"
    rules = (
        ("data_hash", "of the same data", "data with the hash", f"{alike} the other's data set"),
        ("split", "of one split", "the split", f"{alike} the other's split and split seed"),
        ("decoded", "of the same decoded folds", "the folds", f"{alike} the same --decode-folds"),
    )
    for field, rule, what, remedy in rules:
        check_alike(runs, lambda run, field=field: getattr(run, field), rule, what, remedy)
    painting = [run for run in runs if run.painted]
    rules = (
        ("pictures", "of one division of pictures", "the division", f"{alike} the other's seeds"),
        ("painted", "of pictures of the same folds", "the folds", f"{alike} its --picture-folds"),
    )
    for field, rule, what, remedy in rules:
        check_alike(painting, lambda run, field=field: getattr(run, field), rule, what, remedy)
    check_alike(
        painting,
        lambda run: run.settings.get("image_size"),
        "of pictures of one size",
        "pixels:",
        f"{alike} the other's --image-size",
    )
    _check_extractors(painting, alike)


def _twin(run: RunResult) -> tuple[str, str]:
    return run.recipe, _hash(dict(run.settings))


def check_alike(runs: Sequence[RunResult], value: Any, rule: str, what: str, remedy: str) -> None:
    """Refuse runs of which `value` gives different things, in the words that are given."""
    for run in runs[1:]:
        first, other = value(runs[0]), value(run)
        if first != other:
            raise ValueError(
                f"scores in one column must be {rule}; {runs[0].name} has {what} {_words(first)}, "
                f"{run.name} {_words(other)}. {remedy}, or compare them apart."
            )


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        shown = ", ".join(value[:3]) + (f" and {len(value) - 3} more" if len(value) > 3 else "")
        return shown or "none"
    return "none" if value in (None, "") else str(value)


def _check_extractors(runs: Sequence[RunResult], alike: str) -> None:
    """Refuse scores of one name that were read through different networks or numbers."""
    for network in ("judge", "domain"):
        known = [run for run in runs if network in run.digests]
        check_alike(
            known,
            lambda run, network=network: run.digests[network][:12],
            f"read through one {network} network",
            "one with the hash",
            f"{alike} the other's split seed, --image-size and --judge-steps",
        )
    first: dict[str, tuple[str, Score]] = {}
    for run in runs:
        for score in results(run.scores, "pictures"):
            name, other = first.setdefault(score.name, (run.name, score))
            if other.extractor != score.extractor:
                raise ValueError(
                    f"scores in one column must be read through one extractor; `{score.name}` of "
                    f"{name} reads {other.extractor!r}, that of {run.name} {score.extractor!r}. "
                    "Score the older run again with `phosphene evaluate`, or compare them apart."
                )
            by_class = score.name.startswith(PREFIX)  # as many as were decoded so; no column
            if "[" in score.name and not by_class and other.n != score.n:
                raise ValueError(
                    f"`{score.name}` must be of equally many pictures, as few ones bias it; {name} "
                    f"has {other.n}, {run.name} {score.n}. {alike} the other's --n-scored, or "
                    "compare them apart."
                )


def results(scores: Sequence[Score], section: str) -> list[Score]:
    """Return the results of a section."""
    return [s for s in scores if s.section == section and s.role == "result"]


def unidentified(runs: Sequence[RunResult]) -> dict[str, list[RunResult]]:
    """Return for "judge" and "domain" the runs that do not say which network they read.

    With a single run that draws pictures there is nothing to mix it up with.
    """
    painting = [run for run in runs if run.painted]
    if len(painting) < 2:
        return {}
    found = {
        network: [
            run
            for run in painting
            if network not in run.digests and any(extractor_of(s) == network for s in run.scores)
        ]
        for network in ("judge", "domain")
    }
    return {network: some for network, some in found.items() if some}
