"""t-SNE of held-out features with generated pictures on it (EEG2Image, figure 3)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Arrays, Contents
from phosphene.reporting.figures.palette import class_colors
from phosphene.reporting.figures.themed_svg import (
    new_axes,
    picture_mark,
    pixel_positions,
    text_mark,
    to_svg,
)
from phosphene.reporting.number_text import percent_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_POINTS, WIDTH, HEIGHT, THUMB, MAX_THUMBS = 2500, 860, 600, 30.0, 48
FEW_CLASSES = 12


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """The drawn map and what its caption needs."""

    svg: Markup
    fold: str
    n_drawn: int
    n_trials: int
    n_thumbs: int
    right: str
    """Share decoded correctly, "" where that is not stored."""


def feature_map(contents: Contents) -> FeatureMap | None:
    """Draw the map of the first fold that has one; None before there is any.

    Only one fold is drawn: each fold has its own encoder, whose features cannot be compared.
    """
    fold = next((f for f in contents.folds if f.map and len(f.map.get("tsne", ())) > 1), None)
    if fold is None or fold.map is None:
        return None
    arrays = fold.map
    points, labels = arrays["tsne"].astype(float), arrays["labels"]
    decoded = arrays.get("decoded")
    colors = class_colors(max(len(contents.classes), int(labels.max()) + 1))
    figure, axes = empty_map(width=WIDTH, height=HEIGHT)
    right = labels == decoded if decoded is not None else np.ones(len(labels), bool)
    drawn = draw_trials(axes, points, labels=labels, right=right, colors=colors)
    centres = pixel_positions(figure, axes, class_centres(points, labels))
    names = place_names(contents, centres, labels=np.unique(labels).tolist())
    pixels = pixel_positions(figure, axes, points)
    marks, n_thumbs = _thumbs(contents, arrays, pixels, names, colors)
    marks += name_marks(names)
    return FeatureMap(
        svg=to_svg(figure, key="map", label="t-SNE of held-out features", marks=marks),
        fold=fold.key,
        n_drawn=drawn,
        n_trials=len(points),
        n_thumbs=n_thumbs,
        right=percent_text(float(right.mean())) if decoded is not None else "",
    )


def empty_map(*, width: int, height: int) -> "tuple[Figure, Axes]":
    """Return axes without numbers: those of such a map mean nothing."""
    figure, axes = new_axes(width=width, height=height, grid="")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.05)
    return figure, axes


def draw_trials(
    axes: "Axes",
    points: np.ndarray,
    *,
    labels: np.ndarray,
    right: np.ndarray,
    colors: list[str],
) -> int:
    """Draw at most `MAX_POINTS` trials, those not `right` as crosses, and return how many."""
    drawn = np.unique(np.linspace(0, len(points) - 1, min(MAX_POINTS, len(points))).astype(int))
    size = float(np.clip(150 / np.sqrt(len(drawn)), 3.2, 7))
    for label in np.unique(labels):
        chosen = drawn[labels[drawn] == label]
        hit, missed = chosen[right[chosen]], chosen[~right[chosen]]
        color = colors[int(label)]
        axes.plot(*points[hit].T, "o", color=color, markersize=size, markeredgewidth=0, alpha=0.75)
        axes.plot(*points[missed].T, "x", color=color, markersize=size + 1, markeredgewidth=1.4)
    return len(drawn)


def class_centres(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the median point of each class, in ascending order of the classes that occur."""
    return np.array([np.median(points[labels == label], axis=0) for label in np.unique(labels)])


def name_marks(names: list[tuple[float, float, str]]) -> Markup:
    """Return placed names as SVG."""
    marks = Markup()
    for x, y, text in names:
        marks += text_mark(x, y + 5, text)
    return marks


def place_names(
    contents: Contents, centres: np.ndarray, *, labels: list[int]
) -> list[tuple[float, float, str]]:
    """Put each class at the median of its trials.

    Where it would cover another it moves down, or, with many classes, is left to the legend.
    """
    longest = 22 if len(labels) <= FEW_CLASSES else 12
    placed: list[tuple[float, float, str]] = []
    pairs = zip(labels, centres.tolist(), strict=True)
    for label, (x, y) in sorted(pairs, key=lambda pair: pair[1][1]):
        name = contents.class_name(label)
        name = name if len(name) <= longest else name[: longest - 1] + "…"
        free = True
        for other_x, other_y, other in placed:
            if abs(x - other_x) < reach(name) + reach(other) and abs(y - other_y) < 17:
                y, free = other_y + 17, False
        if free or len(labels) <= FEW_CLASSES:
            placed.append((x, y, name))
    return placed


def reach(name: str) -> float:
    """Return about half the width of a name in pixels."""
    return 4.2 * len(name) + 3


def _thumbs(
    contents: Contents,
    arrays: Arrays,
    pixels: np.ndarray,
    names: list[tuple[float, float, str]],
    colors: list[str],
) -> tuple[Markup, int]:
    """Frame generated pictures in the colour of the decoded class, where nothing is in the way."""
    if "thumbs" not in arrays or "thumb_index" not in arrays:
        return Markup(), 0
    marks, places = Markup(), []
    for thumb, trial in zip(arrays["thumbs"], arrays["thumb_index"].tolist(), strict=True):
        x, y = pixels[trial]
        free = all(max(abs(x - px), abs(y - py)) > THUMB + 6 for px, py in places)
        free = free and all(
            abs(x - nx) > THUMB / 2 + reach(name) or abs(y - ny) > THUMB / 2 + 9
            for nx, ny, name in names
        )
        if not free or len(places) == MAX_THUMBS:
            continue
        places.append((x, y))
        true = int(arrays["labels"][trial])
        decoded = int(arrays["decoded"][trial]) if "decoded" in arrays else true
        title = f"shown {contents.class_name(true)}, decoded {contents.class_name(decoded)}"
        color = colors[decoded % len(colors)]
        marks += picture_mark(x, y, thumb, size=THUMB, color=color, title=title)
    return marks, len(places)
