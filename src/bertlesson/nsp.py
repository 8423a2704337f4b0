"""Next sentence prediction: how documents become pairs of segments, half of them mismatched.

Follows Devlin et al. 2019, §3.1 (task 2) and A.2, and google-research/bert,
`create_pretraining_data.py`, without its faults: `bertlesson.reference` reproduces those.
`create_pairs` returns arrays to which `bertlesson.collating.MaskingCollator` applies new masks in
each epoch.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .segments import (
    Document,
    Documents,
    SegmentPair,
    Span,
    check_documents,
    check_settings,
    choose_target_length,
    grow,
    truncate_words,
)

__all__ = ["IS_NEXT", "IS_RANDOM", "SentencePairs", "create_pairs"]

IS_NEXT, IS_RANDOM = 0, 1  # what next_sentence_label holds
STRUCTURAL = {"[PAD]", "[CLS]", "[SEP]"}
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SentencePairs:
    """Unmasked pairs, one per row; all int64, as the models and losses expect.

    ``pairs[i]`` is one row and ``pairs[[i, j]]`` a batch, each a dict of the model's inputs and
    `special_tokens_mask`. Pass either to `MaskingCollator`, or pass `pairs` itself to a
    `DataLoader` with ``collate_fn=MaskingCollator(...)``.

    Attributes:
        input_ids: ``(pairs, length)``, ``[CLS] A [SEP] B [SEP] [PAD] ...``.
        attention_mask: ``(pairs, length)``: 1 = token, 0 = padding.
        token_type_ids: ``(pairs, length)``: 1 = B and the ``[SEP]`` after it, 0 = everything before
            them, and padding.
        special_tokens_mask: ``(pairs, length)``: 1 = ``[CLS]``, ``[SEP]`` or padding.
        next_sentence_label: ``(pairs,)``: 0 = B follows A, 1 = B is random.
        sources: ``(pairs, 2, 3)``, for A and for B the document, the first sentence and the one
            after the last: ``Span(*pairs.sources[i, 0])`` is where the A of row i comes from.
    """

    input_ids: Ints
    attention_mask: Ints
    token_type_ids: Ints
    special_tokens_mask: Ints
    next_sentence_label: Ints
    sources: Ints

    def __len__(self) -> int:
        return len(self.input_ids)

    def __getitem__(self, rows: Any) -> dict[str, Any]:
        return {
            "input_ids": self.input_ids[rows],
            "attention_mask": self.attention_mask[rows],
            "token_type_ids": self.token_type_ids[rows],
            "special_tokens_mask": self.special_tokens_mask[rows],
            "next_sentence_label": self.next_sentence_label[rows],
        }


def create_pairs(
    documents: Documents,
    vocab: Mapping[str, int],
    *,
    max_seq_length: int,
    short_seq_prob: float = 0.1,
    rng: random.Random,
) -> SentencePairs:
    """Make sentence pairs to train on (paper §3.1, task 2), without the reference's faults.

    - A random B always comes from another document, so one document is not enough. Nowhere in the
      corpus does the first sentence of B come right after the last sentence of A, and the same
      holds for the sentences that are first and last after the pair has been truncated.
    - Half of the pairs are random, each decided by a fair coin. To make this possible, a chunk has
      at least two sentences; a single sentence that is left over, or is a whole document, makes no
      pair.
    - The coin decides where B begins and nothing else. A random B grows as a true one does, is
      never the opening of its document, and ends its document whenever the true one does. So
      neither lengths nor opening and closing sentences reveal the label, as they do in the
      reference.
    - Words stay whole, so no segment begins with a ``##`` piece. A word is cut, at its end, only if
      it is all that is left of its segment.
    - There are no masks: `MaskingCollator` draws them each time a pair is seen.

    Args:
        documents: Documents -> sentences -> pieces. Not modified.
        vocab: Piece -> id, as from ``tokenizer.get_vocab()``, with ``[PAD]``, ``[CLS]`` and
            ``[SEP]``.
        max_seq_length: The length of the rows, 5 or more.
        short_seq_prob: Probability that a document is cut into shorter pairs.
        rng: The source of every draw. A second call with the same object makes different pairs.

    Returns:
        The pairs, in the order of the documents; have the loader shuffle them.

    Raises:
        TypeError: If documents are not lists of lists of lists of strings, `vocab` is no mapping,
            or `rng` is not a `random.Random`.
        ValueError: If fewer than two documents have two sentences, or documents are copies of each
            other; if a sentence is empty or begins with a ``##`` piece, a piece is special or not
            in the vocabulary, or a number is out of range.

    >>> documents = [[["i", "saw", "it"], ["it", "was", "great"]], [["rain"], ["all", "day"]]]
    >>> pieces = ["[PAD]", "[CLS]", "[SEP]", "i", "saw", "it", "was", "great", "rain", "all", "day"]
    >>> vocab = {piece: id for id, piece in enumerate(pieces)}
    >>> pairs = create_pairs(documents, vocab, max_seq_length=9, rng=random.Random(1))
    >>> for ids, label in zip(pairs.input_ids, pairs.next_sentence_label):
    ...     print(*(pieces[id] for id in ids), label)
    [CLS] i saw it [SEP] all day [SEP] [PAD] 1
    [CLS] rain [SEP] all day [SEP] [PAD] [PAD] [PAD] 0
    """
    check_documents(documents)
    check_settings(max_seq_length, short_seq_prob, rng)
    _check_pieces(documents, vocab)
    corpus = index_corpus(documents)  # who follows whom, so that no random B follows its A
    room = max_seq_length - 3  # for A and B, beside [CLS] and two [SEP]
    pairs, segments = [], []
    for number in corpus.partners:
        for pair in pair_sentences(corpus, number, room, short_seq_prob, rng):
            a, b = pair.a.pieces(documents), pair.b.pieces(documents)
            # the last sentence taken may exceed the room: shorten where the text is longest
            truncate_words(a, b, room, rng)
            pairs.append(pair)
            segments.append((a, b))
    return _to_arrays(pairs, segments, vocab, max_seq_length)


class Corpus(NamedTuple):
    """The documents, indexed so that a B that does not follow A can be drawn.

    Attributes:
        documents: Documents -> sentences -> pieces.
        partners: The numbers of the documents with two or more sentences.
        sentences: Documents -> a number for each sentence; equal sentences share a number.
        successors: Sentence number -> the numbers of all sentences that come right after it
            anywhere.
    """

    documents: Documents
    partners: list[int]
    sentences: list[list[int]]
    successors: Mapping[int, set[int]]

    def may_follow(self, a: Span, b: Span, max_num_tokens: int) -> bool:
        """Whether B may come right after A in some document, once the pair has been truncated.

        Truncation may drop all of A's last sentence or of B's first; then other sentences meet.
        """
        of_a = self.documents[a.document][a.start : a.stop]
        of_b = self.documents[b.document][b.start : b.stop]
        excess = sum(map(len, of_a)) + sum(map(len, of_b)) - max_num_tokens
        last = a.stop - reachable(of_a[::-1], excess)
        first = b.start + reachable(of_b, excess)
        lasts = self.sentences[a.document][last : a.stop]
        firsts = set(self.sentences[b.document][b.start : first])
        return any(not firsts.isdisjoint(self.successors.get(each, ())) for each in lasts)


def index_corpus(documents: Documents) -> Corpus:
    """Index the documents in one pass.

    Raises:
        ValueError: If fewer than two documents have two or more sentences.
    """
    partners = [number for number, document in enumerate(documents) if len(document) >= 2]
    if len(partners) < 2:
        raise ValueError(
            f"{len(partners)} of {len(documents)} documents have two or more sentences; expected "
            "at least 2 such documents, since a random B has to come from another one: split a "
            "long document where its subject changes"
        )
    numbers: dict[tuple[str, ...], int] = {}
    sentences = [
        [numbers.setdefault(tuple(sentence), len(numbers)) for sentence in document]
        for document in documents
    ]
    successors = defaultdict[int, set[int]](set)
    for last, first in chain.from_iterable(map(pairwise, sentences)):
        successors[last].add(first)
    return Corpus(documents, partners, sentences, successors)


def reachable(sentences: Document, excess: int) -> int:
    """How many of the sentences could come first once `truncate_words` has dropped `excess` pieces.

    Each word dropped removes at least one piece, so no more than `excess` words are dropped.

    >>> reachable([["un", "##want", "##ed", "gift"], ["oh"], ["it", "rained"]], excess=2)
    2
    """
    sentence_of_word = (
        number
        for number, sentence in enumerate(sentences, start=1)
        for piece in sentence
        if not piece.startswith("##")
    )
    return next(islice(sentence_of_word, max(excess, 0), None), len(sentences))


def pair_sentences(
    corpus: Corpus, number: int, max_num_tokens: int, short_seq_prob: float, rng: random.Random
) -> Iterator[SegmentPair]:
    """Cut document `number` into pairs; a coin toss alone decides whether B follows A."""
    document = corpus.documents[number]
    target_length = choose_target_length(max_num_tokens, short_seq_prob, rng)
    start = 0
    while len(document) - start >= 2:
        # a chunk of sentences that fills the pair; two at least, for a true B to exist
        stop = max(start + 2, grow(document, start, target_length))
        if stop == len(document) - 1:
            stop += 1  # the last sentence would be left alone
        middle = rng.randint(start + 1, stop - 1)  # any cut, so that A's length tells nothing
        a, b = Span(number, start, middle), Span(number, middle, stop)

        is_random_next = rng.random() < 0.5  # the fair coin: nothing else decides
        if is_random_next:
            room = target_length - a.length(corpus.documents)
            b = draw_elsewhere(corpus, a, b, room, max_num_tokens, rng)
        yield SegmentPair(a, b, is_random_next)

        # what a random B took the place of is still unused
        start = middle if is_random_next else stop


def draw_elsewhere(
    corpus: Corpus,
    a: Span,
    true_b: Span,
    target_length: int,
    max_num_tokens: int,
    rng: random.Random,
) -> Span:
    """Draw a B from another document, similar in form to the true one.

    It does not follow A anywhere, not even after the pair has been cut to `max_num_tokens`.

    If the true B ends its document, so does this one, with the same number of sentences. If not,
    this B grows to `target_length` from a sentence where that does not reach the end. If fifty
    draws find no document long enough, the next fifty drop this condition. The last fifty let B
    begin anywhere, since every document's ending may follow A.

    Raises:
        ValueError: If in 150 draws every B also follows A.
    """
    size = true_b.stop - true_b.start
    closes = true_b.stop == len(corpus.documents[true_b.document])
    for attempt in range(150):
        partner = rng.choice(corpus.partners)
        other = corpus.documents[partner]
        if closes and attempt < 100:
            start, stop = max(1, len(other) - size), len(other)
            alike = stop - start == size
        else:
            start = rng.randrange(1, len(other))
            stop = grow(other, start, target_length)
            alike = stop < len(other)
        b = Span(partner, start, stop)
        suitable = partner != a.document and (alike or attempt >= 50)
        if suitable and not corpus.may_follow(a, b, max_num_tokens):
            return b
    raise ValueError(
        f"no random partner in 150 draws for documents[{a.document}][{a.stop - 1}]: every B drawn "
        "follows it somewhere; expected documents that differ: remove copies, and sentences that "
        "appear in nearly all of them"
    )


def _to_arrays(
    pairs: list[SegmentPair],
    segments: list[tuple[list[str], list[str]]],
    vocab: Mapping[str, int],
    length: int,
) -> SentencePairs:
    rows = (["[CLS]", *a, "[SEP]", *b, "[SEP]"] for a, b in segments)
    ids = np.fromiter((vocab[piece] for row in rows for piece in row), dtype=np.int64)
    a_ends = np.array([len(a) + 1 for a, _ in segments])[:, None]  # (pairs, 1), the first [SEP]
    b_ends = a_ends + np.array([len(b) + 1 for _, b in segments])[:, None]  # (pairs, 1)
    columns = np.arange(length)  # (length,)
    present = columns <= b_ends  # (pairs, length)
    input_ids = np.full(present.shape, vocab["[PAD]"], dtype=np.int64)
    input_ids[present] = ids
    special = (columns == 0) | (columns == a_ends) | (columns >= b_ends)  # (pairs, length)
    return SentencePairs(
        input_ids=input_ids,
        attention_mask=present.astype(np.int64),
        token_type_ids=(present & (columns > a_ends)).astype(np.int64),
        special_tokens_mask=special.astype(np.int64),
        next_sentence_label=np.array([IS_RANDOM if p.is_random_next else IS_NEXT for p in pairs]),
        sources=np.array([(pair.a, pair.b) for pair in pairs]),
    )


def _check_pieces(documents: Documents, vocab: Mapping[str, int]) -> None:
    if not isinstance(vocab, Mapping):
        raise TypeError(
            f"vocab is of type {type(vocab).__name__}; expected a mapping of pieces to ids: "
            "tokenizer.get_vocab()"
        )
    if missing := STRUCTURAL - vocab.keys():
        raise ValueError(f"vocab has no {min(missing)}; expected [PAD], [CLS] and [SEP] in it")
    allowed = vocab.keys() - STRUCTURAL
    for i, document in enumerate(documents):
        for j, sentence in enumerate(document):
            if not sentence:
                raise ValueError(
                    f"documents[{i}][{j}] is empty; expected at least one piece: leave it out"
                )
            if sentence[0].startswith("##"):
                raise ValueError(
                    f"documents[{i}][{j}] begins with {sentence[0]!r}, which continues a word; "
                    "expected sentences of whole words: cut the text between words"
                )
            if not allowed.issuperset(sentence):
                piece = next(piece for piece in sentence if piece not in allowed)
                raise ValueError(
                    f"documents[{i}][{j}] holds {piece!r}; expected pieces of the vocabulary other "
                    "than [PAD], [CLS] and [SEP], which are added here"
                )
