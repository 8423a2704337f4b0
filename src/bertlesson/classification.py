"""Classifying whole texts with `Trainer`: rows for a model, and how well it does.

`bertlesson.tables` reads the texts and classes; `bertlesson.heads.SequenceClassificationModel` or
`transformers.AutoModelForSequenceClassification` is the model.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from transformers import EvalPrediction, PreTrainedTokenizerBase

from .inputs import input_names
from .outputs import check_numbers, scores_of
from .tables import Table

__all__ = ["EncodedTable", "accuracy_and_f1", "encode_table"]

Row = dict[str, Any]


class EncodedTable(NamedTuple):
    """Rows for a model, and which of them were cut.

    Attributes:
        rows: For each text what the tokenizer returns, and ``labels``, the number of its class, if
            the table has them. Not padded: pad each batch, with
            `transformers.DataCollatorWithPadding`.
        truncated: The indices of the texts that were cut.
        tokens_cut: The number of tokens that were cut from them.
    """

    rows: list[Row]
    truncated: list[int]
    tokens_cut: int


def encode_table(
    table: Table, tokenizer: PreTrainedTokenizerBase, max_length: int | None = None
) -> EncodedTable:
    """Tokenize the texts, cut long ones at the end, and keep count of it.

    Args:
        table: The texts, and their labels if there are any.
        tokenizer: Any.
        max_length: The longest row in tokens, special tokens included; of a pair, the longer text
            is cut. Default: the longest that the model reads, by ``model_max_length``.

    Raises:
        ValueError: If neither gives a length, or the model reads no rows of this length.

    >>> from pathlib import Path
    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> texts = ["A film", "A great great film"]
    >>> table = Table(Path("films.csv"), texts, [], [0, 1], ("bad", "good"), [2, 3])
    >>> rows, truncated, tokens_cut = encode_table(table, tokenizer, max_length=5)
    >>> [row["input_ids"] for row in rows], truncated, tokens_cut
    ([[2, 5, 7, 3], [2, 5, 6, 6, 3]], [1], 1)
    """
    longest = tokenizer.model_max_length
    if max_length is None and longest > 10**9:
        raise ValueError(
            "max_length is None and the tokenizer's model_max_length is not set; expected the "
            "longest row that the model reads: max_length=model.config.max_position_embeddings"
        )
    max_length = longest if max_length is None else max_length
    special = tokenizer.num_special_tokens_to_add(pair=bool(table.pairs))
    if not special < max_length <= longest:
        raise ValueError(
            f"max_length is {max_length}; expected from {special + 1} to {longest}, the "
            "tokenizer's model_max_length"
        )
    pairs = table.pairs or None
    asked = {"return_token_type_ids": True}
    whole = tokenizer(table.texts, pairs, truncation=False, verbose=False, **asked)
    lengths = np.fromiter(map(len, whole["input_ids"]), np.int64, len(table))
    cut = np.flatnonzero(lengths > max_length)
    encoded = whole
    if len(cut):
        encoded = tokenizer(table.texts, pairs, truncation=True, max_length=max_length, **asked)
    inputs = input_names(tokenizer, encoded.get("token_type_ids", []))
    names = [name for name in inputs if name in encoded]
    rows = [{name: encoded[name][at] for name in names} for at in range(len(table))]
    for row, label in zip(rows, table.labels, strict=False):
        row["labels"] = label
    return EncodedTable(rows, cut.tolist(), int((lengths[cut] - max_length).sum()))


def accuracy_and_f1(prediction: EvalPrediction) -> dict[str, float]:
    """Accuracy and macro-F1, for `Trainer`'s ``compute_metrics``.

    Args:
        prediction: ``predictions`` are the logits, ``(rows, classes)``, or a tuple that begins with
            them; ``label_ids`` the classes, ``(rows,)``.

    Returns:
        ``accuracy``, the share of rows that are correct; and ``macro_f1``, the mean over the
        classes of each one's F1, 2·correct / (labelled + predicted). It counts the classes that are
        labelled or predicted somewhere, as scikit-learn does.

    Raises:
        ValueError: If there are no rows, or not one label for each, if a label is none of the
            classes, or logits are NaN.

    >>> logits = np.eye(3)[[0, 0, 0, 1]]
    >>> accuracy_and_f1(EvalPrediction(logits, np.array([0, 0, 1, 1])))  # F1: 4/5 and 2/3
    {'accuracy': 0.75, 'macro_f1': 0.7333333333333334}
    """
    logits = np.asarray(scores_of(prediction))
    labels = np.asarray(prediction.label_ids)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
        raise ValueError(
            f"predictions have shape {logits.shape}, labels {labels.shape}; expected a score of "
            "each class for each row, and one label for each row"
        )
    check_numbers(logits)
    predicted = logits.argmax(-1)
    classes = logits.shape[1]
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; expected classes from 0 to "
            f"{classes - 1}: read the file with classes=train.classes"
        )
    count = [
        np.bincount(numbers, minlength=classes)
        for numbers in (labels[labels == predicted], labels, predicted)
    ]
    correct, labelled, guessed = count
    present = (labelled + guessed) > 0
    f1 = 2 * correct[present] / (labelled + guessed)[present]
    return {"accuracy": float((labels == predicted).mean()), "macro_f1": float(f1.mean())}
