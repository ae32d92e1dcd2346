"""All controls of a finished run: do what is not done yet, score all of it, judge."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from phosphene.evaluation.verdict import judge
from phosphene.experiment.controls import decisions, inference, leaking, pictures, retraining
from phosphene.experiment.controls import windows as other_windows
from phosphene.experiment.controls.control import (
    Arrays,
    Control,
    ControlNotPossibleError,
    Found,
    Task,
    control_to_json,
)
from phosphene.experiment.controls.evidence import evidence_to_json, gather_evidence
from phosphene.experiment.controls.material import Effort, Material, PlanOf, open_material
from phosphene.experiment.controls.workers import Answer, failure_words, work_off
from phosphene.run_dir import RunDir
from phosphene.training.progress import Progress, SilentProgress

FILE = "controls.json"
FOLDER = "controls"
CONTROLS: tuple[Control, ...] = (
    *leaking.CONTROLS,
    *other_windows.CONTROLS,
    *decisions.CONTROLS,
    *inference.CONTROLS,
    *retraining.CONTROLS,
    *pictures.CONTROLS,
)
"""In the order in which they are shown."""


def run_controls(
    run: RunDir,
    *,
    data: Path,
    plan_of: PlanOf | None,
    effort: Effort | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Do all controls that run and data allow, and write controls.json.

    Work that is in RUN/controls already is not done again, so a run that was stopped goes on. The
    numbers depend on the run, its seed and `effort`, and not on the number of processes.

    Parameters
    ----------
    run
        A finished run that reads classes from signals.
    data
        The data set folder that it was trained on.
    plan_of
        From the run to its plan and settings; None where its recipe has none.
    effort
        How much is trained again.
    jobs
        Processes side by side.
    progress
        Told how many pieces of work are done.

    Returns
    -------
    dict
        The content of controls.json: ``verdict``, ``evidence``, ``controls`` and ``not_run``.

    Raises
    ------
    ValueError
        When the data are not the run's, or RUN/controls is of another run.
    """
    effort = effort or Effort()
    material = open_material(run, data, plan_of=plan_of, effort=effort)
    _check_cache(material)
    tasks, not_run = list_tasks(material)
    answers = _do_missing(material, tasks, data=data, plan_of=plan_of, jobs=jobs, progress=progress)
    seconds = _add_seconds(run, answers)
    reasons = {answer.name: answer.reason for answer in answers if answer.reason}

    def made(name: str) -> Arrays:
        if not run.has(_file(name)):
            raise ControlNotPossibleError(reasons.get(name, f"{name} was not worked on"))
        return run.read_arrays(_file(name))

    records, found = [], {}
    for control in CONTROLS:
        if control.key in not_run:
            continue
        try:
            found[control.key] = one = control.report(material, made)
        except ControlNotPossibleError as error:
            not_run[control.key] = str(error)
            continue
        except Exception as error:  # the others must not be lost to one defect
            not_run[control.key] = f"it failed with {failure_words(error)}"
            continue
        spent = sum((seconds.get(task.name, 0.0) for task in tasks[control.key]), 0.0)
        records.append(control_to_json(control, one, seconds=spent))
    content = _content(material, found, made, records, not_run)
    run.write_json(FILE, content)
    return content


def _content(
    material: Material,
    found: Mapping[str, Found],
    made: Callable[[str], Arrays],
    records: list[dict[str, Any]],
    not_run: Mapping[str, str],
) -> dict[str, Any]:
    evidence = gather_evidence(material, found, made)
    verdict = judge(evidence)
    return {
        "verdict": {"claim": verdict.claim, "because": list(verdict.because)},
        "evidence": evidence_to_json(evidence),
        "design": material.design,
        "split": material.words,
        "seed": material.seed,
        "controls": records,
        "not_run": [
            {"key": c.key, "title": c.title, "why": not_run[c.key]}
            for c in CONTROLS
            if c.key in not_run
        ],
    }


def list_tasks(material: Material) -> tuple[dict[str, list[Task]], dict[str, str]]:
    """Return the work of each control by its key, and why others cannot be done."""
    tasks, not_run = {}, {}
    for control in CONTROLS:
        try:
            tasks[control.key] = control.tasks(material)
        except ControlNotPossibleError as error:
            not_run[control.key] = str(error)
    return tasks, not_run


def _do_missing(
    material: Material,
    tasks: Mapping[str, list[Task]],
    *,
    data: Path,
    plan_of: PlanOf | None,
    jobs: int,
    progress: Progress | None,
) -> list[Answer]:
    progress = progress or SilentProgress()
    names = dict.fromkeys(task.name for some in tasks.values() for task in some)
    left = [name for name in names if not material.run.has(_file(name))]
    left.sort(key=lambda name: not name.startswith(("null-", "seed-", "signals-")))  # long first
    if not left:
        return []
    done = [len(names) - len(left)]
    progress.start("controls", len(names))

    def on_done(answer: Answer) -> None:
        del answer
        done[0] += 1
        progress.update(done[0], {})

    answers = work_off(
        left,
        open_tasks=partial(_open_tasks, material.run.path, data, plan_of, material.effort),
        keep=partial(_keep, material.run.path),
        jobs=jobs,
        on_done=on_done,
    )
    progress.finish()
    return answers


def _open_tasks(
    path: Path, data: Path, plan_of: PlanOf | None, effort: Effort
) -> Mapping[str, Task]:
    material = open_material(RunDir(path), data, plan_of=plan_of, effort=effort)
    return {task.name: task for some in list_tasks(material)[0].values() for task in some}


def _keep(path: Path, name: str, arrays: Arrays) -> None:
    RunDir(path).write_arrays(_file(name), arrays)


def _file(name: str) -> str:
    return f"{FOLDER}/{name}.npz"


def _check_cache(material: Material) -> None:
    """Refuse work that was done for other decisions than those in the run."""
    run = material.run
    digest = hashlib.sha256()
    for key in ("trial", "probabilities"):
        digest.update(material.decoded[key].tobytes())
    about = {"split": material.split.sha256, "decoded": digest.hexdigest()[:16]}
    name = f"{FOLDER}/about.json"
    if run.has(name) and run.read_json(name) != about:
        raise ValueError(
            f"controls must be of the run they lie in; {run.path / FOLDER} was made for other "
            "decisions. Delete that folder and call the command again."
        )
    run.write_json(name, about)
    run.remove_unfinished()


def _add_seconds(run: RunDir, answers: list[Answer]) -> dict[str, float]:
    """Add the time of tasks to controls/timings.json and return those of all."""
    name = f"{FOLDER}/timings.json"
    known = run.read_json(name) if run.has(name) else {}
    known |= {a.name: round(a.seconds, 3) for a in answers if not a.reason}
    run.write_json(name, known)
    return known
