"""Text to ids in bulk, without transformers, and many times as fast for BERT's own tokenizers.

BERT splits text at white space before anything else, so text between two spaces has the same pieces
everywhere. These are looked up; only what is new goes through the tokenizer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

if TYPE_CHECKING:  # it would bring torch into each process
    from transformers import PreTrainedTokenizerBase

__all__ = ["Encoder"]

KNOWN = 2**17  # stretches of text to remember: about 30 MB


@dataclass
class Encoder:
    """A fast tokenizer of any kind, ready to be sent to another process.

    Attributes:
        tokenizer: The tokenizer of `tokenizers`, as JSON.
        opening: The ids that come before a text.
        closing: The ids that come after it.
        pad: The id of padding. Where nothing comes after a text, it is one that no piece has, so
            that the end of a text is seen.
        vocabulary: One more than the largest id.
    """

    tokenizer: str = field(repr=False)
    opening: tuple[int, ...]
    closing: tuple[int, ...]
    pad: int
    vocabulary: int
    _backend: Any = field(default=None, repr=False, compare=False)
    _known: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Encoder:
        """Take over a tokenizer of transformers.

        Args:
            tokenizer: A fast one.

        Raises:
            TypeError: If it is not a fast one.
        """
        from .rows import special_ends  # which imports transformers

        opening, closing = special_ends(tokenizer)
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        backend.no_truncation()
        backend.no_padding()
        backend.post_processor = None
        largest = max(backend.get_vocab().values())
        pad = (tokenizer.pad_token_id or 0) if closing else largest + 1
        return cls(backend.to_str(), tuple(opening), tuple(closing), pad, largest + 1)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what a process finds out by itself."""
        return self.__dict__ | {"_backend": None, "_known": {}}

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds every id, that of padding too: uint16 or int32."""
        largest = max(self.vocabulary - 1, self.pad)
        return np.dtype(np.uint16 if largest < 2**16 else np.int32)

    @property
    def continues(self) -> NDArray[np.bool_]:
        """``(vocabulary,)``: whether a piece begins with ``##``."""
        marks = np.zeros(self.vocabulary, np.bool_)
        vocab = json.loads(self.tokenizer)["model"]["vocab"]
        marks[[at for piece, at in dict(vocab).items() if piece.startswith("##")]] = True
        return marks

    def __call__(self, text: str) -> bytes:
        """The ids of a text without special tokens, as the bytes of an int32 array.

        Special tokens that are spelled out in it are taken for text.

        >>> from transformers import BertTokenizer
        >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
        >>> encoder = Encoder.of(BertTokenizer(vocab={p: i for i, p in enumerate(pieces)}))
        >>> np.frombuffer(encoder("A great film"), np.int32)
        array([5, 6, 7], dtype=int32)
        """
        if self._backend is None:
            self._backend = Tokenizer.from_str(self.tokenizer)
            self._backend.encode_special_tokens = True
            self._at_spaces = _splits_at_spaces(json.loads(self.tokenizer))
        if not self._at_spaces:
            (encoding,) = self._backend.encode_batch_fast([text], add_special_tokens=False)
            return np.array(encoding.ids, np.int32).tobytes()
        # other white space may be a control character to the tokenizer, which joins words
        words = text.replace("\n", " ").replace("\t", " ").replace("\r", " ").split(" ")
        new = list(set(words).difference(self._known))
        if new:
            if len(self._known) + len(new) > KNOWN:
                self._known.clear()
                new = list(set(words))
            encodings = self._backend.encode_batch_fast(new, add_special_tokens=False)
            for word, encoding in zip(new, encodings, strict=True):
                self._known[word] = np.array(encoding.ids, np.int32).tobytes()
        return b"".join(map(self._known.__getitem__, words))


def _splits_at_spaces(settings: dict[str, Any]) -> bool:
    """Whether text can be cut at a space without any change, as for BERT's own tokenizers."""
    kinds = [(settings[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer")]
    marks = chain(kinds, [settings["model"].get("type")])
    added = all(token["special"] for token in settings["added_tokens"])
    return added and list(marks) == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]
