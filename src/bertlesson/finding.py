"""Finding: entities in texts and tags for sentences, in one call with a model that is trained.

The model may be any encoder with a head for token classification, ours or one of transformers. The
texts may be of any length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from .characters import checked_texts
from .contexts import NOT_SET
from .inputs import check_features, longest_row, to_device
from .outputs import check_numbers
from .tags import parse_tag, read_tags
from .windows import Windows, decode_windows, make_windows, tags_of

__all__ = ["Found", "find_entities", "predict_tags"]


class Found(NamedTuple):
    """An entity in a text."""

    start: int  # its first character
    end: int  # the character after its last
    kind: str
    score: float  # the mean of its words' probabilities of having the label that they have


def find_entities(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    max_length: int | None = None,
    stride: int | None = None,
    batch_size: int = 32,
) -> list[list[Found]]:
    """The entities in each text.

    The label of a word is that of its first piece, as in training. Of transformers' pipelines,
    ``pipeline("token-classification", aggregation_strategy="first")`` does the same for texts that
    fit into a row, but ends a name where a tokenizer drops an accent.

    Args:
        model: A model with a head for token classification; ``config.id2label`` has its labels, of
            any scheme, such as ``{0: "O", 1: "B-PER", 2: "I-PER"}``. It is switched to eval mode.
        tokenizer: The model's own, a fast one.
        texts: Texts of any length. Long ones are read in windows, see `encode_windows`.
        max_length: The longest row. Default: as long as both tokenizer and model allow.
        stride: See `encode_windows`.
        batch_size: Number of rows that the model reads at once.

    Returns:
        For each text its entities from left to right, in characters: ``text[start:end]``.

    Raises:
        TypeError: If one string is given for all texts, or lists of words: see `predict_tags`.
        ValueError: If the model's labels belong to no scheme of tags, or its tokenizer to another
            model.

    >>> from transformers import BertConfig, BertForTokenClassification, BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] ada was in delft".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> config = BertConfig(
    ...     vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1,
    ...     id2label={0: "O", 1: "B-PER", 2: "I-PER"},
    ... )
    >>> model = BertForTokenClassification(config)
    >>> with torch.no_grad():  # a model that takes every word for a name
    ...     _ = model.classifier.weight.zero_(), model.classifier.bias.copy_(torch.eye(3)[1] * 9)
    >>> text = "Ada was"
    >>> for start, end, kind, score in find_entities(model, tokenizer, [text])[0]:
    ...     print(text[start:end], kind, f"{score:.3f}")
    Ada PER 1.000
    was PER 1.000
    """
    if not isinstance(texts, str):  # which make_windows refuses
        texts = list(texts)
        if any(isinstance(text, list) for text in texts):
            raise TypeError("texts has a list; expected texts: for words, predict_tags")
        texts = checked_texts("texts", texts)
    labels = _labels(model)
    for label in labels:
        try:
            parse_tag(label)
        except ValueError:
            raise ValueError(
                f"the model's labels are {labels}; expected O and labels such as 'B-PER': load it "
                "with id2label={0: 'O', 1: 'B-PER', ...}, in the order of its training"
            ) from None
    windows = make_windows(
        tokenizer, texts, max_length=_length(model, tokenizer, max_length), stride=stride
    )
    numbers, scores = _run(model, tokenizer, windows, batch_size)
    tags = tags_of(windows, numbers, labels)
    sure = [[score or 0.0 for score in its_scores] for its_scores in windows.by_word(scores)]
    return [
        [
            Found(words[first].start, words[after - 1].end, kind, _mean(probabilities[first:after]))
            for first, after, kind in read_tags(its_tags)
        ]
        for its_tags, probabilities, words in zip(tags, sure, windows.found or [], strict=True)
    ]


def predict_tags(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    sentences: Sequence[Sequence[str]],
    *,
    max_length: int | None = None,
    stride: int | None = None,
    batch_size: int = 32,
) -> list[list[str]]:
    """A tag for each word of sentences that come as words, such as those of CoNLL's files.

    Args:
        model: See `find_entities`; its labels may be of any kind, such as parts of speech.
        tokenizer: The model's own, a fast one.
        sentences: The words of each sentence; sentences may be of any length.
        max_length: See `find_entities`.
        stride: See `encode_windows`.
        batch_size: Number of rows that the model reads at once.

    Returns:
        The tags of each sentence. A word that the tokenizer drops is O.

    Raises:
        TypeError: If a sentence is a string instead of a list of words.
        ValueError: If the tokenizer belongs to another model.
    """
    sentences = list(sentences)
    if any(isinstance(sentence, str) for sentence in sentences):
        raise TypeError("sentences has a string; expected lists of words: for texts, find_entities")
    windows = make_windows(
        tokenizer, sentences, max_length=_length(model, tokenizer, max_length), stride=stride
    )
    numbers, _ = _run(model, tokenizer, windows, batch_size)
    return cast(list[list[str]], decode_windows(numbers, windows, _labels(model)))


def _labels(model: PreTrainedModel) -> list[str]:
    names = {int(number): name for number, name in (model.config.id2label or {}).items()}
    return [names[number] for number in sorted(names)]


def _length(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, max_length: int | None
) -> int | None:
    if max_length is not None:
        return max_length
    limits = [longest_row(model), tokenizer.model_max_length]
    return min((int(limit) for limit in limits if limit and limit < NOT_SET), default=None)


@torch.inference_mode()
def _run(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, windows: Windows, batch_size: int
) -> tuple[list[list[int]], list[list[float]]]:
    """The most probable label of each piece of each row, and its probability."""
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected 1 or more rows")
    model.eval()
    numbers: list[list[int]] = [[] for _ in windows.rows]
    scores: list[list[float]] = [[] for _ in windows.rows]
    # rows of similar length share a batch, for little padding
    order = sorted(range(len(windows)), key=lambda row: len(windows[row]["input_ids"]))
    fill = {
        "input_ids": tokenizer.pad_token_id or 0,
        "token_type_ids": tokenizer.pad_token_type_id,
        "attention_mask": 0,
    }
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        columns = {
            name: pad_sequence(
                [torch.tensor(windows[row][name]) for row in batch], True, fill[name]
            )
            for name in windows[batch[0]]
        }  # each (batch, length)
        check_features(model, columns)
        logits = model(**to_device(columns, model)).logits.float()  # (batch, length, labels)
        best = logits.softmax(-1).max(-1)
        check_numbers(best.values.cpu().numpy())
        for row, label, score in zip(
            batch, best.indices.tolist(), best.values.tolist(), strict=True
        ):
            numbers[row], scores[row] = label, score
    return numbers, scores


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
