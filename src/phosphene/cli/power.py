"""`phosphene power [DATA]`: what a design can detect, and what an effect needs."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from phosphene.cli.wrong_use import WrongUseError

if TYPE_CHECKING:
    from phosphene.evaluation.power import Design


def power(
    data: tyro.conf.Positional[Path | None] = None,
    *,
    accuracy: float = 0.6,
    ceiling: float | None = None,
    features: int = 16,
    power: float = 0.8,
    level: float = 0.04,
    recordings: int | None = None,
    trials: int | None = None,
    classes: int | None = None,
    recording_sd: float = 0.0,
    subject_sd: float = 0.05,
    json: bool = False,
) -> None:
    """Say which accuracy a design detects, and how many trials, recordings, subjects one needs.

    One recording is left out in turn; detected means that the verdict would be "decodes above
    chance on held-out recordings".

    Args:
        data: Data set folder whose recordings, trials and classes are taken; the options below
            replace them. Without it, 6 recordings of 50 trials and 2 classes.
        accuracy: Balanced accuracy of held-out trials that is to be detected.
        ceiling: In its place the best possible accuracy of two classes; what a linear decoder
            learns of it follows from the number of trials and of features.
        features: Independent features of that decoder.
        power: Probability with which it is to be detected.
        level: Largest p-value that counts as detected; the default is the verdict's.
        recordings: Recordings.
        trials: Trials in each recording; where classes were shown in blocks, blocks.
        classes: Classes.
        recording_sd: Standard deviation of the accuracy between recordings.
        subject_sd: Standard deviation of the accuracy between subjects.
        json: Print JSON instead of words.
    """
    from phosphene.evaluation.power import Design, learned_accuracy

    found = _read(data) if data is not None else {"unit": "trial", "n_subjects": 1}
    try:
        design = Design(
            n_recordings=recordings or found.get("n_recordings", 6),
            n_units=trials or found.get("n_units", 50),
            n_classes=classes or found.get("n_classes", 2),
            recording_sd=recording_sd,
        )
        if ceiling is not None and design.n_classes != 2:
            raise WrongUseError(
                f"`--ceiling` is for two classes; got {design.n_classes}; give --accuracy."
            )

        def reached(design: Design) -> float:
            if ceiling is None:
                return accuracy
            n_training = max(2, (design.n_recordings - 1) * design.n_units)
            return learned_accuracy(ceiling, n_features=features, n_training=n_training)

        content = _answer(design, reached, subject_sd=subject_sd, power=power, level=level)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    content |= {"unit": found["unit"], "ceiling": ceiling, "data": str(data) if data else None}
    if found["n_subjects"] > 1:
        content["n_subjects"] = found["n_subjects"]
    if json:
        print(json_format.dumps(content, indent=2))
        return
    _print(content)


def _read(folder: Path) -> dict[str, Any]:
    """Return recordings, units in the median recording, classes and subjects of a data set."""
    import numpy as np

    from phosphene.data.dataset import load_dataset
    from phosphene.evaluation.permutation import count_arrangements
    from phosphene.evaluation.run_description import blocks_of
    from phosphene.evaluation.units import independent_unit

    trials = load_dataset(folder).trials
    names, labels = trials.table["recording"].to_numpy(dtype=str), trials.labels
    blocks = blocks_of(trials)
    unit, _ = independent_unit(labels, recordings=names, blocks=blocks)
    counts = []
    for name in np.unique(names):
        rows = names == name
        inside = None if blocks is None else blocks[rows]
        counts.append(count_arrangements(labels[rows], names[rows], blocks=inside, unit=unit)[0])
    if not any(counts):
        raise ValueError(
            "what a design detects follows from units that vary inside recordings; each recording "
            f"of {folder} holds one class. Record several classes in each recording."
        )
    return {
        "unit": unit,
        "n_recordings": int(np.count_nonzero(counts)),
        "n_units": int(np.median([n for n in counts if n])),
        "n_classes": trials.n_classes,
        "n_subjects": len(np.unique(trials.table["subject"].to_numpy(dtype=str))),
    }


def _answer(
    design: "Design", reached: Any, *, subject_sd: float, power: float, level: float
) -> dict[str, Any]:
    from phosphene.evaluation import power as detection

    wanted = reached(design)
    chance = 1 / design.n_classes
    steps = sorted({wanted, *(chance + (1 - chance) * s for s in (0.05, 0.1, 0.2, 0.3, 0.5))})
    asked = {"power": power, "alpha": level}
    return {
        "n_recordings": design.n_recordings,
        "n_units": design.n_units,
        "n_classes": design.n_classes,
        "chance": chance,
        "level": level,
        "power_wanted": power,
        "accuracy": wanted,
        "power": detection.detection_power(design, wanted, alpha=level),
        "detectable_accuracy": detection.detectable_accuracy(design, **asked),
        "needed_recordings": detection.needed_recordings(design, reached, **asked),
        "needed_units": detection.needed_units(design, reached, **asked),
        "needed_subjects": detection.needed_subjects(
            design, wanted, subject_sd=subject_sd, **asked
        ),
        "subject_sd": subject_sd,
        "recording_sd": design.recording_sd,
        "powers": [[a, detection.detection_power(design, a, alpha=level)] for a in steps],
    }


def _print(content: dict[str, Any]) -> None:
    unit, n = content["unit"], content["n_units"]
    wanted, chance = content["accuracy"], content["chance"]
    print(
        f"design      {content['n_recordings']} recordings of {n} {unit}s, "
        f"{content['n_classes']} classes (chance {chance:.3f}), one recording left out in turn"
    )
    if content["ceiling"] is not None:
        print(
            f"learned     {wanted:.3f} of the best possible {content['ceiling']:.3f}, from the "
            "trials of the other recordings"
        )
    least = content["detectable_accuracy"]
    asked = f"power {content['power_wanted']:.2f} at level {content['level']:g}"
    print(
        f"detects     accuracy {least:.3f} and more with {asked}"
        if least is not None
        else f"detects     no accuracy with {asked}"
    )
    print(f"power       {content['power']:.2f} for accuracy {wanted:.3f}")
    aim = f"accuracy {wanted:.3f}"
    if content["ceiling"] is not None:
        aim = f"the best possible {content['ceiling']:.3f}"
    print(f"needed      for {aim}, {asked}, one of")
    print(f"            {_count(content['needed_recordings'])} recordings of {n} {unit}s")
    print(
        f"            {content['n_recordings']} recordings of {_count(content['needed_units'])} "
        f"{unit}s"
    )
    print(
        f"            {_count(content['needed_subjects'])} subjects with this design each, whose "
        f"accuracies differ by {content['subject_sd']:g} (t-test over subjects)"
    )
    print("\naccuracy  power")
    for accuracy, found in content["powers"]:
        print(f"{accuracy:8.3f}  {found:5.2f}")
    if content.get("n_subjects", 1) > 1:
        print(
            f"\nThe recordings of {content['n_subjects']} subjects count as one design. For one "
            "subject give --recordings."
        )
    print("\nnext    phosphene audit DATA, before anyone trains")


def _count(number: int | None) -> str:
    return "more than 100,000" if number is None else f"{number:,}"


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(power, args=argv, prog="phosphene power")
