"""DeLiGAN as ThoughtViz's baseline: a Gaussian layer under noise and labels or EEG features.

The released script "with EEG" trains the GAN on features of the test trials. Here it is trained on
training trials alone, and pictures are drawn from held-out ones.
"""

from phosphene.experiment import thoughtviz_parts
from phosphene.experiment.plan import Plan
from phosphene.experiment.thoughtviz_parts import ThoughtVizPainter
from phosphene.recipes.deligan_2017.config import Config

CITATION = "Gurumurthy et al., DeLiGAN, CVPR 2017, https://arxiv.org/abs/1706.02071"


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
