"""The lines about a collator's draws: when each is fine, to look at, or wrong, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bertlesson.diagnosis_shares import share_lines
from bertlesson.diagnosis_table import ALPHA, Declared, Line
from bertlesson.intervals import wilson
from bertlesson.masking import MaskingRecipe
from tests.bertlesson.broken_collators import CLS, MASK
from tests.bertlesson.seen_batches import BERTS, Arrays, Change, by_name, select, table_of

ROWS, WORDS = 60, 40
TEXTS = [
    " ".join(f"word{(row * 7 + place) % 400}" for place in range(WORDS)) for row in range(ROWS)
]
TEXTS[-1] += " word0"  # if all were equally long, some would be cut
TOKENS = ROWS * WORDS + 1


def lines_of(
    *changes: Change, texts: Sequence[str] = TEXTS, declared: Declared = BERTS
) -> dict[str, Line]:
    return by_name(share_lines(table_of(texts, *changes, declared=declared)))


def some(count: int, seen: Any = None, rows: Any = slice(None)) -> Change:
    """Selects so many tokens of each row, other ones in each."""

    def change(arrays: Arrays, features: Any) -> None:
        chosen = range(len(features))[rows]
        for row in chosen:
            places = 1 + (np.arange(count) * (WORDS // count) + row) % WORDS
            select(arrays, row, places, seen)

    return change


def nothing(arrays: Arrays, features: Any) -> None:
    """What a collator does that forgets to mask."""


# how many are selected


def test_the_share_that_is_selected() -> None:
    line = lines_of(some(6))["selected"]
    assert line == Line(
        "selected",
        6 * ROWS / TOKENS,
        wilson(6 * ROWS, TOKENS, ALPHA),
        "0.15 (BERT's)",
        "fine",
        "Of the tokens that may be selected.",
    )


@pytest.mark.parametrize(
    ("count", "verdict", "effect"),
    [
        (4, "wrong", ": the model learns from fewer tokens in each step."),
        (8, "wrong", ": the model has less to read the answers from."),
        (
            40,
            "wrong",
            ": the model has less to read the answers from; torch's loss ignores the label -100 "
            "alone.",
        ),
    ],
)
def test_a_share_that_chance_does_not_give(count: int, verdict: str, effect: str) -> None:
    line = lines_of(*[some(count)] * 4)["selected"]
    assert (line.verdict, line.value) == (verdict, count * ROWS / TOKENS)
    assert line.sentence == "Not the share that it should be" + effect


def test_a_share_that_is_close_but_not_by_chance() -> None:
    recipe = MaskingRecipe(0.14, 0.8, 0.1)
    declared = Declared(recipe, "declared", whole_words=False)
    for count in (2, 9):
        assert lines_of(*[some(count)] * 30, declared=declared)["selected"].verdict == "wrong"
    line = lines_of(*[some(6)] * 30, declared=declared)["selected"]
    assert (line.verdict, line.expected) == ("look", "0.14 (declared)")
    assert line.sentence == (
        "Close, but not by chance: as where each row has a count that is rounded, or rows too "
        "short to select in."
    )


def test_in_short_rows_a_rounded_count_is_more() -> None:
    """At least one is selected in the reference, of three tokens 33%."""
    texts = ["word1 word2 word3"] * 400

    def one(arrays: Arrays, features: Any) -> None:
        select(arrays, slice(None), 1)

    assert lines_of(one, texts=texts)["selected"].verdict == "look"

    def two(arrays: Arrays, features: Any) -> None:
        select(arrays, slice(None), [[1], [2]])

    assert lines_of(two, texts=texts)["selected"].verdict == "wrong"


def test_a_limit_that_is_declared_is_what_is_expected() -> None:
    declared = Declared(BERTS.recipe, "declared", whole_words=False, limit=4)
    assert lines_of(*[some(4)] * 10, declared=declared)["selected"].verdict == "fine"
    for count in (3, 5, 6):
        assert lines_of(*[some(count)] * 10, declared=declared)["selected"].verdict == "wrong"
    # whole words may not fit into what is left, down to a half
    declared = Declared(BERTS.recipe, "declared", whole_words=True, limit=4)
    verdicts = [
        lines_of(*[some(count)] * 10, declared=declared)["selected"].verdict
        for count in (1, 2, 3, 4, 5)
    ]
    assert verdicts == ["wrong", "fine", "fine", "fine", "wrong"]


def test_a_target_in_each_batch_makes_the_share_of_small_ones_larger() -> None:
    def one(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, 1)

    texts = ["word1 word2 word3 word4"]
    sure = Declared(BERTS.recipe, "declared", whole_words=False, never_empty=True)
    changes = [one] * 1000
    assert lines_of(*changes, texts=texts)["selected"].verdict == "look"
    assert lines_of(*changes, texts=texts, declared=sure)["selected"].verdict == "fine"
    assert lines_of(*[some(12)] * 4, declared=sure)["selected"].verdict == "wrong"


# what becomes of them


def fates(masked: int, random: int, kept: int) -> list[Change]:
    """So many batches, each with one fate for all, so many times: the shares of a report."""
    ids = np.arange(5, 505)

    def at_random(arrays: Arrays, features: Any) -> None:
        some(6)(arrays, features)
        where = arrays["labels"] >= 0
        rng = np.random.default_rng(int(arrays["input_ids"].sum()))
        drawn = rng.choice(ids, size=where.shape)
        drawn = np.where(drawn == arrays["labels"], 5 + (drawn - 4) % 500, drawn)
        arrays["input_ids"] = np.where(where, drawn, arrays["input_ids"])

    return [some(6, MASK)] * masked + [at_random] * random + [some(6)] * kept


def test_nothing_is_selected() -> None:
    lines = lines_of(nothing)
    for name, share in (("masked", "0.8"), ("random", "0.1"), ("kept", "0.1")):
        assert lines[name] == Line(
            name, None, None, f"{share} (BERT's)", "look", "Nothing is selected."
        )
    assert lines["random ids"] == Line(
        "random ids", None, None, "all of them", "fine", "No token is replaced by a random one."
    )


def mixed(masked: float, random: float) -> Change:
    """Draws the fate of each token on its own."""
    rng = np.random.default_rng(0)

    def change(arrays: Arrays, features: Any) -> None:
        some(6)(arrays, features)
        where, fate = arrays["labels"] >= 0, rng.random(arrays["labels"].shape)
        drawn = rng.integers(5, 505, where.shape)
        seen = np.where(fate < masked, MASK, np.where(fate < masked + random, drawn, -1))
        arrays["input_ids"] = np.where(where & (seen >= 0), seen, arrays["input_ids"])

    return change


def test_the_fates_are_fine() -> None:
    lines = lines_of(*[mixed(0.8, 0.1)] * 10)
    for name, expected in (("masked", 0.8), ("random", 0.1), ("kept", 0.1)):
        line = lines[name]
        assert (line.verdict, line.sentence) == ("fine", "Of the selected tokens.")
        assert line.expected == f"{expected} (BERT's)"
        assert line.value is not None
        assert line.interval is not None
        assert line.interval[0] < line.value < line.interval[1]
        assert line.value == pytest.approx(expected, abs=0.02)
    assert sum(lines[name].value or 0 for name in ("masked", "random", "kept")) == pytest.approx(1)


@pytest.mark.parametrize(
    ("masked", "random", "more", "less", "right"),
    [(1, 0, "masked", "random", None), (0.5, 0.4, "random", "masked", "kept")],
)
def test_fates_that_are_not_as_declared(
    masked: float, random: float, more: str, less: str, right: str | None
) -> None:
    meanings = {
        "masked": "what the model sees at selected positions is not what the recipe says",
        "random": "random tokens teach the model to doubt what it sees",
        "kept": "kept tokens teach the model to trust what it sees",
    }
    lines = lines_of(*[mixed(masked, random)] * 10)
    for name, how in ((more, "more"), (less, "less")):
        assert lines[name].verdict == "wrong"
        assert lines[name].sentence == (
            f"Of the selected tokens, {how} than there should be: {meanings[name]}."
        )
    if right:
        assert lines[right].verdict == "fine"
    else:
        assert lines["kept"].sentence == (
            f"Of the selected tokens, less than there should be: {meanings['kept']}."
        )


def test_one_fate_for_a_row_or_a_batch_is_known_less_precisely() -> None:
    rng = np.random.default_rng(1)

    def by_row(arrays: Arrays, features: Any) -> None:
        some(6)(arrays, features)
        masked = rng.random((ROWS, 1)) < 0.8
        where = (arrays["labels"] >= 0) & masked
        arrays["input_ids"] = np.where(where, MASK, arrays["input_ids"])

    def width(line: Line) -> float:
        assert line.interval is not None
        return line.interval[1] - line.interval[0]

    each, row, batch = (
        width(lines_of(*changes)["masked"])
        for changes in ([mixed(0.8, 0.1)] * 10, [by_row] * 10, fates(8, 1, 1))
    )
    assert row > 2 * each, "six in a row count as one"
    assert batch > 4 * row, "and 360 in a batch"


# the random tokens


def draws_of(*drawn: Sequence[int]) -> list[Change]:
    """Replaces selected tokens by these ids, in one batch for each sequence."""

    def change(ids: Sequence[int]) -> Change:
        def replace(arrays: Arrays, features: Any) -> None:
            left = list(ids)
            for row in range(ROWS):
                for place in range(1, 1 + WORDS):
                    if left and arrays["input_ids"][row, place] != left[0]:
                        select(arrays, row, place, left.pop(0))
            assert not left

        return replace

    return [change(each) for each in drawn]


def random_line(*drawn: Sequence[int]) -> Line:
    return lines_of(*draws_of(*drawn))["random ids"]


def drawn_from(ids: Any, count: int = 2000, seed: int = 0) -> list[int]:
    return [int(i) for i in np.random.default_rng(seed).choice(ids, count)]


ALL = np.arange(5, 505)


def test_random_tokens_from_all() -> None:
    line = random_line(drawn_from(ALL), drawn_from(ALL, seed=1))
    assert line == Line(
        "random ids", 1, None, "all of them", "fine", "4,000 draws from all of 500 ids."
    )
    line = random_line(drawn_from(ALL), [CLS] * 7)
    assert (line.verdict, line.sentence) == (
        "fine",
        "2,000 draws from all of 500 ids. Special tokens are among them (7).",
    )


def test_random_tokens_outside_the_vocabulary() -> None:
    line = random_line([*drawn_from(ALL), 505, 506, 1505])
    assert line == Line(
        "random ids",
        None,
        None,
        "all of them",
        "wrong",
        "3 are outside the vocabulary of 505, up to 1,505: the embedding stops at them.",
    )


def test_too_few_random_tokens() -> None:
    line = random_line(drawn_from(ALL, 19))
    assert line == Line(
        "random ids",
        None,
        None,
        "all of them",
        "look",
        "There are only 19 of them, too few to judge by.",
    )
    assert random_line(drawn_from(ALL, 20)).sentence == "20 draws from all of 500 ids."


def test_a_stretch_of_the_vocabulary_that_is_never_drawn() -> None:
    line = random_line(drawn_from(ALL[ALL < 305]))
    assert (line.verdict, line.value, line.interval) == ("wrong", 0.6, None)
    assert line.sentence == (
        "40.0% of the vocabulary is never drawn, the most from 305 to 504: the model learns that "
        "such a token is never the wrong one."
    )
    assert random_line(drawn_from(ALL[ALL >= 105])).sentence.startswith(
        "20.0% of the vocabulary is never drawn, the most from 5 to 104: "
    )
    line = random_line(drawn_from(ALL[(ALL < 100) | (ALL >= 120)]))
    assert (line.verdict, line.value) == ("look", 0.96), "less than a twentieth"
    line = random_line(drawn_from(ALL[(ALL < 100) | (ALL >= 125)]))
    assert (line.verdict, line.value) == ("wrong", 0.95)
    line = random_line(drawn_from(ALL[((ALL < 100) | (ALL >= 150)) & (ALL < 425)]))
    assert line.sentence.startswith(
        "26.0% of the vocabulary is never drawn, in 2 stretches, the most from 425 to 504: "
    )


def test_some_random_tokens_are_drawn_more_often() -> None:
    line = random_line(drawn_from(ALL[::2]))
    assert line.verdict == "wrong"
    assert line.sentence == (
        "2,000 draws gave 250 different ids, and even chances would give about 491: some are drawn "
        "more often than others."
    )
    line = random_line([*drawn_from(ALL[::5], 1500), *drawn_from(ALL, 800)])
    assert line.verdict == "look"
    assert "even chances would give about 495" in line.sentence


# the words


def test_words_in_parts() -> None:
    texts = [*["start0end0 start1end1 start2end2 word0"] * 10, "word1"]

    def parts(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2, 3])
        select(arrays, 1, [5])

    whole = Declared(BERTS.recipe, "declared", whole_words=True)
    line = lines_of(parts, texts=texts, declared=whole)["words torn"]
    assert line == Line(
        "words torn",
        2 / 3,
        None,
        "none",
        "wrong",
        "Of 3 selected words of several pieces, 66.7% are selected only in part: the rest of the "
        "word gives the answer away.",
    )
    line = lines_of(parts, texts=texts)["words torn"]
    assert line == Line("words torn", 2 / 3, None, "any", "fine", "Each piece is selected alone.")

    def together(arrays: Arrays, features: Any) -> None:
        for row in range(10):
            select(arrays, row, [1, 2, 5, 6])

    line = lines_of(together, texts=texts)["words torn"]
    assert line == Line("words torn", 0, None, "any", "fine", "Whole words are selected.")
    line = lines_of(nothing, texts=texts, declared=whole)["words torn"]
    assert line == Line(
        "words torn", None, None, "none", "fine", "No word of several pieces was selected here."
    )
    assert "words joined" not in lines_of(parts, texts=texts, declared=whole)


def test_words_that_touch() -> None:
    texts = ["start0end0 word1, word2"] * 20
    whole = Declared(BERTS.recipe, "declared", whole_words=True)

    def both(arrays: Arrays, features: Any) -> None:
        select(arrays, slice(None), [[1], [2], [3], [4]])

    line = lines_of(both, texts=texts, declared=whole)["words joined"]
    assert line == Line(
        "words joined",
        1,
        wilson(20, 20, ALPHA),
        "by chance",
        "look",
        "Words without a space between them are always selected together: a full stop with its "
        "word, and in Chinese or Japanese a whole clause.",
    )

    def one(arrays: Arrays, features: Any) -> None:
        select(arrays, slice(None), [[1], [2], [3]])
        select(arrays, slice(18), 4)

    line = lines_of(one, texts=texts, declared=whole)["words joined"]
    assert line == Line(
        "words joined",
        0.9,
        wilson(18, 20, ALPHA),
        "by chance",
        "fine",
        "Words without a space between them are selected on their own.",
    )


# rows and batches without a target


def test_rows_without_a_target() -> None:
    line = lines_of(some(6), some(6, rows=slice(1, None)))["rows without a target"]
    assert line == Line(
        "rows without a target",
        1 / 120,
        wilson(1, 120, ALPHA),
        "by chance",
        "fine",
        "No more than chance leaves.",
    )


def test_short_rows_without_a_target() -> None:
    texts = [*TEXTS, *["word1 word2 word3"] * 50, *["word1 word2 word3 word4"] * 50]
    line = lines_of(some(6, rows=slice(ROWS)), texts=texts)["rows without a target"]
    assert (line.verdict, line.value) == ("wrong", 100 / 160)
    share = 6 * ROWS / (TOKENS + 350)
    chance = ((1 - share) ** 3 + (1 - share) ** 4) / 2
    assert line.sentence == (
        f"Rows of 5 to 6 tokens have no target in 100% of the cases, where chance gives "
        f"{chance:.0%}: such texts are not learned from."
    )

    rng = np.random.default_rng(0)

    def by_chance(arrays: Arrays, features: Any) -> None:
        where = (rng.random(arrays["labels"].shape) < 0.15) & (arrays["input_ids"] > MASK)
        arrays["labels"] = np.where(where, arrays["input_ids"], -100)

    texts = ["word1 word2 word3"] * 100
    line = lines_of(*[by_chance] * 5, texts=texts)["rows without a target"]
    table = table_of(texts, *[by_chance] * 5)
    assert line.verdict == "look"
    assert line.value == pytest.approx(0.85**3, abs=0.07)
    found = line.sentence.split("%")[0].rpartition(" ")[2]
    assert float(found) / 100 == pytest.approx((1 - table.share) ** 3, abs=0.05)
    assert line.sentence == (
        f"They are short, and chance leaves {found}% without a target: they cost time and teach "
        "nothing in that step."
    )


def test_batches_without_a_target() -> None:
    line = lines_of(some(6), nothing, some(6), some(6))["batches without a target"]
    assert line == Line(
        "batches without a target",
        0.25,
        wilson(1, 4, ALPHA),
        "none",
        "wrong",
        "1 of 4 batches have no target: the loss of transformers' models is NaN there, and so is "
        "its mean over the epoch.",
    )
    line = lines_of(some(6), some(6))["batches without a target"]
    assert line == Line(
        "batches without a target",
        0,
        wilson(0, 2, ALPHA),
        "none",
        "fine",
        "Each batch has a target.",
    )


def test_small_batches_may_come_without_a_target() -> None:
    texts = [" ".join(["word1"] * count) for count in (8, 8, 9)]
    one_of = 1 / (19 / 25) ** 25

    def six(arrays: Arrays, features: Any) -> None:
        select(arrays, slice(None), [[1], [2]])

    line = lines_of(six, texts=texts)["batches without a target"]
    assert (line.verdict, line.value) == ("look", 0)
    assert line.sentence == (
        f"None here, but chance leaves one of {one_of:,.0f} batches of this size without a "
        "target, and the loss of transformers' models is NaN there."
    )
    for declared in (
        Declared(BERTS.recipe, "declared", whole_words=False, never_empty=True),
        Declared(BERTS.recipe, "declared", whole_words=False, limit=9),
    ):
        line = lines_of(six, texts=texts, declared=declared)["batches without a target"]
        assert line.verdict == "fine"
