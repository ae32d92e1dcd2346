"""A trained system from picture to signal: what a run scores is what a bundle holds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.data.picture_scale import scale_pictures
from phosphene.training.seeding import seeded_generator

MAX_ROWS = 64
"""Windows that are drawn at a time."""
MAX_PIXELS = 8 * 918 * 1174
"""Pixels of the pictures that are shrunk and seen at a time: eight as published."""
MAX_VALUES = 1 << 22
"""Values of the windows that are drawn at a time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneratorSizes:
    """What a generator of windows was built for."""

    n_chans: int
    n_times: int
    picture_size: tuple[int, int] | None
    """Rows and columns; None for a generator without pictures."""


def generator_sizes(generator: nn.Module) -> GeneratorSizes:
    """Return what a generator was built for.

    Parameters
    ----------
    generator
        A network with `noise_shape` and with `n_chans` and `n_times`, its own or its `decoder`'s;
        pictures are those of its `picture_encoder`, which has their `size`.

    Raises
    ------
    ValueError
        For a network that makes no windows.
    """
    maker = getattr(generator, "decoder", generator)
    n_chans, n_times = (getattr(maker, name, None) for name in ("n_chans", "n_times"))
    encoder = getattr(generator, "picture_encoder", None)
    size = getattr(encoder, "size", None)
    lacks = n_chans is None or n_times is None or (encoder is not None and size is None)
    if lacks or getattr(generator, "noise_shape", None) is None:
        raise ValueError(
            "a generator of signals has `noise_shape`, `n_chans`, `n_times` and, with pictures, a "
            f"`picture_encoder` with `size`; {type(generator).__name__} has not. Take another "
            "network."
        )
    return GeneratorSizes(n_chans=n_chans, n_times=n_times, picture_size=size)  # pyright: ignore


class PictureToSignal:
    """A generator of LFP windows with what it expects of pictures and what its z-scores mean.

    Weights stay as they were passed; drawing puts the generator into evaluation mode.

    Parameters
    ----------
    generator
        Network that is called ``(noise, pictures, index)``, as `LFPGenerator` is: each different
        picture once, and the row of its picture for each window; ``(noise,)`` without pictures.
    picture_size
        Rows and columns that the generator sees; None for one without pictures.
    source_size
        Rows and columns of the pictures of its training before they were shrunk; None likewise.
    ch_names
        Channels of the windows, in order.
    sfreq
        Samples per second.
    n_times
        Samples of a window.
    mean, sd
        Means over the training showings of their windows' mean and standard deviation, in V.
    tmin
        Time of the first sample in s from the picture's onset.

    Raises
    ------
    ValueError
        When the generator was built for something else.
    """

    noise = "normal"
    """Law of the noise."""

    def __init__(
        self,
        generator: nn.Module,
        *,
        picture_size: tuple[int, int] | None,
        source_size: tuple[int, int] | None,
        ch_names: tuple[str, ...],
        sfreq: float,
        n_times: int,
        mean: float,
        sd: float,
        tmin: float = 0.0,
    ) -> None:
        check_positive("sfreq", sfreq)
        check_positive("sd", sd)
        sizes = generator_sizes(generator)
        pairs = {
            "channels": (len(ch_names), sizes.n_chans),
            "samples per window": (n_times, sizes.n_times),
            "rows and columns of pictures": (picture_size, sizes.picture_size),
        }
        for what, (wanted, found) in pairs.items():
            if wanted != found:
                raise ValueError(
                    f"generator and specification must agree in {what}; the generator was built "
                    f"for {found}, not {wanted}. Export the run again."
                )
        if (picture_size is None) != (source_size is None) or (
            picture_size is not None
            and source_size is not None
            and (picture_size[0] > source_size[0] or picture_size[1] > source_size[1])
        ):
            raise ValueError(
                f"pictures are only shrunk: `source_size` {source_size} must hold `picture_size` "
                f"{picture_size}. Export the run again."
            )
        self.generator = generator
        self.picture_size, self.source_size = picture_size, source_size
        self.ch_names, self.sfreq, self.n_times = tuple(ch_names), float(sfreq), n_times
        self.mean, self.sd, self.tmin = float(mean), float(sd), float(tmin)

    @property
    def uses_pictures(self) -> bool:
        """Whether windows depend on a picture."""
        return self.picture_size is not None

    def draw(
        self, pixels: UInt8[np.ndarray, "picture ..."] | None, *, n_draws: int, seed: int
    ) -> Float[np.ndarray, "picture draw chan time"]:
        """Draw windows for each picture; the same seed gives the same bytes.

        Parameters
        ----------
        pixels
            Grey pictures of `source_size`, ``(picture, height, width)`` with or without a last axis
            of one color. A generator without pictures only counts them, and takes None for one.
        n_draws
            Windows per picture, each from other noise. The noise of a picture's first draws is the
            same whatever `n_draws` and however many pictures follow it.
        seed
            Of the noise.

        Returns
        -------
        np.ndarray
            ``(picture, draw, chan, time)`` float32, z-scored.

        Raises
        ------
        ValueError
            For pictures of another size or with colors, none where there must be some, and weights
            that give no finite windows.
        """
        n_pictures = 1 if pixels is None else len(pixels)
        shape = (n_pictures, n_draws, len(self.ch_names), self.n_times)
        windows = np.empty(shape, np.float32)
        for rows, draws, part in self.draw_parts(pixels, n_draws=n_draws, seed=seed):
            windows[rows, draws] = part
        return windows

    def draw_parts(
        self, pixels: UInt8[np.ndarray, "picture ..."] | None, *, n_draws: int, seed: int
    ) -> Iterator[tuple[slice, slice, np.ndarray]]:
        """Draw as `draw` does, in parts that need little memory.

        Yields
        ------
        tuple
            Pictures, draws of them, and their windows ``(picture, draw, chan, time)``.
        """
        check_positive("n_draws", n_draws)
        pixels = self._check_pictures(pixels)
        n_pictures = 1 if pixels is None else len(pixels)
        most = max(1, min(MAX_ROWS, MAX_VALUES // (len(self.ch_names) * self.n_times)))
        pictures_at_once = max(1, most // n_draws)
        if self.picture_size is not None and self.source_size is not None:
            area = self.source_size[0] * self.source_size[1]
            pictures_at_once = max(1, min(pictures_at_once, MAX_PIXELS // area))
        self.generator.eval()
        for first in range(0, n_pictures, pictures_at_once):
            rows = slice(first, min(first + pictures_at_once, n_pictures))
            seen = None
            if self.picture_size is not None and pixels is not None:
                seen = torch.from_numpy(scale_pictures(pixels[rows], self.picture_size))
            streams = [
                seeded_generator(seed, "noise of signals", row)
                for row in range(rows.start, rows.stop)
            ]
            for start in range(0, n_draws, most):
                draws = slice(start, min(start + most, n_draws))
                yield rows, draws, self._draw(seen, streams, n_draws=draws.stop - draws.start)

    def in_volts(self, z: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """Return z-scored windows in V, by the mean statistics of the training showings.

        Each recorded window has a mean and a standard deviation of its own, which z-scoring took
        away and no generator gives back: amplitudes differ between windows less than recorded ones.
        """
        return (z * np.float32(self.sd) + np.float32(self.mean)).astype(np.float32)

    @torch.no_grad()
    def _draw(
        self, seen: Tensor | None, streams: list[torch.Generator], *, n_draws: int
    ) -> np.ndarray:
        shape = self.generator.noise_shape
        noise = torch.stack(
            [torch.randn(shape, generator=rng) for rng in streams for _ in range(n_draws)]  # pyright: ignore
        )
        if seen is None:
            made = self.generator(noise)
        else:
            index = torch.arange(len(streams)).repeat_interleave(n_draws)
            made = self.generator(noise, seen, index)
        windows = made.unflatten(0, (len(streams), n_draws)).numpy()
        if not np.isfinite(windows).all():
            raise ValueError(
                "a generator must make finite signals; the weights of this one do not. Export the "
                "run again."
            )
        return windows

    def _check_pictures(self, pixels: np.ndarray | None) -> np.ndarray | None:
        """Return pictures with an axis of one color, None where they do not matter."""
        if self.source_size is None:
            return pixels
        if pixels is None:
            raise ValueError(
                "this system makes signals for pictures; got none. Pass pictures of "
                f"{self.source_size[0]} rows and {self.source_size[1]} columns."
            )
        pixels = pixels[..., None] if pixels.ndim == 3 else pixels
        if pixels.ndim != 4 or pixels.shape[1:] != (*self.source_size, 1):
            raise ValueError(
                "pictures must be grey, of the size of those in the training, (picture, "
                f"{self.source_size[0]}, {self.source_size[1]}); got {pixels.shape}. Crop and "
                "resize them."
            )
        return pixels
