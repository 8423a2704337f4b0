"""The reference's pretraining data, draw by draw, faults included.

Reproduces google-research/bert, `create_pretraining_data.py`: masks that never change, more than
half of the pairs random, "random" pairs in which B does follow A. `bertlesson.nsp` makes the pairs
to train with today.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .segments import (
    Documents,
    Kept,
    SegmentPair,
    Span,
    check_count,
    check_documents,
    check_list,
    check_settings,
    check_share,
    choose_target_length,
    grow,
    truncate,
)

__all__ = ["PretrainingInstance", "create_pretraining_instances"]


@dataclass
class PretrainingInstance:
    """One pair with its masks, as the reference writes it to disk.

    Attributes:
        tokens: ``[CLS] A [SEP] B [SEP]`` as the model sees it, at most `max_seq_length` pieces.
        segment_ids: For each token, 0 up to the first ``[SEP]`` and 1 after it.
        is_random_next: Whether B was drawn at random; `next_sentence_label` is 1 if so.
        masked_lm_positions: The positions to predict, in ascending order.
        masked_lm_labels: The original piece at each of them.
    """

    tokens: list[str]
    segment_ids: list[int]
    is_random_next: bool
    masked_lm_positions: list[int]
    masked_lm_labels: list[str]


def create_pretraining_instances(
    documents: Documents,
    vocab_words: Sequence[str],
    *,
    max_seq_length: int,
    dupe_factor: int,
    short_seq_prob: float,
    masked_lm_prob: float,
    max_predictions_per_seq: int,
    whole_word_mask: bool,
    rng: random.Random,
) -> list[PretrainingInstance]:
    """Make the reference's training data, draw by draw (its `create_training_instances`).

    The reference's faults are included; `create_pairs` lists them and avoids them.

    Args:
        documents: Documents -> sentences -> pieces; empty ones are skipped. Not modified.
        vocab_words: All pieces of the vocabulary in the order of their ids.
        max_seq_length: The most pieces in a pair, its three special tokens included; 5 or more.
        dupe_factor: Number of passes over the documents, each with new pairs and new masks.
        short_seq_prob: Probability that a document is cut into shorter pairs.
        masked_lm_prob: Share of a pair's tokens to predict; ``[CLS]`` and ``[SEP]`` count as
            tokens.
        max_predictions_per_seq: The most tokens to predict in a pair.
        whole_word_mask: Select a piece together with the ``##`` pieces after it.
        rng: The source of every draw.

    Returns:
        The instances in random order.

    Raises:
        TypeError: If documents are not lists of lists of lists of strings, `vocab_words` is not a
            sequence of strings, or `rng` is not a `random.Random`.
        ValueError: If a number is out of range, or the vocabulary is empty.

    >>> documents = [[["i", "saw", "it"], ["it", "was", "great"]], [["rain"], ["all", "day"]]]
    >>> vocab_words = ["[CLS]", "[SEP]", "[MASK]", "i", "saw", "it", "was", "great", "rain"]
    >>> first, *rest = create_pretraining_instances(
    ...     documents, vocab_words, max_seq_length=16, dupe_factor=2, short_seq_prob=0.1,
    ...     masked_lm_prob=0.15, max_predictions_per_seq=2, whole_word_mask=False,
    ...     rng=random.Random(2),
    ... )
    >>> print(*first.tokens)
    [CLS] [MASK] [SEP] all day [SEP]
    >>> first.is_random_next, first.masked_lm_positions, first.masked_lm_labels
    (False, [1], ['rain'])
    """
    check_documents(documents)
    _check_vocab_words(vocab_words)
    check_settings(max_seq_length, short_seq_prob, rng)
    check_share("masked_lm_prob", masked_lm_prob)
    check_count("dupe_factor", dupe_factor)
    check_count("max_predictions_per_seq", max_predictions_per_seq)

    with_text = [[sentence for sentence in document if len(sentence)] for document in documents]
    shuffled = [document for document in with_text if document]
    rng.shuffle(shuffled)
    instances = []
    for _ in range(dupe_factor):  # the only variety that static masks have
        for number in range(len(shuffled)):
            # a generator: each pair is cut only when requested, so its draws alternate with those
            # below, as in the reference
            for pair in cut_document(shuffled, number, max_seq_length - 3, short_seq_prob, rng):
                a, b = pair.a.pieces(shuffled), pair.b.pieces(shuffled)
                truncate_pieces(a, b, max_seq_length - 3, rng)
                tokens, positions, labels = mask_pieces(
                    ["[CLS]", *a, "[SEP]", *b, "[SEP]"],
                    vocab_words,
                    masked_lm_prob=masked_lm_prob,
                    max_predictions_per_seq=max_predictions_per_seq,
                    whole_word_mask=whole_word_mask,
                    rng=rng,
                )
                segment_ids = [0] * (len(a) + 2) + [1] * (len(b) + 1)
                instances.append(
                    PretrainingInstance(tokens, segment_ids, pair.is_random_next, positions, labels)
                )
    rng.shuffle(instances)  # pairs of one document would otherwise be neighbours in a batch
    return instances


def cut_document(
    documents: Documents,
    number: int,
    max_num_tokens: int,
    short_seq_prob: float,
    rng: random.Random,
) -> Iterator[SegmentPair]:
    """Cut document `number` into pairs, as the reference does."""
    document = documents[number]
    target_length = choose_target_length(max_num_tokens, short_seq_prob, rng)
    start = 0
    while start < len(document):
        # a chunk of sentences that fills the pair, and where A ends in it
        stop = grow(document, start, target_length)
        alone = stop - start == 1
        middle = stop if alone else rng.randint(start + 1, stop - 1)
        a = Span(number, start, middle)

        # nothing in the chunk follows a lone sentence: that is why more than half are random
        is_random_next = alone or rng.random() < 0.5
        if is_random_next:
            b = draw_anywhere(documents, number, target_length - a.length(documents), rng)
        else:
            b = Span(number, middle, stop)
        yield SegmentPair(a, b, is_random_next)

        # with a random B the rest of the chunk is unused: put it back
        start = middle if is_random_next else stop


def draw_anywhere(
    documents: Documents, number: int, target_length: int, rng: random.Random
) -> Span:
    """Draw a B for document `number` as the reference does, with ten tries for another document.

    If all ten fail, B comes from the document itself and may be what actually follows A.
    """
    draws = (rng.randrange(len(documents)) for _ in range(10))
    other = next((draw for draw in draws if draw != number), number)
    start = rng.randrange(len(documents[other]))
    return Span(other, start, grow(documents[other], start, target_length))


def truncate_pieces(a: list[str], b: list[str], max_num_tokens: int, rng: random.Random) -> None:
    """Drop pieces from either end of the longer of the two (B in a tie), in place, until they fit.

    This may cut off the beginning of a word, so that a segment begins with a ``##`` piece.
    """
    truncate(Kept(a), Kept(b), max_num_tokens, rng)


def mask_pieces(
    tokens: Sequence[str],
    vocab_words: Sequence[str],
    *,
    masked_lm_prob: float,
    max_predictions_per_seq: int,
    whole_word_mask: bool,
    rng: random.Random,
) -> tuple[list[str], list[int], list[str]]:
    """Mask one pair for good; return tokens, positions and labels as in `PretrainingInstance`."""
    words = group_words(tokens, whole_word_mask)
    rng.shuffle(words)
    wanted = min(max_predictions_per_seq, max(1, round(len(tokens) * masked_lm_prob)))
    masked, positions = list(tokens), list[int]()
    for word in words:
        # a word longer than the remaining budget is skipped in favour of a shorter one
        if len(positions) + len(word) <= wanted:
            positions += word
            for position in word:
                masked[position] = replace_piece(tokens[position], vocab_words, rng)
    positions.sort()
    return masked, positions, [tokens[position] for position in positions]


def group_words(tokens: Sequence[str], whole_word_mask: bool) -> list[list[int]]:
    """The positions that may be selected, grouped by word.

    As in the reference, ``##`` is the only sign that a word continues, even across ``[SEP]``.

    >>> group_words(["[CLS]", "play", "[SEP]", "##ing", "on", "[SEP]"], whole_word_mask=True)
    [[1, 3], [4]]
    """
    words: list[list[int]] = []
    for position, piece in enumerate(tokens):
        if piece in ("[CLS]", "[SEP]"):
            continue
        if whole_word_mask and words and piece.startswith("##"):
            words[-1].append(position)
        else:
            words.append([position])
    return words


def replace_piece(piece: str, vocab_words: Sequence[str], rng: random.Random) -> str:
    """What the model sees of a selected piece: ``[MASK]`` 80%, a random piece 10%, itself 10%."""
    if rng.random() < 0.8:
        return "[MASK]"
    if rng.random() < 0.5:  # as in the reference: kept comes before random
        return piece
    return vocab_words[rng.randrange(len(vocab_words))]


def _check_vocab_words(vocab_words: Sequence[str]) -> None:
    expected = "expected a list of pieces in the order of their ids: sorted(vocab, key=vocab.get)"
    check_list("vocab_words", vocab_words, expected)
    if not len(vocab_words):
        raise ValueError(f"vocab_words is empty; {expected}")
