"""The picture that others show beside a link to the site: its name and its drawing."""

from __future__ import annotations

import io
import textwrap
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageColor import getrgb

NAME = "assets/card.png"
SIZE = (1200, 630)  # what most services show without cutting
FINE = 2  # drawn in so many times the size, for smooth lines
STEPS = 8  # between two colours, at the edges of letters; the file stays small

# As in docs/assets/theme.css, by day
PAPER, INK, LIGHT, BLUE, WARM, WORD = (
    "#fdfcf8", "#1f2733", "#555d69", "#0a4d7c", "#a43f00", "#f5f2ea",
)  # fmt: skip
WORDS = ("the", "walk", "was", "[MASK]", "and", "long")
HIDDEN = WORDS.index("[MASK]")


@lru_cache(maxsize=1)  # while serving, it stays as it is
def png(title: str, summary: str) -> bytes:
    """The picture; equal words give equal bytes.

    Args:
        title: The name of the site.
        summary: What it is, in a sentence or two.
    """
    image = Image.new("RGB", (SIZE[0] * FINE, SIZE[1] * FINE), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, image.width, 14 * FINE), fill=BLUE)
    draw.text((80 * FINE, 70 * FINE), title, BLUE, _font("DejaVuSans-Bold", 68))
    lines = textwrap.wrap(summary, 52, max_lines=4, placeholder=" …", break_on_hyphens=False)
    for number, line in enumerate(lines):
        at = (80 * FINE, (176 + 46 * number) * FINE)
        draw.text(at, line, LIGHT, _font("DejaVuSans", 32))
    _sentence(draw, top=500 * FINE)
    small = image.resize(SIZE, Image.Resampling.LANCZOS)
    written = io.BytesIO()
    few = small.quantize(palette=_palette(), dither=Image.Dither.NONE)
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


def _palette() -> Image.Image:
    """The colours, and what lies between each of them and its ground."""
    mixed = [
        round(there + (here - there) * step / STEPS)
        for ground in (PAPER, WORD)
        for ink in (INK, LIGHT, BLUE, WARM)
        for step in range(STEPS + 1)
        for here, there in zip(getrgb(ink), getrgb(ground), strict=True)
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette(mixed)
    return palette


def _sentence(draw: ImageDraw.ImageDraw, top: int) -> None:
    """A sentence in boxes, and lines from each word to the hidden one."""
    font = _font("DejaVuSansMono", 34)
    gap, height = 22 * FINE, 72 * FINE
    widths = [int(draw.textlength(word, font)) + 40 * FINE for word in WORDS]
    lefts = [80 * FINE + sum(widths[:n]) + gap * n for n in range(len(WORDS))]
    middles = [left + width // 2 for left, width in zip(lefts, widths, strict=True)]
    for number, middle in enumerate(middles):
        if number != HIDDEN:
            side = 1 if number > HIDDEN else -1  # the nearest end outside, so that no lines cross
            end = middles[HIDDEN] + side * (4 - abs(number - HIDDEN)) * 12 * FINE
            reach = abs(end - middle) // 4
            box = (min(middle, end), top - 12 * FINE - reach, max(middle, end), top + reach)
            draw.arc(box, 180, 360, fill=WARM, width=3 * FINE)
    for word, left, width, middle in zip(WORDS, lefts, widths, middles, strict=True):
        box, hidden = (left, top, left + width, top + height), word == WORDS[HIDDEN]
        draw.rounded_rectangle(
            box, 14 * FINE, fill=PAPER if hidden else WORD, outline=WARM if hidden else LIGHT,
            width=(4 if hidden else 2) * FINE,
        )  # fmt: skip
        ink = WARM if hidden else INK
        draw.text((middle, top + height // 2), word, ink, font, anchor="mm")


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that matplotlib brings along, set in the same way on every machine."""
    found = find_spec("matplotlib")
    assert found, "matplotlib draws the lesson's figures"
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    layout = ImageFont.Layout.BASIC  # the other one is not everywhere
    return ImageFont.truetype(folder / f"{name}.ttf", size * FINE, layout_engine=layout)
