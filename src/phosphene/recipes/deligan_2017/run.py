"""DeLiGAN as ThoughtViz's baseline: a Gaussian layer under noise and labels or EEG features.

The released script "with EEG" trains the GAN on features of the test trials. Here it is trained on
training trials alone, and pictures are drawn from held-out ones.
"""

from collections.abc import Callable
from pathlib import Path

from phosphene.experiment import course, thoughtviz_parts
from phosphene.experiment.plan import Plan
from phosphene.experiment.thoughtviz_parts import ThoughtVizPainter
from phosphene.recipes.deligan_2017.config import Config
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.devices import ALONE, Devices
from phosphene.training.progress import Progress

CITATION = "Gurumurthy et al., DeLiGAN, CVPR 2017, https://arxiv.org/abs/1706.02071"


def train(
    config: Config,
    *,
    data: Path,
    run: RunDir,
    resume: bool = False,
    on_stage: Callable[[str], None] = lambda stage: None,
    progress: Progress | None = None,
    devices: Devices = ALONE,
) -> list[Score]:
    """Train in every fold, draw pictures for the first ones, and score all of it."""
    del resume  # a new run finds nothing on disk, a resumed one finds what is done
    return course.train(
        make_plan(config),
        config,
        data=data,
        run=run,
        on_stage=on_stage,
        progress=progress,
        devices=devices,
    )


def evaluate(run: RunDir, progress: Progress | None = None) -> list[Score]:
    """Score a run again from the arrays in its folder."""
    config = Config(**run.read_json("config.json")["config"])
    return course.evaluate(make_plan(config), config, run=run, progress=progress)


def make_plan(config: Config) -> Plan:
    """Return the EEG classifier and the painter that the settings describe."""
    painter = ThoughtVizPainter(
        settings=config,
        mixture="joined" if config.networks == "image" else "z",
        condition_on=config.condition,
        auxiliary=config.auxiliary,
    )
    return thoughtviz_parts.make_plan(
        config, recipe="deligan_2017", citation=CITATION, painter=painter
    )
