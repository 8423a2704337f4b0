"""The lesson's vocabulary: an uncased WordPiece tokenizer made for its text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from transformers import BertTokenizer

from .corpus import Document

__all__ = ["make_tokenizer"]

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def make_tokenizer(
    documents: Iterable[Document], whole_words: int, max_seq_length: int
) -> BertTokenizer:
    """Make an uncased WordPiece tokenizer for this text.

    The trainer in `tokenizers` needs more text than this to find sensible pieces, and its
    vocabulary differs from process to process.
    """
    split = BertTokenizer(vocab={token: i for i, token in enumerate(SPECIAL_TOKENS)})
    assert split.backend_tokenizer is not None
    normalize = split.backend_tokenizer.normalizer.normalize_str
    pre_tokenize = split.backend_tokenizer.pre_tokenizer.pre_tokenize_str
    # a million words, but few distinct ones: split only those
    unspaced = Counter(part for document in documents for part in document.text.split())
    words: Counter[str] = Counter()
    for part, count in unspaced.items():
        for word, _ in pre_tokenize(normalize(part)):
            words[word] += count
    vocab = [*SPECIAL_TOKENS, *make_pieces(words, whole_words)]
    return BertTokenizer(
        vocab={piece: i for i, piece in enumerate(vocab)}, model_max_length=max_seq_length
    )


def make_pieces(words: Mapping[str, int], whole_words: int, endings: int = 5) -> list[str]:
    """Choose the pieces: the most frequent words whole, the others as stem and ending, all letters.

    Args:
        words: How often each word occurs.
        whole_words: How many of the most frequent words stay whole.
        endings: A rare word is split where at least this many others share an ending of 3 letters
            or more.

    >>> pieces = make_pieces({"tea": 9, "boring": 2, "amazing": 1}, whole_words=1, endings=2)
    >>> [piece for piece in pieces if len(piece.removeprefix("##")) > 1]
    ['##ing', 'amaz', 'bor', 'tea']
    """
    order = sorted(words, key=lambda word: (-words[word], word))
    shared = Counter(end for word in order[whole_words:] for end in _endings(word))
    pieces = set(order[:whole_words])
    for word in order[whole_words:]:
        found = [end for end in _endings(word) if shared[end] >= endings]
        if not found:
            pieces.add(word)
            continue
        end = max(found, key=lambda end: (shared[end] * len(end), end))
        pieces |= {word.removesuffix(end), f"##{end}"}
    letters = {letter for word in words for letter in word}
    return sorted(pieces | letters | {f"##{letter}" for letter in letters})


def _endings(word: str) -> list[str]:
    return [word[-letters:] for letters in (3, 4, 5) if len(word) >= letters + 3]
