"""Next sentence prediction: how documents become pairs of segments, half of them mismatched.

Follows Devlin et al. 2019, §3.1 (task 2) and A.2, and google-research/bert,
`create_pretraining_data.py`, in two forms:

`create_pretraining_instances` reproduces the reference draw by draw, faults included: masks that
never change, more than half of the pairs random, "random" pairs in which B does follow A.

`create_pairs` is the version to train with today: the same steps without those faults, returning
arrays to which `bertlesson.masking.MaskingCollator` applies new masks in each epoch.

Both take documents -> sentences -> pieces. A "sentence" is any stretch of text that pairs should
not cut through. A segment is a run of sentences, held as its location (`Span`) until its pieces
are needed.
"""

import operator
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IS_NEXT, IS_RANDOM = 0, 1  # what next_sentence_label holds
STRUCTURAL = {"[PAD]", "[CLS]", "[SEP]"}
DOCUMENTS_EXPECTED = (
    "expected documents -> sentences -> pieces, each a list: split documents into sentences, and "
    "each sentence with tokenizer.tokenize(sentence)"
)

Document = Sequence[Sequence[str]]
Documents = Sequence[Document]
Ints = NDArray[np.int64]


class Span(NamedTuple):
    """The sentences `start` to `stop - 1` of one document."""

    document: int
    start: int
    stop: int

    def pieces(self, documents: Documents) -> list[str]:
        """The pieces of these sentences, in order."""
        return list(chain.from_iterable(documents[self.document][self.start : self.stop]))

    def length(self, documents: Documents) -> int:
        """The number of pieces in these sentences."""
        return sum(map(len, documents[self.document][self.start : self.stop]))


class SegmentPair(NamedTuple):
    """Where the two segments of a pair come from, before they are truncated to fit."""

    a: Span
    b: Span
    is_random_next: bool


# Steps shared by both versions.


def choose_target_length(max_num_tokens: int, short_seq_prob: float, rng: random.Random) -> int:
    """How many pieces a pair should have: usually as many as fit, sometimes a random number.

    The short pairs prepare the model for fine-tuning on short inputs. A random number is at least
    2.
    """
    if rng.random() < short_seq_prob:
        return rng.randint(2, max_num_tokens)
    return max_num_tokens


def grow(document: Document, start: int, target_length: int) -> int:
    """Take whole sentences until they hold `target_length` pieces; return where they stop.

    >>> grow([["a", "film"], ["i", "liked", "it"], ["go"]], start=0, target_length=4)
    2
    """
    length, stop = 0, start
    while stop == start or (length < target_length and stop < len(document)):
        length += len(document[stop])
        stop += 1
    return stop


class Kept:
    """What remains of a segment while pieces are dropped from its ends.

    Only the bounds move, and the list is cut once at the end: each `pop(0)` would shift all the
    other pieces.
    """

    def __init__(self, pieces: list[str]) -> None:
        self.pieces, self.start, self.stop = pieces, 0, len(pieces)

    def drop(self, rng: random.Random) -> int:
        """Drop a piece at either end; return how many were dropped."""
        if rng.random() < 0.5:
            self.start += 1
        else:
            self.stop -= 1
        return 1

    def cut(self) -> None:
        """Remove the dropped pieces from the list."""
        self.pieces[:] = self.pieces[self.start : self.stop]


def truncate(a: Kept, b: Kept, max_num_tokens: int, rng: random.Random) -> None:
    """Drop pieces from the longer of the two (B in a tie) until they fit."""
    of_a, of_b = len(a.pieces), len(b.pieces)
    while of_a + of_b > max_num_tokens:
        if of_b >= of_a:
            of_b -= b.drop(rng)
        else:
            of_a -= a.drop(rng)
    a.cut()
    b.cut()


# The reference's version.


@dataclass
class PretrainingInstance:
    """One pair with its masks, as the reference writes it to disk.

    Attributes:
        tokens: `[CLS] A [SEP] B [SEP]` as the model sees it, at most `max_seq_length` pieces.
        segment_ids: for each token, 0 up to the first `[SEP]` and 1 after it.
        is_random_next: whether B was drawn at random; `next_sentence_label` is 1 if so.
        masked_lm_positions: the positions to predict, in ascending order.
        masked_lm_labels: the original piece at each of them.
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
        documents: documents -> sentences -> pieces; empty ones are skipped. Not modified.
        vocab_words: all pieces of the vocabulary in the order of their ids.
        max_seq_length: the most pieces in a pair, its three special tokens included; 5 or more.
        dupe_factor: number of passes over the documents, each with new pairs and new masks.
        short_seq_prob: probability that a document is cut into shorter pairs.
        masked_lm_prob: share of a pair's tokens to predict; `[CLS]` and `[SEP]` count as tokens.
        max_predictions_per_seq: the most tokens to predict in a pair.
        whole_word_mask: select a piece together with the `##` pieces after it.
        rng: the source of every draw.

    Returns:
        The instances in random order.

    Raises:
        TypeError: documents are not lists of lists of lists of strings, `vocab_words` is not a
            sequence of strings, or `rng` is not a `random.Random`.
        ValueError: a number is out of range, or the vocabulary is empty.

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
    _check_documents(documents)
    _check_vocab_words(vocab_words)
    _check_settings(max_seq_length, short_seq_prob, rng)
    _check_share("masked_lm_prob", masked_lm_prob)
    _check_count("dupe_factor", dupe_factor)
    _check_count("max_predictions_per_seq", max_predictions_per_seq)

    with_text = [[sentence for sentence in document if len(sentence)] for document in documents]
    shuffled = [document for document in with_text if document]
    rng.shuffle(shuffled)
    instances = []
    for _ in range(dupe_factor):
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
    rng.shuffle(instances)
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

    This may cut off the beginning of a word, so that a segment begins with a `##` piece.
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

    As in the reference, `##` is the only sign that a word continues, even across `[SEP]`.

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
    """What the model sees of a selected piece: `[MASK]` 80%, a random piece 10%, itself 10%."""
    if rng.random() < 0.8:
        return "[MASK]"
    if rng.random() < 0.5:  # as in the reference: kept comes before random
        return piece
    return vocab_words[rng.randrange(len(vocab_words))]


# The lesson's version.


@dataclass(frozen=True, eq=False)
class SentencePairs:
    """Unmasked pairs, one per row; all int64, as the models and losses expect.

    `pairs[i]` is one row and `pairs[[i, j]]` a batch, each a dict of the model's inputs and
    `special_tokens_mask`. Pass either to `MaskingCollator`, or pass `pairs` itself to a
    `DataLoader` with `collate_fn=MaskingCollator(...)`.

    Attributes:
        input_ids: `(pairs, length)`, `[CLS] A [SEP] B [SEP] [PAD] ...`.
        attention_mask: `(pairs, length)`: 1 = token, 0 = padding.
        token_type_ids: `(pairs, length)`: 1 = B and the `[SEP]` after it, 0 = everything before
            them, and padding.
        special_tokens_mask: `(pairs, length)`: 1 = `[CLS]`, `[SEP]` or padding.
        next_sentence_label: `(pairs,)`: 0 = B follows A, 1 = B is random.
        sources: `(pairs, 2, 3)`, for A and for B the document, the first sentence and the one
            after the last: `Span(*pairs.sources[i, 0])` is where the A of row i comes from.
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
    - Words stay whole, so no segment begins with a `##` piece. A word is cut, at its end, only if
      it is all that is left of its segment.
    - There are no masks: `MaskingCollator` draws them each time a pair is seen.

    Args:
        documents: documents -> sentences -> pieces. Not modified.
        vocab: piece -> id, as from `tokenizer.get_vocab()`, with `[PAD]`, `[CLS]` and `[SEP]`.
        max_seq_length: the length of the rows, 5 or more.
        short_seq_prob: probability that a document is cut into shorter pairs.
        rng: the source of every draw. A second call with the same object makes different pairs.

    Returns:
        The pairs, in the order of the documents; have the loader shuffle them.

    Raises:
        TypeError: documents are not lists of lists of lists of strings, `vocab` is not a mapping,
            or `rng` is not a `random.Random`.
        ValueError: fewer than two documents have two sentences; documents are copies of each
            other; a sentence is empty or begins with a `##` piece; a piece is special or not in
            the vocabulary; a number is out of range.

    >>> documents = [[["i", "saw", "it"], ["it", "was", "great"]], [["rain"], ["all", "day"]]]
    >>> pieces = ["[PAD]", "[CLS]", "[SEP]", "i", "saw", "it", "was", "great", "rain", "all", "day"]
    >>> vocab = {piece: id for id, piece in enumerate(pieces)}
    >>> pairs = create_pairs(documents, vocab, max_seq_length=9, rng=random.Random(1))
    >>> for ids, label in zip(pairs.input_ids, pairs.next_sentence_label):
    ...     print(*(pieces[id] for id in ids), label)
    [CLS] i saw it [SEP] all day [SEP] [PAD] 1
    [CLS] rain [SEP] all day [SEP] [PAD] [PAD] [PAD] 0
    """
    _check_documents(documents)
    _check_settings(max_seq_length, short_seq_prob, rng)
    _check_pieces(documents, vocab)
    corpus = index_corpus(documents)
    pairs, segments = [], []
    for number in corpus.partners:
        for pair in pair_sentences(corpus, number, max_seq_length - 3, short_seq_prob, rng):
            a, b = pair.a.pieces(documents), pair.b.pieces(documents)
            truncate_words(a, b, max_seq_length - 3, rng)
            pairs.append(pair)
            segments.append((a, b))
    return _to_arrays(pairs, segments, vocab, max_seq_length)


class Corpus(NamedTuple):
    """The documents, indexed so that a B that does not follow A can be drawn.

    Attributes:
        documents: documents -> sentences -> pieces.
        partners: the numbers of the documents with two or more sentences.
        sentences: documents -> a number for each sentence; equal sentences share a number.
        successors: sentence number -> the numbers of all sentences that come right after it
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
        ValueError: fewer than two documents have two or more sentences.
    """
    partners = [number for number, document in enumerate(documents) if len(document) >= 2]
    if len(partners) < 2:
        raise ValueError(
            f"{len(partners)} of {len(documents)} documents have two or more sentences, expected "
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
        stop = max(start + 2, grow(document, start, target_length))
        if stop == len(document) - 1:
            stop += 1  # the last sentence would be left alone
        middle = rng.randint(start + 1, stop - 1)
        a, b = Span(number, start, middle), Span(number, middle, stop)

        is_random_next = rng.random() < 0.5
        if is_random_next:
            room = target_length - a.length(corpus.documents)
            b = draw_elsewhere(corpus, a, b, room, max_num_tokens, rng)
        yield SegmentPair(a, b, is_random_next)

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
        ValueError: in 150 draws every B also follows A.
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
        "follows it somewhere, expected documents that differ: remove copies, and sentences that "
        "appear in nearly all of them"
    )


def truncate_words(a: list[str], b: list[str], max_num_tokens: int, rng: random.Random) -> None:
    """Drop words from either end of the longer of the two (B in a tie), in place, until they fit.

    >>> a, b = ["an", "un", "##want", "##ed", "gift"], ["oh"]
    >>> truncate_words(a, b, 4, random.Random(1))
    >>> a, b
    (['un', '##want', '##ed'], ['oh'])
    """
    truncate(KeptWords(a), KeptWords(b), max_num_tokens, rng)


class KeptWords(Kept):
    """What remains of a segment while words are dropped from its ends."""

    def __init__(self, pieces: list[str]) -> None:
        super().__init__(pieces)
        self.starts = (i for i in range(1, len(pieces)) if not pieces[i].startswith("##"))
        self.second = next(self.starts, self.stop)  # where the second word begins

    def drop(self, rng: random.Random) -> int:
        """Drop a word at either end, or the last piece if only one word is left."""
        before = self.stop - self.start
        if self.second >= self.stop:
            self.stop -= 1  # a single word: keep its beginning
        elif rng.random() < 0.5:
            self.start, self.second = self.second, next(self.starts, len(self.pieces))
        else:
            self.stop -= 1
            while self.pieces[self.stop].startswith("##"):
                self.stop -= 1
        return before - (self.stop - self.start)


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


def _check_documents(documents: Documents) -> None:
    _check_list("documents", documents, DOCUMENTS_EXPECTED)
    for i, document in enumerate(documents):
        _check_list(f"documents[{i}]", document, DOCUMENTS_EXPECTED)
        for j, sentence in enumerate(document):
            _check_list(f"documents[{i}][{j}]", sentence, DOCUMENTS_EXPECTED)
            if not all(issubclass(kind, str) for kind in set(map(type, sentence))):
                raise TypeError(
                    f"documents[{i}][{j}] holds something other than strings, {DOCUMENTS_EXPECTED}"
                )


def _check_list(name: str, value: Any, expected: str) -> None:
    if isinstance(value, str):
        raise TypeError(f"{name} is the string {value[:20]!r}, {expected}")
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} is of type {type(value).__name__}, {expected}")


def _check_settings(max_seq_length: int, short_seq_prob: float, rng: random.Random) -> None:
    if not isinstance(rng, random.Random):
        raise TypeError(f"rng is of type {type(rng).__name__}, expected random.Random(seed)")
    if operator.index(max_seq_length) < 5:
        raise ValueError(
            f"max_seq_length is {max_seq_length}, expected 5 or more: [CLS], [SEP] and [SEP] "
            "plus a piece of A and one of B"
        )
    _check_share("short_seq_prob", short_seq_prob)


def _check_share(name: str, share: float) -> None:
    # written so that NaN, for which every comparison is false, is rejected as well
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is {share}, expected a share from 0 to 1")


def _check_count(name: str, count: int) -> None:
    if operator.index(count) < 0:
        raise ValueError(f"{name} is {count}, expected a whole number, 0 or more")


def _check_vocab_words(vocab_words: Sequence[str]) -> None:
    expected = "expected a list of pieces in the order of their ids: sorted(vocab, key=vocab.get)"
    _check_list("vocab_words", vocab_words, expected)
    if not len(vocab_words):
        raise ValueError(f"vocab_words is empty, {expected}")


def _check_pieces(documents: Documents, vocab: Mapping[str, int]) -> None:
    if not isinstance(vocab, Mapping):
        raise TypeError(
            f"vocab is of type {type(vocab).__name__}, expected a mapping of pieces to ids: "
            "tokenizer.get_vocab()"
        )
    if missing := STRUCTURAL - vocab.keys():
        raise ValueError(f"vocab has no {min(missing)}, expected [PAD], [CLS] and [SEP] in it")
    allowed = vocab.keys() - STRUCTURAL
    for i, document in enumerate(documents):
        for j, sentence in enumerate(document):
            if not sentence:
                raise ValueError(
                    f"documents[{i}][{j}] is empty, expected at least one piece: leave it out"
                )
            if sentence[0].startswith("##"):
                raise ValueError(
                    f"documents[{i}][{j}] begins with {sentence[0]!r}, which continues a word, "
                    "expected sentences of whole words: cut the text between words"
                )
            if not allowed.issuperset(sentence):
                piece = next(piece for piece in sentence if piece not in allowed)
                raise ValueError(
                    f"documents[{i}][{j}] holds {piece!r}, expected pieces of the vocabulary other "
                    "than [PAD], [CLS] and [SEP], which are added here"
                )
