"""Lines about what a masking collator draws: the shares, the random tokens, the words, the rows.

Used by `bertlesson.diagnosis`.
"""

import numpy as np

from .diagnosis_table import ALPHA, MANY, Line, Said, Table
from .intervals import design_effect, occupied, tail_bound, widest_gap_chance, wilson
from .masking import IGNORE_INDEX, Bools

__all__ = ["share_lines"]


def share_lines(table: Table) -> list[Line]:
    """All that depends on draws, seen without running the collator again."""
    return [
        _selection(table),
        *_fates(table),
        _random_ids(table),
        *_words(table),
        _rows_without(table),
        _batches_without(table),
    ]


def _selection(table: Table) -> Line:
    count, total = int(table.selected.sum()), int(table.ordinary.sum())
    hits = table.selected[table.ordinary]
    effect = max(table.effect, design_effect(hits, table.batch[table.ordinary]))
    interval = wilson(count, total, ALPHA, effect)
    low, high = _expected_selection(table)
    given = table.declared.recipe.select
    said: Said = (
        "selected",
        table.share,
        interval,
        f"{given:.4g} ({table.declared.source})",
    )
    if interval[0] <= high and interval[1] >= low:
        return Line(*said, "fine", "Of the tokens that may be selected.")
    if 0.9 * low <= table.share <= max(1.1 * high, 1.05 * _share_of_counts(table)):
        return Line(
            *said, "look",
            "Close, but not by chance: as where each row has a count that is rounded, or rows "
            "too short to select in.",
        )  # fmt: skip
    effect_of = (
        "the model learns from fewer tokens in each step"
        if table.share < low
        else "the model has less to read the answers from"
    )
    if table.share > 0.99:
        effect_of += f"; torch's loss ignores the label {IGNORE_INDEX} alone"
    return Line(*said, "wrong", f"Not the share that it should be: {effect_of}.")


def _expected_selection(table: Table) -> tuple[float, float]:
    """From where to where the share of selected tokens may be."""
    declared, share = table.declared, table.declared.recipe.select
    if declared.limit is not None:
        most = _share_of_counts(table)
        return (0.5 * most if table.by_words else most), most
    if declared.never_empty:
        tokens = np.bincount(table.batch[table.ordinary], minlength=len(table.batches))
        extra = float(((1 - share) ** (tokens / 4)).sum() / max(1, tokens.sum()))
        return share, share + 4 * extra
    return share, share


def _share_of_counts(table: Table) -> float:
    """The share of tokens selected if each row has a count, as the reference rounds it."""
    lengths = np.array([len(table.rows.ids[number]) for number in table.number])
    counts = np.maximum(1, np.rint(lengths * table.declared.recipe.select))
    counts = np.minimum(counts, table.declared.limit or counts.max())
    tokens = np.bincount(table.row[table.ordinary], minlength=len(table.number))
    return float(np.minimum(counts, tokens).sum() / max(1, tokens.sum()))


def _fates(table: Table) -> list[Line]:
    chosen = table.selected
    seen, original = table.seen[chosen], table.original[chosen]
    is_mask, is_same = seen == table.mask_id, seen == original
    recipe = table.declared.recipe
    stray = 2 * recipe.random / table.vocab_size  # random tokens that look like another fate
    fates: list[tuple[str, str, Bools, float, float, float]] = [
        (
            "masked",
            "what the model sees at selected positions is not what the recipe says",
            is_mask & ~is_same,
            *(recipe.mask, recipe.mask, recipe.mask + stray),
        ),
        (
            "random",
            "random tokens teach the model to doubt what it sees",
            ~is_mask & ~is_same,
            *(recipe.random, recipe.random - stray, recipe.random),
        ),
        (
            "kept",
            "kept tokens teach the model to trust what it sees",
            is_same,
            *(recipe.keep, recipe.keep, recipe.keep + stray),
        ),
    ]
    total, lines = len(seen), []
    for name, meaning, hits, share, low, high in fates:
        expected = f"{share:.4g} ({table.declared.source})"
        if not total:
            lines.append(Line(name, None, None, expected, "look", "Nothing is selected."))
            continue
        effect = max(design_effect(hits, each[chosen]) for each in (table.row, table.batch))
        count = int(hits.sum())
        interval = wilson(count, total, ALPHA, effect)
        right = interval[0] <= high + 1e-9 and interval[1] >= low - 1e-9
        measured = count / total
        more = "more" if measured > share else "less"
        lines.append(
            Line(
                name, measured, interval, expected, "fine" if right else "wrong",
                "Of the selected tokens."
                if right
                else f"Of the selected tokens, {more} than there should be: {meaning}.",
            )
        )  # fmt: skip
    return lines


def _random_ids(table: Table) -> Line:
    chosen = table.selected & (table.seen != table.original) & (table.seen != table.mask_id)
    drawn = table.seen[chosen]
    said: Said = ("random ids", None, None, "all of them")
    if not len(drawn):
        return Line(*said, "fine", "No token is replaced by a random one.")
    outside = int(((drawn < 0) | (drawn >= table.vocab_size)).sum())
    if outside:
        return Line(
            *said, "wrong",
            f"{outside:,} are outside the vocabulary of {table.vocab_size:,}, up to "
            f"{drawn.max():,}: the embedding stops at them.",
        )  # fmt: skip
    size = len(table.plain_ids)
    ranks = np.sort(np.searchsorted(table.plain_ids, drawn[np.isin(drawn, table.plain_ids)]))
    draws = len(ranks)
    if draws < MANY:
        return Line(*said, "look", f"There are only {draws} of them, too few to judge by.")
    edges = np.concatenate([[-1], ranks, [size]])
    gaps = np.diff(edges) - 1
    wide = [i for i in np.argsort(-gaps)[:1000].tolist()
            if widest_gap_chance(int(gaps[i]), draws, size) < ALPHA]  # fmt: skip
    missing = int(gaps[wide].sum()) / size
    said = ("random ids", 1 - missing, None, "all of them")
    special = int(np.isin(drawn, table.special_ids).sum())
    if wide:
        first = edges[wide[0]] + 1
        ends = table.plain_ids[[first, first + gaps[wide[0]] - 1]]
        others = f", in {len(wide)} stretches" if len(wide) > 1 else ""
        return Line(
            *said, "wrong" if missing >= 0.05 else "look",
            f"{missing:.1%} of the vocabulary is never drawn{others}, the most from {ends[0]:,} "
            f"to {ends[1]:,}: the model learns that such a token is never the wrong one.",
        )  # fmt: skip
    distinct, (mean, deviation) = len(np.unique(ranks)), occupied(draws, size)
    if distinct < mean - 4.5 * deviation:
        return Line(
            *said, "wrong" if distinct < 0.8 * mean else "look",
            f"{draws:,} draws gave {distinct:,} different ids, and even chances would give "
            f"about {mean:,.0f}: some are drawn more often than others.",
        )  # fmt: skip
    also = f" Special tokens are among them ({special:,})." if special else ""
    return Line(*said, "fine", f"{draws:,} draws from all of {size:,} ids.{also}")


def _words(table: Table) -> list[Line]:
    said: Said = ("words torn", None, None, "none")
    if table.words is None:
        return [Line(*said, "look", "This tokenizer does not say where words begin.")]
    share = table.torn / table.several if table.several else None
    said = ("words torn", share, None, "none" if table.declared.whole_words else "any")
    if not table.several:
        lines = [Line(*said, "fine", "No word of several pieces was selected here.")]
    elif table.torn and table.declared.whole_words:
        text = (
            f"Of {table.several:,} selected words of several pieces, {share:.1%} are selected "
            "only in part: the rest of the word gives the answer away."
        )
        lines = [Line(*said, "wrong", text)]
    else:
        by = "Whole words are selected." if table.by_words else "Each piece is selected alone."
        lines = [Line(*said, "fine", by)]
    if table.joined is not None:
        both, either = table.joined
        said = ("words joined", both / either, wilson(both, either, ALPHA), "by chance")
        text = "Words without a space between them are selected on their own."
        if both / either > 0.9:
            text = (
                "Words without a space between them are always selected together: a full stop "
                "with its word, and in Chinese or Japanese a whole clause."
            )
        lines.append(Line(*said, "look" if both / either > 0.9 else "fine", text))
    return lines


def _rows_without(table: Table) -> Line:
    has = np.bincount(table.row[table.selected], minlength=len(table.number)) > 0
    units = np.array([table.units[number] for number in table.number])
    real = units > 0
    empty, total = int((~has & real).sum()), int(real.sum())
    chances = (1 - table.share) ** units
    value = empty / max(1, total)
    said: Said = (
        "rows without a target",
        value,
        wilson(empty, total, ALPHA),
        "by chance",
    )
    sizes = np.unique(units[real])
    worst, short = [], np.zeros(len(units), dtype=bool)
    for size in sizes.tolist():
        which = real & (units == size)
        seen, of = int((~has & which).sum()), int(which.sum())
        chance = (1 - table.share) ** size
        if tail_bound(seen, of, chance) < ALPHA / len(sizes) and seen / of > chance + 0.02:
            worst.append((seen, chance * of))
            short |= which
    if worst:
        seen_share, chance_share = (sum(each[i] for each in worst) / short.sum() for i in (0, 1))
        lengths = [len(table.rows.ids[number]) for number in table.number[short]]
        return Line(
            *said, "wrong",
            f"Rows of {min(lengths)} to {max(lengths)} tokens have no target in "
            f"{seen_share:.0%} of the cases, where chance gives {chance_share:.0%}: such texts are "
            "not learned from.",
        )  # fmt: skip
    by_chance = float(chances[real].mean()) if total else 0.0
    if value > 0.05:
        return Line(
            *said, "look",
            f"They are short, and chance leaves {by_chance:.1%} without a target: they cost "
            "time and teach nothing in that step.",
        )  # fmt: skip
    return Line(*said, "fine", "No more than chance leaves.")


def _batches_without(table: Table) -> Line:
    count = np.bincount(table.batch[table.selected], minlength=len(table.batches))
    empty, total = int((count == 0).sum()), len(table.batches)
    said: Said = (
        "batches without a target",
        empty / total,
        wilson(empty, total, ALPHA),
        "none",
    )
    if empty:
        return Line(
            *said, "wrong",
            f"{empty:,} of {total:,} batches have no target: the loss of transformers' models "
            "is NaN there, and so is its mean over the epoch.",
        )  # fmt: skip
    tokens = np.bincount(
        table.row_batch, [table.units[i] for i in table.number], minlength=len(table.batches)
    )
    chance = float(((1 - table.share) ** tokens).mean())
    sure = table.declared.never_empty or table.declared.limit is not None
    if chance > 1e-5 and not sure:
        return Line(
            *said, "look",
            f"None here, but chance leaves one of {1 / chance:,.0f} batches of this size "
            "without a target, and the loss of transformers' models is NaN there.",
        )  # fmt: skip
    return Line(*said, "fine", "Each batch has a target.")
