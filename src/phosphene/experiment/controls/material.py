"""What the controls of a run work on: its data, its folds and what it decoded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from phosphene.data.dataset import Dataset, load_dataset
from phosphene.data.splits import Fold, Split
from phosphene.data.trials import Trials
from phosphene.evaluation.decoding import decoding_scores
from phosphene.evaluation.fold_scores import pool_arrays, split_words
from phosphene.evaluation.permutation import HeldoutTest, calibrate, heldout_test, pair_reuse
from phosphene.evaluation.run_description import blocks_of
from phosphene.evaluation.thinning import baseline_step
from phosphene.evaluation.verdict import Measured
from phosphene.experiment.controls.control import Arrays
from phosphene.experiment.plan import Plan
from phosphene.run_dir import RunDir
from phosphene.score import Score

PlanOf = Callable[[RunDir], tuple[Plan, Any]]
"""From a run to the plan and the settings that it was trained with."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is trained again: the numbers depend on this, and on nothing about the machine."""

    n_nulls: int = 10
    """Trainings of the run's own encoder on permuted labels."""
    n_seeds: int = 2
    """Trainings of it on the true labels with other seeds."""
    minutes: int = 20
    """Processor minutes for both. Where they would take longer, by what the run's own training
    took, each is of fewer folds, and with less than one fold each there are fewer."""
    n_permutations: int = 1000
    """Permutations of held-out labels behind each p-value and each range under chance."""
    n_linear_nulls: int = 200
    """Linear decoders trained on permuted labels, each in all folds."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """A finished run with its data set."""

    run: RunDir
    dataset: Dataset
    split: Split
    folds: tuple[Fold, ...]
    """Those whose held-out trials were decoded."""
    design: str
    """Level at which labels were randomised: "trial" or "block"."""
    seed: int
    plan: Plan | None
    """None for recipes without one: their encoder cannot be loaded."""
    settings: Any
    effort: Effort

    @property
    def trials(self) -> Trials:
        """All trials of the data set."""
        return self.dataset.trials

    @property
    def step(self) -> int:
        """Every how many samples linear decoders see."""
        return baseline_step(self.trials.preprocessing, sfreq=self.trials.sfreq)

    @property
    def riemann(self) -> bool:
        """Whether the run decoded in the tangent space too."""
        return "riemann_probabilities" in self.decoded

    @cached_property
    def decoded(self) -> Arrays:
        """What the run decoded, all folds one after the other, with the ``row`` of each trial."""
        arrays = pool_arrays(self.run, [fold.key for fold in self.folds], "decoding.npz")
        place = {name: row for row, name in enumerate(self.trials.table["trial"])}
        return {**arrays, "row": np.array([place[name] for name in arrays["trial"].tolist()])}

    @cached_property
    def words(self) -> str:
        """How the run kept training and test apart."""
        return split_words(
            self.run.read_json("split.json"),
            n_folds=getattr(self.settings, "n_folds", None),
            n_decoded=len(self.folds),
        )

    @cached_property
    def blocks(self) -> np.ndarray | None:
        """Block of each trial where whole blocks are permuted and have names."""
        return blocks_of(self.trials) if self.design == "block" else None

    @cached_property
    def recordings(self) -> np.ndarray:
        """Recording of each trial of the data set."""
        return self.trials.table["recording"].to_numpy(dtype=str)

    @cached_property
    def reuse(self) -> float:
        """Share of pairs of trials that count twice over the run's folds."""
        return pair_reuse(self.decoded["fold"], n_trials=len(self.trials))

    def own(self, key: str = "probabilities") -> Arrays:
        """Return class probabilities that the run itself left, for `scores` and `measure`."""
        return {"probabilities": self.decoded[key], "row": self.decoded["row"]}

    def scores(
        self,
        arrays: Mapping[str, np.ndarray],
        *,
        method: str,
        role: str = "control",
        split: str | None = None,
        note: str = "",
        reuse: float | None = None,
    ) -> list[Score]:
        """Score class probabilities of held-out trials.

        Parameters
        ----------
        arrays
            ``probabilities``, and the ``row`` of each trial in the data set. ``labels`` stand in
            for the true classes where the control has others.
        method, role, note
            Words for the scores.
        split
            How training and test were kept apart, where not as in the run.
        reuse
            See `permutation.pair_reuse`; that of the run's folds if None, 0 for what no label of
            another trial can have reached.
        """
        order = np.argsort(arrays["row"], kind="stable")  # the order of time
        rows = arrays["row"][order]
        labels = arrays["labels"][order] if "labels" in arrays else self.trials.labels[rows]
        found = decoding_scores(
            arrays["probabilities"][order],
            labels,
            recordings=self.recordings[rows],
            blocks=None if self.blocks is None else self.blocks[rows],
            unit=self.design,
            method=method,
            split=self.words if split is None else split,
            role=role,
            n_permutations=self.effort.n_permutations,
            seed=self.seed,
            reuse=self.reuse if reuse is None else reuse,
        )
        return [replace(score, note=note) for score in found]

    def measure(
        self,
        arrays: Mapping[str, np.ndarray],
        scores: Sequence[Score],
        *,
        name: str,
        nulls: Iterable[float] = (),
        statistic: str = "AUC",
        reuse: float | None = None,
    ) -> Measured:
        """Return a score for the verdict, with its p-value.

        Parameters
        ----------
        arrays
            As for `scores`.
        scores
            What they gave: the one that `statistic` names lends its value and interval.
        name
            Words for what was measured.
        nulls
            Distances of retrained decoders from chance, see `permutation.calibrate`.
        statistic
            "AUC" or "balanced accuracy".
        reuse
            See `permutation.pair_reuse`; that of the run's folds if None.
        """
        score = next(s for s in scores if s.name == statistic)
        test = self.test(arrays, statistic=statistic)
        p_value = calibrate(test, nulls, reuse=self.reuse if reuse is None else reuse)
        words = f"{name}, {statistic}"
        return Measured(
            name=words, value=score.value, chance=test.mean, p_value=p_value,
            low=score.low, high=score.high,
        )  # fmt: skip

    def test(self, arrays: Mapping[str, np.ndarray], *, statistic: str = "AUC") -> HeldoutTest:
        """Permute the labels of held-out trials at their independent unit."""
        order = np.argsort(arrays["row"], kind="stable")
        rows = arrays["row"][order]
        return heldout_test(
            arrays["probabilities"][order],
            arrays["labels"][order] if "labels" in arrays else self.trials.labels[rows],
            recordings=self.recordings[rows],
            blocks=None if self.blocks is None else self.blocks[rows],
            unit=self.design,
            statistic=statistic,
            n_permutations=self.effort.n_permutations,
            seed=self.seed,
        )


def open_material(
    run: RunDir, data: Path, *, plan_of: PlanOf | None, effort: Effort | None = None
) -> Material:
    """Read a finished run and its data set.

    Parameters
    ----------
    run
        Run folder.
    data
        Data set folder that it was trained on.
    plan_of
        Makes plan and settings of the run; None where its recipe has no plan.
    effort
        How much is trained again.

    Raises
    ------
    ValueError
        When the data set has another hash than the run says, or the run decoded nothing.
    """
    dataset = load_dataset(data)
    expected = run.read_json("environment.json")["data_hash"]
    if dataset.data_hash != expected:
        raise ValueError(
            f"controls need the data that the run was trained on, hash {expected}; {data} has "
            f"{dataset.data_hash}. Give its data set with --data."
        )
    plan, settings = (None, None) if plan_of is None else plan_of(run)
    split = Split.from_json(run.read_json("split.json"))
    folds = tuple(f for f in split.folds if run.has(f"folds/{f.key}/decoding.npz"))
    if not folds:
        raise ValueError(
            f"controls need held-out trials that a run decoded; {run.path} holds none in "
            "folds/*/decoding.npz. Give a run that reads classes from signals."
        )
    config = run.read_json("config.json")["config"]
    return Material(
        run=run,
        dataset=dataset,
        split=split,
        folds=folds,
        design=run.read_json("dataset.json")["design"]["unit"],
        seed=int(config.get("seed", 0)),
        plan=plan,
        settings=settings,
        effort=effort or Effort(),
    )
