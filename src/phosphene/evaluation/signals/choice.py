"""Which windows are scored: halves of the real showings, and as many generated windows of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from phosphene._checks import check_at_least
from phosphene.evaluation.signals.windows import number_pictures


@dataclass(frozen=True, kw_only=True)
class ChosenWindows:
    """Rows of the windows that are scored, all of one length and with one order of pictures."""

    real: Int[np.ndarray, " window"]
    """Of one half of the showings: what everything is compared with."""
    other_half: Int[np.ndarray, " window"]
    """Of the other half: what real data score."""
    generated: dict[str, Int[np.ndarray, " window"]]
    """By system."""
    picture: Int[np.ndarray, " window"]
    """Picture of each chosen window, the same for all sets."""
    halves: tuple[Int[np.ndarray, " first"], Int[np.ndarray, " second"]]
    """All showings of each half, for mean responses."""


def choose_windows(
    picture: Int[np.ndarray, " window"],
    generated: Mapping[str, Int[np.ndarray, " _"]],
    *,
    n_windows: int,
    paired: Collection[str] = (),
    seed: int,
) -> ChosenWindows:
    """Split the showings of each picture in two halves; take equally many windows from each set.

    A Fréchet distance depends on the number of windows, and real showings of a picture that a set
    lacks would look like a difference: so each set has the same number of windows of each picture.
    Pictures have equally many windows as far as `n_windows` can be shared out.

    Parameters
    ----------
    picture
        Picture of each real showing. Of an odd number of showings one is left out.
    generated
        Picture of each generated window, by system.
    n_windows
        Wanted from each set; fewer where a half or a system has no more.
    paired
        Systems whose row i was made from real row i (reconstructions, surrogates of the showings):
        they are taken from the other half, so that they never meet the showings they were made
        from.
    seed
        Of halves and choice.

    Raises
    ------
    ValueError
        If there are fewer than 2 pictures, a picture has one showing only, a system has windows of
        other pictures, or a paired system has not one row per showing.
    """
    check_at_least("n_windows", n_windows, 2)
    number_pictures(picture, len(picture))
    rng = np.random.default_rng(seed)
    pictures = np.unique(picture)
    _check_systems(picture, generated, paired)
    halves: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for wanted in pictures:
        rows = rng.permutation(np.flatnonzero(picture == wanted))
        if len(rows) < 2:
            raise ValueError(
                f"two halves of real data need at least 2 showings of each picture; got 1 of "
                f"picture {wanted}; keep more showings."
            )
        half = len(rows) // 2
        halves[0].append(rows[:half])
        halves[1].append(rows[half : 2 * half])
    pools = {
        name: [rng.permutation(np.flatnonzero(shown == wanted)) for wanted in pictures]
        for name, shown in generated.items()
        if name not in paired
    }
    room = np.array([len(rows) for rows in halves[0]])
    for pool in pools.values():
        room = np.minimum(room, [len(rows) for rows in pool])
    counts = _share_out(room, n_windows, rng)

    def take(pool: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([rows[:n] for rows, n in zip(pool, counts, strict=True)])

    other_half = take(halves[1])
    return ChosenWindows(
        real=take(halves[0]),
        other_half=other_half,
        generated={
            name: take(pools[name]) if name in pools else other_half.copy() for name in generated
        },
        picture=np.repeat(pictures, counts),
        halves=(np.concatenate(halves[0]), np.concatenate(halves[1])),
    )


def _check_systems(
    picture: np.ndarray, generated: Mapping[str, np.ndarray], paired: Collection[str]
) -> None:
    for name, shown in generated.items():
        if name in paired and not np.array_equal(shown, picture):
            raise ValueError(
                f"`paired` systems have one row per real showing, in its order; {name!r} has "
                f"{len(shown)} rows for {len(picture)} showings, or other pictures; "
                "leave it out of `paired`."
            )
        differs = np.setxor1d(shown, picture)
        if len(differs):
            raise ValueError(
                "each system needs generated windows of the pictures that were shown, and of no "
                f"other; {name!r} and the real data differ in picture {differs[0]}; "
                "generate for the same set of pictures."
            )


def _share_out(room: np.ndarray, n_windows: int, rng: np.random.Generator) -> np.ndarray:
    """Return how many windows each picture gives, as equal as its room allows."""
    counts = np.zeros_like(room)
    left = min(n_windows, int(room.sum()))
    while left:
        open_ = rng.permutation(np.flatnonzero(counts < room))
        if left < len(open_):
            counts[open_[:left]] += 1
            break
        step = min(int((room - counts)[open_].min()), left // len(open_))
        counts[open_] += step
        left -= step * len(open_)
    return counts
