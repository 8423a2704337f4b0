"""The inputs of a model, and the checks that inputs and model pass before they are used."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .heads import IGNORE_INDEX

__all__ = [
    "Features",
    "check_features",
    "check_precision",
    "check_same_number",
    "input_names",
    "is_classifier",
    "longest_row",
    "to_device",
    "trim",
]

Features = dict[str, Tensor]  # arguments of a model, each with a row for every example

LABELS = ("labels", "start_positions", "end_positions", "next_sentence_label")


def check_same_number(**given: Sequence[object]) -> None:
    """Check that two arguments, passed by name, have one item each for every example.

    Raises:
        ValueError: If they differ in length or are empty.
        TypeError: If one of them is a single string.

    >>> check_same_number(texts=["a b", "c"], labels=[0])
    Traceback (most recent call last):
    ValueError: 2 texts and 1 labels; expected one of each for every example
    """
    for name, value in given.items():
        if isinstance(value, str):
            raise TypeError(f"{name} is the string {value!r}; expected a list of one or more")
    (name, first), (other, second) = given.items()
    if len(first) != len(second):
        raise ValueError(
            f"{len(first)} {name} and {len(second)} {other}; expected one of each for every example"
        )
    if not len(first):
        raise ValueError(f"{name} is empty; expected 1 or more")


def to_device(batch: Mapping[str, Tensor], model: PreTrainedModel) -> Features:
    """The same batch on the model's device.

    >>> from transformers import BertConfig, BertModel
    >>> config = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    >>> batch = {"input_ids": torch.zeros(2, 5, dtype=torch.int64)}
    >>> to_device(batch, BertModel(config).to("meta"))["input_ids"].device
    device(type='meta')
    """
    return {name: tensor.to(model.device) for name, tensor in batch.items()}


def trim(batch: Mapping[str, Tensor]) -> Features:
    """The same batch without the columns on its right that are padding in every row.

    Args:
        batch: ``(rows, ...)`` each. Without a two-dimensional ``attention_mask``, in which padding
            is 0, nothing is cut off. Positions are counted from the left, so neither is padding
            there.

    >>> mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]])
    >>> batch = {"input_ids": 7 * mask, "attention_mask": mask, "labels": torch.tensor([0, 1])}
    >>> {name: tuple(tensor.shape) for name, tensor in trim(batch).items()}
    {'input_ids': (2, 3), 'attention_mask': (2, 3), 'labels': (2,)}
    """
    mask = batch.get("attention_mask")
    if mask is None or mask.dim() != 2:
        return dict(batch)
    used = mask.any(dim=0).nonzero()  # (columns, 1)
    width = int(used.max()) + 1 if len(used) else mask.shape[1]
    return {
        name: tensor[:, :width] if tensor.shape[:2] == mask.shape else tensor
        for name, tensor in batch.items()
    }


def check_precision(model: nn.Module) -> None:
    """Reject models whose trainable weights are in half precision.

    A step changes a weight by about the learning rate. Near 0.05, adjacent numbers are 2.4e-4 apart
    in bfloat16 and 3e-5 in float16, so most steps are rounded away. Gradients in float16 also
    overflow. Mixed precision keeps the weights in float32 and computes in half precision.

    Args:
        model: Only weights that require gradients are checked.

    Raises:
        ValueError: If one of them is neither float32 nor float64.

    >>> check_precision(nn.Linear(2, 3))
    >>> check_precision(nn.Linear(2, 3).bfloat16())
    Traceback (most recent call last):
    ValueError: weight is torch.bfloat16; expected torch.float32 for weights that are trained: in \
half precision most steps are too small to change them. Load them with \
from_pretrained(..., dtype=torch.float32), or call model.float() before the optimizer is made
    """
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and parameter.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"{name} is {parameter.dtype}; expected torch.float32 for weights that are "
                "trained: in half precision most steps are too small to change them. Load them "
                "with from_pretrained(..., dtype=torch.float32), or call model.float() before the "
                "optimizer is made"
            )


def check_features(model: PreTrainedModel, features: Mapping[str, Tensor]) -> None:
    """Reject features that the model cannot read or learn from, before it runs.

    Without this check, an id outside of an embedding table kills the process on an accelerator. On
    a CPU it raises an error that names neither the table nor the id.

    Args:
        model: Any model of transformers or `bertlesson.heads`.
        features: The model's arguments, each ``(examples, ...)``.

    Raises:
        TypeError: If the features are not a dict, or one of them is not a tensor.
        ValueError: If the features differ in their number of rows, if one has the wrong dtype, if a
            row is longer than the model reads, or if a token id, segment or class is out of range.

    >>> from transformers import BertConfig, BertForSequenceClassification
    >>> config = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    >>> model = BertForSequenceClassification(config)
    >>> ids = torch.zeros(2, 5, dtype=torch.int64)
    >>> check_features(model, {"input_ids": ids, "labels": torch.tensor([1, 2])})
    Traceback (most recent call last):
    ValueError: labels go from 1 to 2; expected classes from 0 to 1, or -100: count them from 0, \
and set num_labels, now 2, to the number of classes
    """
    _check_tensors(features)
    if "input_ids" in features:
        _check_ids(model, features["input_ids"])
    segments = getattr(model.config, "type_vocab_size", 0)
    if segments and "token_type_ids" in features:
        _check_range(
            "token_type_ids",
            features["token_type_ids"],
            f"segments from 0 to {segments - 1}",
            segments,
            "leave them out for a model with a single segment",
        )
    for name in LABELS:
        if name in features and not features[name].is_floating_point():
            _check_int64(name, features[name])
    if "labels" in features and is_classifier(model):
        _check_classes(model, features["labels"])


def longest_row(model: nn.Module) -> int | None:
    """The number of positions in a model's position embeddings; None if it has no such table.

    RoBERTa and its relatives start counting after the id of the padding token, so 514 vectors make
    512 positions.

    >>> from transformers import RobertaConfig, RobertaModel
    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> longest_row(RobertaModel(RobertaConfig(max_position_embeddings=514, **size)))
    512
    """
    for name, module in model.named_modules():
        if name.split(".")[-1] == "position_embeddings" and isinstance(module, nn.Embedding):
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            return module.num_embeddings - unused
    return None


def input_names(tokenizer: PreTrainedTokenizerBase, segments: Iterable[Iterable[int]]) -> list[str]:
    """The columns that a tokenizer's rows have.

    They are its ``model_input_names``, and ``token_type_ids`` too if the rows have a second segment
    and nobody has said which columns there are. A tokenizer of no model's own class, such as a
    `PreTrainedTokenizerFast` trained on one's own text, has no segments in `transformers` 5 unless
    its files name them, and a BERT then reads both texts of a pair as its first one.

    Args:
        tokenizer: Any.
        segments: The segment of each token, row by row, as the tokenizer makes them.

    >>> from transformers import BertTokenizer, PreTrainedTokenizerFast
    >>> bert = BertTokenizer(vocab={"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4})
    >>> anyone_s = PreTrainedTokenizerFast(tokenizer_object=bert.backend_tokenizer)
    >>> row = anyone_s("a", "a", return_token_type_ids=True)
    >>> row["token_type_ids"], anyone_s.model_input_names
    ([0, 0, 0, 1, 1], ['input_ids', 'attention_mask'])
    >>> input_names(anyone_s, [row["token_type_ids"]])
    ['input_ids', 'attention_mask', 'token_type_ids']
    """
    names = list(tokenizer.model_input_names)
    classes = itertools.takewhile(
        lambda each: each is not PreTrainedTokenizerBase, type(tokenizer).__mro__
    )
    is_said = "model_input_names" in tokenizer.init_kwargs or any(
        "model_input_names" in vars(each) for each in classes
    )
    if not is_said and "token_type_ids" not in names and any(map(any, segments)):
        names.append("token_type_ids")
    return names


def is_classifier(model: nn.Module) -> bool:
    """Whether the labels are class numbers below ``config.num_labels``.

    Judged by the class names of the model, as `transformers.Trainer` recognizes question answering.
    """
    names = " ".join(kind.__name__ for kind in type(model).__mro__)
    return "SequenceClassification" in names or "TokenClassification" in names


def _check_tensors(features: Mapping[str, Tensor]) -> None:
    if not isinstance(features, Mapping):
        raise TypeError(
            f"features are a {type(features).__name__}; expected a dict of tensors under the "
            "model's argument names: a tokenizer returns one with return_tensors='pt'"
        )
    for name, tensor in features.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"features[{name!r}] is a {type(tensor).__name__}; expected a tensor with a row "
                "for each example: tokenize with padding=True and return_tensors='pt', turn class "
                "numbers into a tensor with torch.tensor(...), and leave out columns of text"
            )
    rows = {name: len(tensor) if tensor.dim() else 0 for name, tensor in features.items()}
    count = max(rows.values(), default=0)
    if count == 0 or set(rows.values()) != {count}:
        raise ValueError(
            f"features have these rows: {rows}; expected the same number in each, 1 or more"
        )


def _check_ids(model: PreTrainedModel, input_ids: Tensor) -> None:
    if input_ids.dim() < 2:
        raise ValueError(
            f"input_ids has shape {tuple(input_ids.shape)}; expected (examples, length): "
            "pass a single example as input_ids[None]"
        )
    length, longest = input_ids.shape[-1], longest_row(model)
    if longest is not None and length > longest:
        raise ValueError(
            f"rows have {length} pieces; expected at most {longest}, the number of the model's "
            f"positions: tokenize with truncation=True and max_length={longest}, or set "
            f"tokenizer.model_max_length to {longest}, and encode_questions splits long contexts "
            "into rows of that length"
        )
    try:
        vocabulary = getattr(model.get_input_embeddings(), "num_embeddings", None)
    except NotImplementedError:  # transformers cannot find the embeddings of this model
        return
    if vocabulary is not None:
        _check_range(
            "input_ids",
            input_ids,
            f"pieces from 0 to {vocabulary - 1}",
            vocabulary,
            "use the model's own tokenizer, or call model.resize_token_embeddings(len(tokenizer))",
        )


def _check_classes(model: PreTrainedModel, labels: Tensor) -> None:
    classes: Any = model.config.num_labels
    if classes == 1 or model.config.problem_type in ("regression", "multi_label_classification"):
        return  # labels are real numbers, or yes or no for each class
    if not labels.is_floating_point():
        learned = labels[labels != IGNORE_INDEX]
        _check_range(
            "labels",
            learned,
            f"classes from 0 to {classes - 1}, or {IGNORE_INDEX}",
            classes,
            f"count them from 0, and set num_labels, now {classes}, to the number of classes",
        )
    elif labels.shape[1:] != (classes,):  # otherwise transformers treats them as multi-label
        _check_int64("labels", labels)


def _check_int64(name: str, labels: Tensor) -> None:
    if labels.dtype != torch.int64:
        raise ValueError(
            f"{name} are {labels.dtype}; expected torch.int64 for numbers of classes or positions: "
            f"{name}.long()"
        )


def _check_range(name: str, numbers: Tensor, expected: str, size: int, advice: str) -> None:
    if numbers.is_floating_point():
        raise ValueError(f"{name} are {numbers.dtype}; expected torch.int64: {name}.long()")
    if not numbers.numel():
        return
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high >= size:
        raise ValueError(f"{name} go from {low} to {high}; expected {expected}: {advice}")
