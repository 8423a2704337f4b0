"""Tokenizers of a few pieces, for tests of what comes before and after a model."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizer, PreTrainedTokenizerFast

from bertlesson.tags import bio_labels

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "who",
    "was",
    "in",
    "the",
    "at",
    ",",
    ".",
    "?",
    "'",
    "ada",
    "greta",
    "##l",
    "##of",
    "green",
    "owl",
    "ber",
    "##gen",
    "delft",
    "a",
    "b",
]
LABELS = bio_labels(["PER", "LOC", "ORG"])


def make_tokenizer(length: int = 64) -> BertTokenizer:
    return BertTokenizer(
        vocab={piece: i for i, piece in enumerate(PIECES)}, model_max_length=length
    )


def pieces_of(tokenizer: BertTokenizer, ids: torch.Tensor) -> list[str]:
    return tokenizer.convert_ids_to_tokens(ids.tolist())


# Other kinds, as models have them whose tokenizers come from elsewhere. They spell in characters.

ENDS = [("<s>", 0), ("</s>", 1)]


def byte_level(*, trim_offsets: bool, length: int = 10**30) -> PreTrainedTokenizerFast:
    """As RoBERTa's where offsets are trimmed; if not, the space before a word is a part of it."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("Ġ", "i"), ("Ġi", "n"), ("Ġ", "Ã"), ("ĠÃ", "ī")]  # the last two spell " É"
    pieces = ["<s>", "</s>", "<pad>", "<unk>", *alphabet, *map("".join, merges)]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
        add_prefix_space=False, trim_offsets=trim_offsets
    )
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=trim_offsets), _with_ends()]
    )
    return _fast(tokenizer, length)


def sentence_piece(length: int = 10**30) -> PreTrainedTokenizerFast:
    """As XLM-R's and ALBERT's: a space is a part of the word behind it, accents are dropped."""
    letters = [chr(code) for code in range(33, 0x700)]
    pieces = ["<s>", "</s>", "<pad>", "<unk>", "▁", *letters, "▁in", "▁Malta"]
    tokenizer = Tokenizer(models.Unigram([(piece, -len(piece) / 9) for piece in pieces], unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Replace(Regex("[\u00ad\u200b]"), ""),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = _with_ends()
    return _fast(tokenizer, length)


def white_space_only() -> PreTrainedTokenizerFast:
    """Words end at spaces, punctuation is a part of them."""
    tokenizer = make_tokenizer()
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def _with_ends() -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=ENDS
    )


def _fast(tokenizer: Tokenizer, length: int) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=length,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


def anyone_s(bert: BertTokenizer, **settings: Any) -> PreTrainedTokenizerFast:
    """The same tokenizer, of no model's own class, as one that was trained on one's own text."""
    roles = {name: str(token) for name, token in bert.special_tokens_map.items()}
    return PreTrainedTokenizerFast(
        tokenizer_object=bert.backend_tokenizer, model_max_length=64, **roles, **settings
    )


def make_foreign_tokenizer(kind: str, length: int = 64, **settings: Any) -> PreTrainedTokenizerFast:
    """One that is not BERT's, with subwords of its own.

    Args:
        kind: "byte-level": offsets take in the space before a word, as DeBERTa's; "trimmed": they
            do not, as RoBERTa's; "metaspace": they do, as XLM-R's; "xlnet": that, with ``[CLS]`` at
            the end and padding on the left.
        length: The longest row.
        settings: For the tokenizer.
    """
    byte_level = kind in ("byte-level", "trimmed")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    model = Tokenizer(models.BPE(unk_token="[UNK]"))
    model.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False)
        if byte_level
        else pre_tokenizers.Metaspace()
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if byte_level else [],
        show_progress=False,
    )
    text = "Who was in Bergen ? Ada was in Delft , the owl in Bergen ."
    model.train_from_iterator([text], trainer)
    first, last = ("", " [CLS]:2") if kind == "xlnet" else ("[CLS] ", "")
    rows = processors.TemplateProcessing(
        single=f"{first}$A [SEP]{last}",
        pair=f"{first}$A [SEP] $B:1 [SEP]:1{last}",
        special_tokens=[(piece, special.index(piece)) for piece in ("[CLS]", "[SEP]")],
    )
    model.post_processor = (
        processors.Sequence([processors.ByteLevel(trim_offsets=True), rows])
        if kind == "trimmed"
        else rows
    )
    if kind == "xlnet":
        settings = {"padding_side": "left"} | settings
    return PreTrainedTokenizerFast(
        tokenizer_object=model,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=length,
        **settings,
    )
