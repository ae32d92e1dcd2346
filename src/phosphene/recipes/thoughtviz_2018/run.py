"""ThoughtViz: its EEG classifier, its generators, and the experiment with them.

The released scripts train the GAN on features of the test trials and score it with the same ones.
Here it is trained on training trials alone, and pictures are drawn from held-out ones.
"""

from phosphene.experiment import thoughtviz_parts
from phosphene.experiment.plan import Plan
from phosphene.experiment.thoughtviz_parts import ThoughtVizPainter
from phosphene.recipes.thoughtviz_2018.config import Config

CITATION = (
    "Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641"
)


def make_plan(config: Config) -> Plan:
    """Return the EEG classifier and the painter that the settings describe."""
    painter = ThoughtVizPainter(
        settings=config, mixture="z", fusion="multiply", guidance=config.guidance
    )
    return thoughtviz_parts.make_plan(
        config, recipe="thoughtviz_2018", citation=CITATION, painter=painter
    )
