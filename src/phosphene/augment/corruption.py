"""Loss of parts of pictures and noise on them, written as a text and drawn with a seed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from phosphene._checks import check_option

PAPER_CORRUPTION = "lower_half+(salt_pepper:0.1|white_noise:0.2)"
"""What Haque et al. (section 5.1) do: the lower half black, then one of two kinds of noise on the
whole picture. They name neither density nor deviation, and call the result hard for a human to
understand; ours are twice those that scikit-image's `random_noise` takes unless told otherwise."""
MAX_TEXT = 500
"""Characters of a text that is still read."""
MAX_DEPTH = 8
"""Brackets within brackets that are still read."""


@dataclass(frozen=True, kw_only=True)
class Corrupted:
    """Pictures after a corruption."""

    images: Float[Tensor, "batch color height width"]
    """In [0, 1]."""
    missing: Bool[Tensor, "batch 1 height width"]
    """Which pixels were made black, whatever noise lies on them now."""


@dataclass(frozen=True)
class Part:
    """One thing that is done to every picture of a batch."""

    name: str
    """A key of `PARTS`."""
    values: tuple[float, ...] = ()

    def __str__(self) -> str:
        numbers = ",".join(f"{value:g}" for value in self.values)
        return f"{self.name}:{numbers}" if self.values else self.name


@dataclass(frozen=True)
class Corruption:
    """Parts done one after the other; `str` gives the text back that `parse_corruption` reads.

    Parameters
    ----------
    steps
        In order. Of a tuple, one alternative is drawn for each picture.
    """

    steps: "tuple[Part | tuple[Corruption, ...], ...]"

    def __str__(self) -> str:
        return "+".join(
            str(step) if isinstance(step, Part) else f"({'|'.join(map(str, step))})"
            for step in self.steps
        )

    def __call__(
        self,
        images: Float[Tensor, "batch color height width"],
        *,
        generator: torch.Generator | None = None,
    ) -> Corrupted:
        """Corrupt pictures, each with its own draws; the ones passed stay as they are.

        Parameters
        ----------
        images
            In [0, 1].
        generator
            Source of all draws; torch's global one if None.

        Raises
        ------
        ValueError
            For values outside [0, 1] or NaN.
        """
        if not bool(((images >= 0) & (images <= 1)).all()):
            raise ValueError(
                f"pictures to corrupt must have values from 0 to 1; got {float(images.min()):g} to "
                f"{float(images.max()):g}. Divide 8-bit values by 255."
            )
        missing = torch.zeros_like(images[:, :1], dtype=torch.bool)
        return Corrupted(**self._apply(images.clone(), missing, generator))

    def _apply(
        self, images: Tensor, missing: Tensor, generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        for step in self.steps:
            if isinstance(step, Part):
                images, lost = PARTS[step.name].apply(images, step.values, generator)
                missing = missing if lost is None else missing | lost
                continue
            drawn = _integers(len(step), len(images), images, generator)
            for number, alternative in enumerate(step):
                rows = (drawn == number).nonzero().squeeze(1)
                found = alternative._apply(images[rows], missing[rows], generator)
                images[rows], missing[rows] = found["images"], found["missing"]
        return {"images": images, "missing": missing}


def parse_corruption(text: str) -> Corruption:
    """Read a corruption from a text such as ``lower_half+(salt_pepper:0.1|white_noise:0.2)``.

    Parts are joined by ``+``, "then"; of ``(a|b)`` one is drawn for each picture. The parts:

    - ``lower_half``: the lower half of the rows black; of an odd number the greater part stays;
    - ``lower:SHARE``: the lowest rows, a share of them rounded down;
    - ``rectangle:TOP,LEFT,HEIGHT,WIDTH``: black, in shares of the sides;
    - ``random_rectangle:LOW,HIGH``: black, anywhere, with a share of the area between the two and
      a height drawn evenly on the scale of logarithms;
    - ``salt_pepper:DENSITY``: a share of the pixels white or black, each half of them;
    - ``white_noise:SD``: normal noise on each value, cut to [0, 1];
    - ``none``: nothing, as one of several alternatives.

    Raises
    ------
    ValueError
        For an unknown part, other numbers than it takes, or brackets that do not close.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(
            f"a corruption must be at most {MAX_TEXT} characters long; got {len(text)}. "
            "Shorten --corruption."
        )
    words = [word for word in re.split(r"([()+|])|\s+", text) if word]
    reader = _Reader(iter([*words, ""]), text)
    corruption = reader.read_steps(depth=0)
    if reader.word:
        raise reader.refuse(f"nothing may follow the end, and {reader.word!r} does")
    return corruption


@dataclass(frozen=True)
class _Kind:
    """What a part of a name does, and which numbers it takes."""

    apply: Callable[
        [Tensor, tuple[float, ...], torch.Generator | None], tuple[Tensor, Tensor | None]
    ]
    numbers: tuple[str, ...] = ()
    limit: float = 1.0
    """Largest value of each number."""


def _lower_half(
    images: Tensor, values: tuple[float, ...], generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    return _lower(images, (0.5,), generator)


def _lower(
    images: Tensor, values: tuple[float, ...], generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    n_rows = images.shape[2]
    lost = torch.zeros_like(images[:, :1], dtype=torch.bool)
    lost[:, :, n_rows - int(values[0] * n_rows + 1e-9) :] = True
    return images.masked_fill(lost, 0.0), lost


def _rectangle(
    images: Tensor, values: tuple[float, ...], generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    n_rows, n_columns = images.shape[2:]
    top, left, height, width = values
    rows = slice(round(top * n_rows), round((top + height) * n_rows))
    columns = slice(round(left * n_columns), round((left + width) * n_columns))
    lost = torch.zeros_like(images[:, :1], dtype=torch.bool)
    lost[:, :, rows, columns] = True
    return images.masked_fill(lost, 0.0), lost


def _random_rectangle(
    images: Tensor, values: tuple[float, ...], generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    low, high = values
    area, shape, top, left = _uniform((4, len(images)), images, generator)
    area = low + (high - low) * area
    height = area.clamp(min=1e-12).pow(shape)  # from the area itself, full width, to 1
    sides = []
    for length, share, place in (
        (images.shape[2], height, top),
        (images.shape[3], area / height, left),
    ):
        n = (share * length).round()
        start = (place * (length - n + 1)).floor().clamp(max=length - n)
        pixel = torch.arange(length, device=images.device)
        sides.append((pixel >= start[:, None]) & (pixel < (start + n)[:, None]))
    lost = (sides[0][:, :, None] & sides[1][:, None, :]).unsqueeze(1)
    return images.masked_fill(lost, 0.0), lost


def _salt_pepper(
    images: Tensor, values: tuple[float, ...], generator: torch.Generator | None
) -> tuple[Tensor, None]:
    draws = _uniform(images[:, :1].shape, images, generator)
    images = images.masked_fill(draws < values[0], 0.0)
    return images.masked_fill(draws < values[0] / 2, 1.0), None


def _white_noise(
    images: Tensor, values: tuple[float, ...], generator: torch.Generator | None
) -> tuple[Tensor, None]:
    device = images.device if generator is None else generator.device
    noise = torch.randn(images.shape, generator=generator, device=device).to(images)
    return (images + values[0] * noise).clamp(0, 1), None


def _nothing(
    images: Tensor, values: tuple[float, ...], generator: torch.Generator | None
) -> tuple[Tensor, None]:
    return images, None


PARTS: dict[str, _Kind] = {
    "lower_half": _Kind(_lower_half),
    "lower": _Kind(_lower, ("SHARE",)),
    "rectangle": _Kind(_rectangle, ("TOP", "LEFT", "HEIGHT", "WIDTH")),
    "random_rectangle": _Kind(_random_rectangle, ("LOW", "HIGH")),
    "salt_pepper": _Kind(_salt_pepper, ("DENSITY",)),
    "white_noise": _Kind(_white_noise, ("SD",), limit=10.0),
    "none": _Kind(_nothing),
}
"""What a corruption can consist of, by name."""


class _Reader:
    """Read a text word by word."""

    def __init__(self, words: Iterator[str], text: str) -> None:
        self.words, self.text = words, text
        self.word = next(words)

    def read_steps(self, *, depth: int) -> Corruption:
        if depth > MAX_DEPTH:
            raise self.refuse(f"brackets may lie {MAX_DEPTH} deep")
        steps = [self._read_step(depth)]
        while self.word == "+":
            self.word = next(self.words)
            steps.append(self._read_step(depth))
        return Corruption(tuple(steps))

    def refuse(self, rule: str) -> ValueError:
        return ValueError(
            f"a corruption is written as parts joined by '+', alternatives as '(a|b)': {rule}; got "
            f"{self.text!r}. Correct --corruption, for instance to {PAPER_CORRUPTION!r}."
        )

    def _read_step(self, depth: int) -> Part | tuple[Corruption, ...]:
        if self.word != "(":
            part = self._parse_part(self.word)
            self.word = next(self.words)
            return part
        alternatives = []
        while self.word in ("(", "|"):
            self.word = next(self.words)
            alternatives.append(self.read_steps(depth=depth + 1))
            if self.word not in ("|", ")"):
                raise self.refuse("a bracket that opens must close")
        self.word = next(self.words)
        return tuple(alternatives)

    def _parse_part(self, word: str) -> Part:
        if word in ("", "+", "|", ")"):
            raise self.refuse("a part must stand at each place")
        name, colon, rest = word.partition(":")
        check_option("corruption", name, PARTS)
        kind = PARTS[name]
        form = f"{name}:{','.join(kind.numbers)}" if kind.numbers else name
        try:
            values = [float(number) for number in rest.split(",")] if colon else []
        except ValueError:
            raise self.refuse(f"a part is written as {form}") from None
        if len(values) != len(kind.numbers):
            raise self.refuse(f"a part is written as {form}")
        for number, value in zip(kind.numbers, values, strict=True):
            if not 0 <= value <= kind.limit:
                raise self.refuse(f"{number} of {form} must lie from 0 to {kind.limit:g}")
        if name == "random_rectangle" and values[0] > values[1]:
            raise self.refuse(f"LOW of {form} must be at most HIGH")
        if name == "rectangle" and (values[0] + values[2] > 1 or values[1] + values[3] > 1):
            raise self.refuse(f"the {form} must lie inside the picture")
        return Part(name, tuple(values))


def _uniform(
    shape: tuple[int, ...] | torch.Size, images: Tensor, generator: torch.Generator | None
) -> Tensor:
    device = images.device if generator is None else generator.device
    return torch.rand(shape, generator=generator, device=device).to(images)


def _integers(high: int, n: int, images: Tensor, generator: torch.Generator | None) -> Tensor:
    device = images.device if generator is None else generator.device
    return torch.randint(high, (n,), generator=generator, device=device).to(images.device)
