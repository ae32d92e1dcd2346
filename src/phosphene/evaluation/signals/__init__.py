"""Scores of generated signals: their distribution, their spectrum, and whose picture they are."""

from phosphene.evaluation.signals.choice import ChosenWindows, choose_windows
from phosphene.evaluation.signals.drawing import signals_as_pictures
from phosphene.evaluation.signals.frechet import frechet_distance_of_samples
from phosphene.evaluation.signals.scores import choose_sets, score_signals
from phosphene.evaluation.signals.summary import amplitude_spectrum, summarise
from phosphene.evaluation.signals.surrogates import gaussian_noise, phase_randomised

__all__ = [
    "ChosenWindows",
    "amplitude_spectrum",
    "choose_sets",
    "choose_windows",
    "frechet_distance_of_samples",
    "gaussian_noise",
    "phase_randomised",
    "score_signals",
    "signals_as_pictures",
    "summarise",
]
