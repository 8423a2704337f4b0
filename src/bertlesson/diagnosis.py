"""Find out what any masking collator really does: a report, line by line.

The standard that it is held to is what the collator declares, or else the paper's: 15% of the
tokens, of which 80% become ``[MASK]``, 10% a random token, and 10% stay (Devlin et al. 2019, §3.1).
"""

import pickle
import textwrap
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from .collating import MaskingCollator
from .diagnosis_repeats import repeat_lines
from .diagnosis_rows import (
    ORDINARY,
    Batch,
    Form,
    Rows,
    Unreadable,
    copier,
    find_form,
    observe,
    seed_everything,
    states_kept,
)
from .diagnosis_runs import Repeats, Trial
from .diagnosis_shares import share_lines
from .diagnosis_table import Declared, Line, Table, Verdict
from .masking import DEFAULT_RECIPE, MaskingRecipe, check_whole_number

__all__ = ["Diagnosis", "Line", "Verdict", "diagnose"]

TOKENS = 400_000  # enough to see that 81% are masked instead of 80%
MOST_TEXTS = 1_000
MOST_BATCHES = 1_500
COMPARED = 8  # batches that are drawn again to see whether they repeat
WIDTH = 74


@dataclass(frozen=True)
class Diagnosis:
    """What a masking collator does.

    Printed, it is a table: the verdict, what was checked, what was measured, its interval, and what
    was expected; below a line that is not fine, what it will do to training.

    Attributes:
        title: The collator, and on how much text it was run.
        lines: The checks.
    """

    title: str
    lines: tuple[Line, ...]

    @property
    def fine(self) -> bool:
        """Whether no line is wrong. Lines to look at may be left: they depend on your training."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[Line, ...]:
        """The lines that are wrong."""
        return tuple(line for line in self.lines if line.verdict == "wrong")

    @property
    def look(self) -> tuple[Line, ...]:
        """The lines to look at."""
        return tuple(line for line in self.lines if line.verdict == "look")

    def __getitem__(self, name: str) -> Line:
        """The line of this name.

        Raises:
            KeyError: If there is none.
        """
        for line in self.lines:
            if line.name == name:
                return line
        names = ", ".join(line.name for line in self.lines)
        raise KeyError(f"the line is {name!r}; expected one of {names}")

    def __str__(self) -> str:
        head = f"{'':7}{'':25}{'measured':9}{'interval':18}expected"
        parts = [self.title, "", head]
        for line in self.lines:
            value = "" if line.value is None else _percent(line.value)
            interval = "" if line.interval is None else " to ".join(map(_percent, line.interval))
            row = f"{line.verdict:7}{line.name:25}{value:9}{interval:18}{line.expected}"
            parts.append(row.rstrip())
            if line.verdict != "fine":
                indent = " " * 7
                parts += textwrap.wrap(
                    line.sentence, WIDTH, initial_indent=indent, subsequent_indent=indent
                )
        return "\n".join(parts)


def diagnose(
    collator: Any,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    expected: MaskingRecipe | None = None,
    whole_words: bool | None = None,
    columns: Sequence[str] | None = None,
    batch_size: int = 32,
    max_length: int = 128,
    seed: int = 0,
    seconds: float = 20.0,
) -> Diagnosis:
    """Run a masking collator on texts and report what it does.

    It draws masks for 400,000 tokens, or as many as it can in the time, and runs the collator again
    in a second epoch, in a loader with two workers, in two processes, and with an evaluation in
    between. On a correct collator, chance alone makes a report wrong once in 1,000 times.

    The collator works on copies of itself, and the generators of Python, numpy and torch are left
    as they were. A plain function cannot be copied: what it keeps outside of itself, as a generator
    in a closure, moves on.

    Args:
        collator: `MaskingCollator`, `transformers.DataCollatorForLanguageModeling`, or any callable
            that takes a list of dicts with `input_ids` and returns a dict with at least
            `input_ids` and `labels`, ``(batch, length)``.
        tokenizer: Its tokenizer, with a mask token.
        texts: A few dozen texts like those of the training; at most 1,000 are used, evenly spaced.
            If all are equally long, every eighth is halved, so that there is padding to see.
        expected: The shares that it should have. If omitted, what it declares as `recipe` or as
            `mlm_probability`, `mask_replace_prob` and `random_replace_prob`; else the paper's.
        whole_words: Whether it should select whole words. If omitted, its `whole_word_mask`.
        columns: The columns of a row. If omitted, those that `Trainer` leaves; if it does not take
            these, also `special_tokens_mask`, `offset_mapping` and `word_ids`.
        batch_size: Rows in a batch, as in the training.
        max_length: Longer texts are cut to this many tokens.
        seed: For all generators. The same seed gives the same report.
        seconds: When to stop drawing, if the collator is slow; the title says so.

    Returns:
        The report.

    Raises:
        ValueError: If there are no texts, the tokenizer has no mask token, or the collator takes
            no form of rows.
        TypeError: If the collator is not callable, or the texts are not a list of strings.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> texts = ["a great film " * repeats for repeats in range(5, 35)]
    >>> report = diagnose(MaskingCollator(tokenizer, seed=0), tokenizer, texts)
    >>> report.fine, report["special tokens"].sentence
    (True, '[CLS] and [SEP] are never selected.')
    """
    texts = _checked(collator, tokenizer, texts)
    check_whole_number("batch_size", batch_size, least=1)
    check_whole_number("seed", seed, least=0)
    declared = _declared(collator, expected, whole_words)
    make, pickled, apart = copier(collator)
    with states_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        rows = Rows(tokenizer, texts, max_length)
        batches = _batches(rows, batch_size)
        seed_everything(seed)
        ragged = _ragged(rows, batch_size)
        form = find_form(make, rows, ragged, columns)
        trial = Trial(make, pickled, rows, form, seed)
        name = getattr(collator, "__qualname__", type(collator).__name__)
        try:
            seen, stopped = _draw(trial, batches, seconds)
        except Exception as error:
            return Diagnosis(f"{name} on {len(texts):,} texts", (_unreadable(error),))
        table = Table(rows, seen, declared)
        repeats = Repeats(trial, _compared(batches), table.share, table.units, table.words_of)
        again = repeat_lines(repeats, apart)
        if any(line.name == "epoch to epoch" and line.verdict == "wrong" for line in again):
            # what repeats is one draw, however often it is seen
            table = Table(rows, _drawn_once(seen[: len(batches)]), declared)
        tokens = int(table.ordinary.sum())
        slow = f", stopped after {seconds:g} s" if stopped else ""
        title = f"{name} on {len(texts):,} texts, {tokens:,} tokens drawn{slow}"
        return Diagnosis(
            title,
            (_form_line(form), *table.lines(), *share_lines(table), *again, _pickle_line(pickled)),
        )


def _checked(collator: Any, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[str]:
    if not callable(collator):
        raise TypeError(f"collator is {collator!r}; expected a callable that takes a list of dicts")
    if tokenizer.mask_token_id is None:
        raise ValueError(
            f"{type(tokenizer).__name__} has no mask token; expected the tokenizer that the "
            "collator masks with"
        )
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"texts is {type(texts).__name__}; expected a list of strings")
    if not any(text.strip() for text in texts):
        raise ValueError("texts is empty; expected a few dozen texts like those of the training")
    step = max(1, -(-len(texts) // MOST_TEXTS))
    chosen = list(texts[::step])
    # of a handful of rows chance makes too much
    return chosen * -(-8 // len(chosen))


def _declared(collator: Any, expected: MaskingRecipe | None, whole_words: bool | None) -> Declared:
    """What a collator declares, in our words or in those of transformers."""
    owner = getattr(collator, "func", collator)  # of a functools.partial
    owner = getattr(owner, "__self__", owner)  # of a method
    words = getattr(owner, "whole_word_mask", False) if whole_words is None else whole_words
    recipe, source = getattr(owner, "recipe", None), "declared"
    if expected is not None:
        recipe, source = expected, "expected"
    elif not isinstance(recipe, MaskingRecipe):
        names = ("mlm_probability", "mask_replace_prob", "random_replace_prob")
        shares = [getattr(owner, name, None) for name in names]
        standard = (DEFAULT_RECIPE.select, DEFAULT_RECIPE.mask, DEFAULT_RECIPE.random)
        source = "BERT's" if shares[0] is None else "declared"
        recipe = MaskingRecipe(
            *(b if a is None else float(a) for a, b in zip(shares, standard, strict=True))
        )
    ours = isinstance(owner, MaskingCollator)
    return Declared(
        recipe=recipe,
        source=source,
        whole_words=bool(words),
        limit=owner.max_predictions_per_seq if ours else None,
        never_empty=ours and owner.at_least_one,
    )


def _batches(rows: Rows, batch_size: int) -> list[list[int]]:
    numbers = list(range(len(rows.ids)))
    return [numbers[i : i + batch_size] for i in range(0, len(numbers), batch_size)]


def _compared(batches: list[list[int]]) -> list[list[int]]:
    """Some of the batches, and again from the start if there are few."""
    return (batches * COMPARED)[:COMPARED]


def _ragged(rows: Rows, batch_size: int) -> list[int]:
    """A batch of the shortest and the longest rows."""
    order = sorted(range(len(rows.ids)), key=lambda number: len(rows.ids[number]))
    half = batch_size // 2
    return order[:half] + order[half:][-(batch_size - half) :]


def _draw(trial: Trial, batches: list[list[int]], seconds: float) -> tuple[list[Batch], bool]:
    """Pass over the texts until there are enough tokens; at least once, as far as time allows."""
    seed_everything(trial.seed)
    collator = trial.make()
    tokens = 0
    seen: list[Batch] = []
    deadline = time.monotonic() + seconds
    while tokens < TOKENS and len(seen) < MOST_BATCHES:
        for batch in batches:
            if seen and time.monotonic() > deadline:
                return seen, True
            seen.append(observe(collator, trial.rows, batch, trial.form))
            tokens += sum(len(trial.rows.ids[number]) for number in batch)
    return seen, False


def _drawn_once(seen: list[Batch]) -> list[Batch]:
    """The batches of one pass; the first alone if the others have the same draws again."""
    first = seen[0]
    for other in seen[1:5]:
        size = min(first.seen.size, other.seen.size)
        both = ((first.kinds == ORDINARY).flat[:size]) & ((other.kinds == ORDINARY).flat[:size])
        alike = first.selected.flat[:size] == other.selected.flat[:size]
        if alike[both].mean() > 0.95:
            return [first]
    return seen


def _unreadable(error: Exception) -> Line:
    text = (
        str(error)
        if isinstance(error, Unreadable)
        else f"it stops: {type(error).__name__}: {error}"
    )
    return Line(
        "output", None, None, "a row for each row", "wrong", f"{text[:1].upper()}{text[1:]}."
    )


def _form_line(form: Form) -> Line:
    said = ("columns", None, None, "Trainer's")
    text = ", ".join(form.columns)
    more = [
        name
        for name in form.columns
        if name in ("special_tokens_mask", "offset_mapping", "word_ids")
    ]
    if form.padded:
        text += ", padded to one length beforehand"
    if form.tensors:
        text += ", as tensors"
    if more:
        return Line(
            *said, "look",
            f"It was given {text}. Trainer drops {' and '.join(more)} unless "
            "remove_unused_columns=False.",
        )  # fmt: skip
    return Line(*said, "look" if form.padded else "fine", f"It takes {text}.")


def _pickle_line(pickled: bytes | None) -> Line:
    if pickled is not None:
        return Line(
            "pickle",
            None,
            None,
            "yes",
            "fine",
            f"It can be sent to workers (pickle {pickle.DEFAULT_PROTOCOL}).",
        )
    return Line(
        "pickle", None, None, "yes", "look",
        "It cannot be pickled: workers that are not forked, as by default on macOS and Windows and "
        "from Python 3.14 on, cannot use it.",
    )  # fmt: skip


def _percent(share: float) -> str:
    return f"{share:.2%}" if 0 < share < 1 else f"{share:.0%}"
