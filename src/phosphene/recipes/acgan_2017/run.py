"""AC-GAN as ThoughtViz's baseline: labels or EEG features join the noise, no Gaussian layer.

The released script "with EEG" trains the GAN on features of the test trials. Here it is trained on
training trials alone, and pictures are drawn from held-out ones.
"""

from phosphene.experiment import thoughtviz_parts
from phosphene.experiment.plan import Plan
from phosphene.experiment.thoughtviz_parts import ThoughtVizPainter
from phosphene.recipes.acgan_2017.config import Config

CITATION = "Odena et al., AC-GAN, ICML 2017, https://arxiv.org/abs/1610.09585"


def make_plan(config: Config) -> Plan:
    """Return the EEG classifier and the painter that the settings describe."""
    painter = ThoughtVizPainter(
        settings=config,
        mixture="none",
        condition_on=config.condition,
        auxiliary=config.auxiliary,
    )
    return thoughtviz_parts.make_plan(
        config, recipe="acgan_2017", citation=CITATION, painter=painter
    )
