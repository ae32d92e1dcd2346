"""Other windows and other filters: what is decoded before the picture, and without slow drift."""

from collections.abc import Callable

import numpy as np

from phosphene.data.trials import Trials
from phosphene.experiment.controls.control import (
    CHANCE,
    OPEN,
    Arrays,
    Control,
    Found,
    Made,
    Task,
)
from phosphene.experiment.controls.linear import (
    GROUPED,
    LDA,
    TANGENT,
    decode_rows,
    own_folds,
    window_folds,
)
from phosphene.experiment.controls.material import Material
from phosphene.experiment.controls.recut import (
    BANDS,
    ControlNotPossibleError,
    pre_stimulus,
    recordings_of,
    sweep_band,
    sweep_rate,
    through_band,
)

Cut = Callable[[], tuple[Trials, np.ndarray]]


def _decode(material: Material, cut: Cut, *, window_wise: bool = False) -> Arrays:
    """Decode trials that were cut again by the cheap decoders, cut once for all of them."""
    trials, rows = cut()
    folds = own_folds(material, rows)
    if not folds:
        raise ControlNotPossibleError("the trials that are left lack a class in every fold")
    decoders = [("lda", LDA, folds)]
    if window_wise:
        decoders += [("window", GROUPED, window_folds(material, rows))]
    elif material.riemann:
        decoders += [("tangent", TANGENT, folds)]
    found: Arrays = {}
    for name, decoder, some in decoders:
        arrays = decode_rows(trials, some, decoder=decoder)
        found[name] = arrays["probabilities"]
        found[f"{name}_row"] = rows[arrays["row"]]
    return found


def _of(arrays: Arrays, name: str) -> Arrays:
    return {"probabilities": arrays[name], "row": arrays[f"{name}_row"]}


def _pre_tasks(material: Material) -> list[Task]:
    recordings_of(material.dataset)
    return [
        Task(
            name="pre_stimulus",
            make=lambda: _decode(material, lambda: pre_stimulus(material.dataset)),
        )
    ]


def _pre(material: Material, made: Made) -> Found:
    arrays = made("pre_stimulus")
    scores = material.scores(_of(arrays, "lda"), method=f"before the onset: {LDA}")
    first = scores
    if "tangent" in arrays:
        scores = [
            *scores,
            *material.scores(_of(arrays, "tangent"), method=f"before the onset: {TANGENT}"),
        ]
    return Found(
        scores=scores,
        measured=material.measure(_of(arrays, "lda"), first, name="pre-stimulus window"),
        note=f"{len(arrays['lda'])} of {len(material.decoded['row'])} held-out trials have a whole "
        "window before their onset.",
    )


def _sweep_tasks(material: Material) -> list[Task]:
    rate = sweep_rate(recordings_of(material.dataset))
    tasks = []
    for name in BANDS:
        try:
            sweep_band(name, sfreq=rate)
        except ControlNotPossibleError:
            continue
        tasks.append(_sweep_task(material, name))
    return tasks


def _sweep_task(material: Material, name: str) -> Task:
    return Task(
        name=f"filter_{name.replace(' ', '_')}",
        make=lambda: _decode(
            material, lambda: through_band(material.dataset, name), window_wise=True
        ),
    )


def _sweep(material: Material, made: Made) -> Found:
    rate = sweep_rate(recordings_of(material.dataset))
    scores, left_out, points = [], [], []
    for name in BANDS:
        try:
            band = sweep_band(name, sfreq=rate)
        except ControlNotPossibleError as error:
            left_out.append(str(error))
            continue
        arrays = made(f"filter_{name.replace(' ', '_')}")
        words = name if band is None else f"{band[0]:g}-{band[1]:g} Hz"
        own = material.scores(_of(arrays, "lda"), method=f"{words}: {LDA}", role="baseline")
        window = material.scores(
            _of(arrays, "window"),
            method=f"{words}, window-wise: {GROUPED}",
            role="baseline",
            split="window-wise",
        )
        scores += [*own, *window]
        points.append({"filter": words, "value": own[0].value, "window_wise": window[0].value})
    return Found(
        scores=scores,
        details={"curve": points, "horizontal": "filter"},
        note=". ".join([*left_out, ""]).strip(),
    )


PRE_STIMULUS = Control(
    key="pre_stimulus",
    title="Pre-stimulus window",
    what="The class is decoded from a window as long as the trials' that ends at the onset of the "
    "picture, filtered forwards only, so that nothing after the onset reaches it.",
    decoder="shrinkage LDA and, where the run has it, the tangent space, trained again",
    expected=CHANCE,
    report=_pre,
    tasks=_pre_tasks,
)

SWEEP = Control(
    key="filters",
    title="High-pass sweep",
    what="The trials are cut again from the unfiltered recordings through other filters; what "
    "falls with the lower edge was slow drift.",
    decoder=f"{LDA} with the run's split, {GROUPED} window-wise, trained again",
    expected=OPEN,
    report=_sweep,
    tasks=_sweep_tasks,
)

CONTROLS = (PRE_STIMULUS, SWEEP)
