"""Pictures at a size for people, and many of them on one sheet."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

READABLE = 128
"""Smaller pictures are enlarged to about this side, each pixel to a square."""
CAPTION, GAP, LINE = 180, 6, 20
INK, PAPER = (24, 24, 24), (255, 255, 255)


def readable_picture(
    pixels: UInt8[np.ndarray, "height width color"], *, side: int = READABLE
) -> Image.Image:
    """Return a Pillow picture enlarged by a whole number, so that nothing is smoothed."""
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    factor = max(1, side // max(picture.size))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.BOX)


def contact_sheet(
    pictures: UInt8[np.ndarray, "trial draw height width color"],
    captions: Sequence[Sequence[str]],
    *,
    title: str,
    n_columns: int = 2,
    headings: Sequence[str] = (),
) -> Image.Image:
    """Lay out one row per trial, its caption in lines on the left and its draws beside it.

    Parameters
    ----------
    pictures
        Draws of each trial.
    captions
        Lines of text for each trial.
    title
        Line above all; what cannot be drawn in the font is left out.
    n_columns
        Rows that stand side by side.
    headings
        What stands above each draw; nothing if empty.
    """
    n_trials, n_draws = pictures.shape[:2]
    tiles = [[readable_picture(p, side=96) for p in draws] for draws in pictures]
    width, height = tiles[0][0].size
    n_columns = min(n_columns, n_trials)
    n_rows = -(-n_trials // n_columns)
    block = (CAPTION + n_draws * (width + GAP) + 4 * GAP, max(height, 4 * LINE) + GAP)
    font = ImageFont.load_default(15)
    head = 2 * LINE + (LINE + GAP if headings else 0)
    size = (n_columns * block[0] + 4 * GAP, n_rows * block[1] + head + LINE)
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((4 * GAP, LINE // 2), title, fill=INK, font=font)
    for trial, (draws, lines) in enumerate(zip(tiles, captions, strict=True)):
        column, row = divmod(trial, n_rows)
        left, top = 4 * GAP + column * block[0], head + row * block[1]
        for number, heading in enumerate(headings if row == 0 else ()):
            at = (left + CAPTION + number * (width + GAP), head - LINE)
            pen.text(at, _shorten(heading, font, width), fill=INK, font=font)
        for number, line in enumerate(lines):
            text = _shorten(line, font, CAPTION - GAP)
            pen.text((left, top + number * LINE), text, fill=INK, font=font)
        for number, tile in enumerate(draws):
            sheet.paste(tile, (left + CAPTION + number * (width + GAP), top))
    return sheet


def _shorten(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Cut a text to a width in pixels."""
    while text and font.getlength(text) > width:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    return text
