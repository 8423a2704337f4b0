"""The picture for links to the site."""

from __future__ import annotations

import io

from PIL import Image, ImageChops

from tools.site.card import PAPER, SIZE, png

LONG = "word " * 200


def test_it_is_small_the_same_each_time_and_shows_its_words() -> None:
    made = png("A title", "What it is.")
    png.cache_clear()
    assert made == png("A title", "What it is.")
    assert made != png("Another", "What it is.")
    assert len(made) < 40_000
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == SIZE
        assert image.info == {}


def test_a_long_summary_ends_before_the_drawing() -> None:
    without, long = (
        Image.open(io.BytesIO(png("A title", summary))).convert("RGB").crop((0, 390, *SIZE))
        for summary in ("", LONG)
    )
    assert ImageChops.difference(without, long).getbbox() is None
    with Image.open(io.BytesIO(png("A title", LONG))) as image:
        right = image.convert("RGB").crop((SIZE[0] - 60, 20, *SIZE))
    assert right.getcolors() == [(right.width * right.height, _rgb(PAPER))]


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))
