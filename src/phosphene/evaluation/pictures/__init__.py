"""Scores of generated pictures: their distribution, their class, their variety, their novelty."""

from phosphene.evaluation.pictures.class_scores import class_inception_scores
from phosphene.evaluation.pictures.consistency import class_consistency
from phosphene.evaluation.pictures.distribution import (
    distribution_scores,
    frechet_distance,
    inception_score,
)
from phosphene.evaluation.pictures.diversity import within_class_diversity
from phosphene.evaluation.pictures.novelty import nearest_pictures, nearest_training_distance

__all__ = [
    "class_consistency",
    "class_inception_scores",
    "distribution_scores",
    "frechet_distance",
    "inception_score",
    "nearest_pictures",
    "nearest_training_distance",
    "within_class_diversity",
]
