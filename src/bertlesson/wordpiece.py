"""A WordPiece vocabulary trained on text, the same each time.

The trainer in `tokenizers` gives other ids, and some other pieces, in each process: pieces that
begin with ``##`` are numbered in the order of a hash table, and these numbers decide between pairs
that are equally frequent (version 0.23, `WordPieceTrainer`). Here they are numbered beforehand.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Sequence, Split
from tokenizers.trainers import WordPieceTrainer
from transformers import BertTokenizer

__all__ = ["train_wordpiece"]

LONGEST_WORD = 100  # characters of a word that WordPiece reads; see max_input_chars_per_word
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def train_wordpiece(
    texts: Iterable[str],
    vocab_size: int = 30_522,
    *,
    lowercase: bool = True,
    min_frequency: int = 2,
    characters: int = 1_000,
    model_max_length: int = 512,
) -> BertTokenizer:
    """Train BERT's kind of tokenizer on texts.

    Args:
        texts: Read twice, so it must be a list or anything else that can be; each text is split
            into words as BERT does it. Words of more than 100 characters, which BERT reads as
            ``[UNK]``, teach no pieces.
        vocab_size: The most pieces there may be (30,522 in the released uncased BERT); fewer if
            the texts hold no more.
        lowercase: Lowercase the text and strip its accents, as the uncased BERT does.
        min_frequency: How often a pair of pieces must occur to become one.
        characters: How many of the most frequent characters get a piece; others are ``[UNK]``.
        model_max_length: The longest row of the model that it is for, in pieces.

    Returns:
        The tokenizer. The same texts in the same order give the same pieces and ids, in any
        process.

    Raises:
        ValueError: If the texts hold no word, or `vocab_size` has no room for the characters.
        TypeError: If `texts` is a string, can be read only once, or holds anything but strings.

    >>> tokenizer = train_wordpiece(["a hat, a hatter, a mad hatter"] * 2, vocab_size=40)
    >>> tokenizer.tokenize("A mad hatter had a hat!")
    ['a', 'mad', 'hatter', 'h', '##ad', 'a', 'hat', '[UNK]']
    """
    if isinstance(texts, str):
        raise TypeError(f"texts is the string {texts[:40]!r}; expected a list of texts")
    if iter(texts) is texts:
        raise TypeError(
            f"texts is a {type(texts).__name__}, which can be read only once; expected a list, or "
            "anything else that can be read twice"
        )
    empty = BertTokenizer(
        vocab={piece: number for number, piece in enumerate(SPECIAL_TOKENS)},
        do_lower_case=lowercase,
        strip_accents=lowercase,
    ).backend_tokenizer
    begin, continued, longest = _characters(empty, texts, characters)
    pieces = [*SPECIAL_TOKENS, *(f"##{character}" for character in continued)]
    if len(begin) + len(pieces) > vocab_size:
        raise ValueError(
            f"vocab_size is {vocab_size}; expected at least {len(begin) + len(pieces)}, since the "
            f"texts hold {len(begin)} characters: raise it, or lower characters, now {characters}"
        )
    trained = Tokenizer(WordPiece(unk_token="[UNK]"))
    trained.normalizer, trained.pre_tokenizer = empty.normalizer, empty.pre_tokenizer
    if longest > LONGEST_WORD:  # the time to train grows with the square of a word's length
        without = Split(Regex(f"^.{{{LONGEST_WORD + 1},}}$"), "removed")
        trained.pre_tokenizer = Sequence([empty.pre_tokenizer, without])
    trainer = WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        # numbered first, in this order, if they are declared as special
        special_tokens=pieces,
        initial_alphabet=begin,
        limit_alphabet=len(begin),
        show_progress=sys.stderr.isatty(),
    )
    trained.train_from_iterator(texts, trainer)
    return BertTokenizer(
        vocab=trained.get_vocab(),
        do_lower_case=lowercase,
        strip_accents=lowercase,
        model_max_length=model_max_length,
    )


def _characters(
    tokenizer: Tokenizer, texts: Iterable[str], most: int
) -> tuple[list[str], list[str], int]:
    """The most frequent characters, those of them that continue a word, and the longest word."""
    unspaced: Counter[str] = Counter()  # many times fewer than words in the text
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{number}] is {text!r:.60}; expected a string")
        unspaced.update(text.split())
    counts: Counter[str] = Counter()
    continued: set[str] = set()
    longest = 0
    for part, times in unspaced.items():
        normal = tokenizer.normalizer.normalize_str(part)
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal):
            for character in word:
                counts[character] += times
            continued.update(word[1:])
            longest = max(longest, len(word))
    if not counts:
        raise ValueError("texts hold no word; expected text to train on")
    kept = sorted(counts, key=lambda character: (-counts[character], character))[:most]
    return sorted(kept), sorted(continued.intersection(kept)), longest
