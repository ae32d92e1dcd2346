"""Features of the same held-out trials through two encoders (EEG2Image, figures 2 and 3)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Arrays, Contents
from phosphene.reporting.figures.feature_map import (
    class_centres,
    draw_trials,
    empty_map,
    name_marks,
    place_names,
)
from phosphene.reporting.figures.palette import class_colors
from phosphene.reporting.figures.themed_svg import pixel_positions, to_svg
from phosphene.reporting.number_text import range_text, value_text
from phosphene.score import Score

WIDTH, HEIGHT = 500, 420


@dataclass(frozen=True, kw_only=True)
class MapPanel:
    """One encoder's map."""

    title: str
    clustering: str
    """k-means accuracy in words, "" where it was not scored."""
    svg: Markup


@dataclass(frozen=True, kw_only=True)
class FeatureMaps:
    """The run's encoder and the one beside it."""

    panels: tuple[MapPanel, ...]
    fold: str
    n_drawn: int
    n_trials: int
    pooled: bool
    """Whether the accuracies are over all folds, while the maps are of one."""


def feature_maps(contents: Contents) -> FeatureMaps | None:
    """Draw both maps of the first fold that has them; None where a run compares no encoders."""
    fold = next((f for f in contents.folds if _has_points(f.map, f.compare_map)), None)
    if fold is None or fold.map is None or fold.compare_map is None:
        return None
    highest = max(int(arrays["labels"].max()) for arrays in (fold.map, fold.compare_map))
    colors = class_colors(max(len(contents.classes), highest + 1))
    panels, found, n_drawn = [], [], 0
    for prefix, role, arrays in (
        ("", "result", fold.map),
        ("compare_", "baseline", fold.compare_map),
    ):
        score = _clustering(contents, role=role, fold=fold.key)
        title = _title(contents, prefix, score)
        figure, axes = empty_map(width=WIDTH, height=HEIGHT)
        points, labels = arrays["tsne"].astype(float), arrays["labels"]
        right = np.ones(len(labels), bool)
        n_drawn = draw_trials(axes, points, labels=labels, right=right, colors=colors)
        centres = pixel_positions(figure, axes, class_centres(points, labels))
        marks = name_marks(place_names(contents, centres, labels=np.unique(labels).tolist()))
        label = f"t-SNE of held-out features: {title}"
        svg = to_svg(figure, key=f"{role}map", label=label, marks=marks)
        panels.append(MapPanel(title=title, clustering=_words(score), svg=svg))
        found.append(score)
    return FeatureMaps(
        panels=tuple(panels),
        fold=fold.key,
        n_drawn=n_drawn,
        n_trials=len(fold.map["tsne"]),
        pooled=any(score is not None and score.fold != fold.key for score in found),
    )


def _has_points(*maps: Arrays | None) -> bool:
    return all(arrays is not None and len(arrays.get("tsne", ())) > 1 for arrays in maps)


def _clustering(contents: Contents, *, role: str, fold: str) -> Score | None:
    """Return the k-means accuracy of the fold that is drawn, else that over all folds."""
    scores = [s for s in contents.scores if s.name == "k-means accuracy" and s.role == role]
    for key in (fold, "all"):
        for score in scores:
            if score.fold == key:
                return score
    return None


def _title(contents: Contents, prefix: str, score: Score | None) -> str:
    """Name network and objective, from the settings where they say both, else from the score."""
    settings = contents.config.get("config")
    if isinstance(settings, Mapping):
        words = [settings.get(f"{prefix}{name}") for name in ("encoder", "objective")]
        if all(isinstance(word, str) for word in words):
            return ", ".join(map(str, words))
    if score is not None and score.method:
        return score.method
    return "compared encoder" if prefix else "encoder"


def _words(score: Score | None) -> str:
    if score is None:
        return ""
    text = f"k-means accuracy {value_text(score.value)}"
    if interval := range_text(score.low, score.high):
        text += f" ({interval})"
    return text if score.chance is None else f"{text}, chance {value_text(score.chance)}"
