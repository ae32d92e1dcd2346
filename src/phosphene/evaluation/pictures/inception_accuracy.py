"""Whether Inception-v3 sees the class of a trial in its picture, for classes of ImageNet."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float, Int

from phosphene._checks import check_shape, nearest_name
from phosphene.evaluation.pictures.consistency import class_consistency
from phosphene.evaluation.units import check_probabilities
from phosphene.score import Score

LIST = "imagenet_classes.txt"
N_OUTPUTS = 1008
"""Of the published network: 1 to 1000 are the classes, the other eight stand for nothing."""


def unknown_classes(classes: Sequence[str]) -> list[str]:
    """Return the names that stand for no class of ImageNet, or for several.

    A name is a WordNet id ("n02510455"), or one of the class's English names, whatever the case,
    with spaces or underscores ("Giant_panda").
    """
    known = _outputs_by_name()
    return [name for name in classes if _plain(name) not in known]


def imagenet_outputs(classes: Sequence[str]) -> Int[np.ndarray, " class"]:
    """Return which output of Inception-v3 of 2015 stands for each class.

    Its outputs are numbered as the classes of the ImageNet challenge of 2012, from 1 on; networks
    of other frameworks number them by WordNet id, from 0 on.

    Raises
    ------
    ValueError
        If a name is no class of ImageNet or names several, or two name the same.
    """
    known = _outputs_by_name()
    if unknown := unknown_classes(classes):
        near = nearest_name(_plain(unknown[0]), known)
        remedy = f" Did you mean {near!r}?" if near else ""
        raise ValueError(
            "every class must be one of the 1000 of ImageNet, by WordNet id or a name that no "
            f"other class has; got {unknown[0]!r}.{remedy}"
        )
    outputs = np.array([known[_plain(name)] for name in classes], dtype=np.int64)
    if len(set(outputs.tolist())) < len(outputs):
        raise ValueError(
            "every class must be another class of ImageNet; got two names for one among "
            f"{', '.join(classes)}. Merge them into one class."
        )
    return outputs


def inception_accuracy(
    probabilities: Float[np.ndarray, "picture output"],
    expected: Int[np.ndarray, " picture"],
    *,
    classes: Sequence[str],
    target: str,
    method: str,
    extractor: str,
    split: str = "",
    role: str = "result",
    recordings: Iterable[Hashable] | None = None,
    n_permutations: int = 1000,
    seed: int = 0,
) -> Score:
    """Share of pictures whose most probable class, of all 1000, is the expected one, 0 to 1.

    "Inception classification accuracy" of Brain2Image. Against the shown class it grades the whole
    way from signal to picture; real pictures of the classes have a value below 1, too, and a lower
    one the smaller they are.

    Parameters
    ----------
    probabilities
        Of the 1008 outputs of Inception-v3 of 2015.
    expected
        Class shown in each trial, or decoded from it.
    classes
        Names of the classes: WordNet ids, or names of ImageNet.
    target, method, extractor, split, role, recordings, n_permutations, seed
        As in `class_consistency`, whose interval and chance range these are. A picture of any other
        class of ImageNet is wrong.

    Raises
    ------
    ValueError
        If a name is no class of ImageNet, or rows are not probabilities of that network.

    References
    ----------
    Kavasidis et al., ACM Multimedia 2017, https://doi.org/10.1145/3123266.3127907
    """
    check_shape("probabilities", probabilities.shape, (None, N_OUTPUTS), "picture output")
    check_probabilities(probabilities)
    class_of = np.full(N_OUTPUTS, len(classes), dtype=np.int64)  # none of these
    class_of[imagenet_outputs(classes)] = np.arange(len(classes))
    score = class_consistency(
        class_of[probabilities.argmax(axis=1)],
        expected,
        target=target,
        n_classes=len(classes) + 1,
        method=method,
        extractor=extractor,
        split=split,
        role=role,
        recordings=recordings,
        n_permutations=n_permutations,
        seed=seed,
    )
    return replace(score, name=f"Inception classification accuracy ({target})")


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


@cache
def _outputs_by_name() -> dict[str, int]:
    """Return the output of each WordNet id and of each name that only one class has."""
    lines = files("phosphene.evaluation.pictures").joinpath(LIST).read_text("utf-8").splitlines()
    found: dict[str, int] = {}
    several = set()
    for output, line in enumerate(lines, start=1):
        number, names = line.split(" ", 1)
        for name in {_plain(part) for part in (number, *names.split(","), names)}:
            if name in found:
                several.add(name)
            found[name] = output
    return {name: output for name, output in found.items() if name not in several}
