"""Scores of restored pictures: how far from the originals, and what a classifier sees in them."""

from phosphene.evaluation.restoration.baselines import (
    choose_strength,
    nearest_pictures,
    nonlocal_means,
    total_variation,
)
from phosphene.evaluation.restoration.errors import REGIONS, region_masks, squared_errors
from phosphene.evaluation.restoration.scores import (
    ACCURACY,
    EQUAL_ITERATIONS,
    EQUAL_TIME,
    Restored,
    score_restoration,
)
from phosphene.evaluation.restoration.similarity import similarity_maps

__all__ = [
    "ACCURACY",
    "EQUAL_ITERATIONS",
    "EQUAL_TIME",
    "REGIONS",
    "Restored",
    "choose_strength",
    "nearest_pictures",
    "nonlocal_means",
    "region_masks",
    "score_restoration",
    "similarity_maps",
    "squared_errors",
    "total_variation",
]
