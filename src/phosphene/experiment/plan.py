"""What a recipe hands to the experiment: its encoders, and what draws its pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import nn

from phosphene.data.images import ImageSet
from phosphene.data.trials import Trials
from phosphene.experiment.settings import ExperimentSettings
from phosphene.experiment.watch import Watch
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import Devices
from phosphene.training.loop import TrainStep


@runtime_checkable
class TrainEncoder(Protocol):
    """Trains an encoder and its decoder on the trials of one fold; see `encoding.train_encoder`."""

    def __call__(
        self,
        trials: Trials,
        labels: np.ndarray,
        *,
        seed: int,
        stage: str,
        watch: Watch,
        checkpoints: Path | None = None,
    ) -> SignalToPicture:
        """Return a system without a generator."""
        ...


@dataclass(frozen=True, kw_only=True)
class EncoderPlan:
    """An encoder that is trained and decoded in every fold."""

    name: str
    """What stages and scores call it; two encoders of a run have different names."""
    objective: str
    """"softmax", "triplet" or "both": with triplets alone, a linear probe decodes."""
    spec: Callable[[Trials], dict[str, Any]]
    """From trials to what `build_network` needs to build it."""
    train: TrainEncoder
    note: str = ""
    """About its scores, such as how long it was trained."""


@runtime_checkable
class PainterStep(TrainStep, Protocol):
    """A train step of a generator; batches are (pictures, condition, labels)."""

    @property
    def sampler(self) -> nn.Module:
        """The generator to make pictures with, in evaluation mode."""
        ...


@runtime_checkable
class Painter(Protocol):
    """Builds the generator of a recipe and its train step."""

    @property
    def noise(self) -> str:
        """Law of the noise that pictures are drawn with: "normal" or "uniform"."""
        ...

    @property
    def condition_on(self) -> str:
        """What the generator is fed: "features" of the trial, or its decoded "label", one-hot."""
        ...

    @property
    def guided(self) -> bool:
        """Whether a frozen classifier of the generator's own pictures takes part."""
        ...

    @property
    def guide_policy(self) -> Sequence[str]:
        """Steps of `diff_augment` under which that classifier is trained."""
        ...

    def spec(self, *, color: int, n_classes: int) -> dict[str, Any]:
        """Return what `build_network` needs to build the generator."""
        ...

    def make(
        self,
        *,
        color: int,
        n_classes: int,
        n_pictures: int,
        seed: int,
        guide: ClassifierStep | None,
        devices: Devices,
    ) -> PainterStep:
        """Build the networks and their train step, for so many different pictures to train on."""
        ...


@dataclass(frozen=True, kw_only=True)
class Painted:
    """A fold whose generator is trained, for what a recipe does with it beyond drawing."""

    run: RunDir
    fold: str
    """Key of the fold; what is made goes into its folder."""
    settings: ExperimentSettings
    training: Trials
    """Training trials; held-out ones are decoded and drawn already."""
    images: ImageSet
    """Pictures that the generator may see."""
    paired: bool
    """Whether the data say which picture a trial showed."""
    system: SignalToPicture
    """The trained system, its generator included."""
    compared: Callable[[], SignalToPicture] | None
    """Loads the encoder to compare with, as trained on the same fold; None where there is none."""
    domain: ClassifierStep
    """The [domain] network."""
    seed: int
    """Of the fold's generator."""
    watch: Watch
    """Log, progress and devices: of several, all call; the first alone may write."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that an experiment does differently for this recipe."""

    recipe: str
    """Key of the recipe."""
    citation: str
    """Authors, title, venue, year and link, for the model card."""
    encoder: EncoderPlan
    """The one whose features the generator is fed."""
    painter: Painter
    compared: EncoderPlan | None = None
    """Another encoder to decode with in the same folds; no pictures are drawn from it."""
    check: Callable[..., None] | None = None
    """`check(n_classes=, n_devices=)` refuses, before anything is trained, settings that cannot
    work."""
    after_painting: Callable[[Painted], None] | None = None
    """Called when a fold's generator is trained: trains or draws more, and writes arrays into the
    fold's folder."""
    extra_scores: Callable[[RunDir, str, str], list[Score]] | None = None
    """`extra_scores(run, key, words)` scores a fold from the arrays that `after_painting` and
    others left, or returns nothing yet; `words` say how training and test were kept apart."""
