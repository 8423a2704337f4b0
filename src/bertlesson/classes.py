"""The classes of a head: their names, and a row of weights for each.

``from_pretrained(…, id2label=…)`` changes the names of the classes and nothing else. If the
checkpoint was fine-tuned for the same classes in another order, each row then has another's name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import nn
from transformers import PreTrainedModel

__all__ = ["with_classes"]

Model = TypeVar("Model", bound=PreTrainedModel)
UNNAMED = re.compile(r"LABEL_\d+")  # what a configuration without names calls its classes


def with_classes(model: Model, classes: Sequence[str]) -> Model:
    """Give a model a head for these classes, and keep what its own head knows of them.

    A class that the head has by the same name, in capitals or not, keeps its row of weights,
    wherever it stood. The others get new rows, drawn as BERT's are. Names such as ``LABEL_1`` say
    nothing, so their rows are drawn as well.

    Args:
        model: Any model of transformers with a linear layer of ``(num_labels, …)`` for whole texts
            or tokens, as loaded, with the names that its checkpoint has.
        classes: The names, in the order of the labels: ``(classes,)``.

    Returns:
        The same model. Its configuration has the names, and asks for one class of each text or
        token, so a checkpoint for a score or for several labels is trained on one, too.

    Raises:
        ValueError: If there are fewer than two names, or one twice.
        TypeError: If the classes are not a list of strings, or the model has no such layer.

    >>> from transformers import BertConfig
    >>> from bertlesson.heads import SequenceClassificationModel
    >>> sizes = {"hidden_size": 4, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> config = BertConfig(vocab_size=9, **sizes, id2label={0: "POSITIVE", 1: "NEGATIVE"})
    >>> model = SequenceClassificationModel(config)
    >>> positive, negative = model.classifier.weight
    >>> weight = with_classes(model, ["negative", "neutral", "positive"]).classifier.weight
    >>> torch.equal(weight[0], negative), torch.equal(weight[2], positive)
    (True, True)
    >>> model.config.id2label, model.num_labels
    ({0: 'negative', 1: 'neutral', 2: 'positive'}, 3)
    """
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes):
        raise TypeError(f"classes is {classes!r}; expected a list of names, as strings")
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValueError(f"classes is {list(classes)}; expected two different names or more")
    config: Any = model.config
    path, layer = _last_layer(model)
    names: dict[int, str] = dict(config.id2label)
    rows = {name: row for row, name in names.items() if not UNNAMED.fullmatch(name)}
    in_small = Counter(map(str.casefold, rows))
    small = {name.casefold(): row for name, row in rows.items() if in_small[name.casefold()] == 1}
    head = nn.Linear(
        layer.in_features,
        len(classes),
        bias=layer.bias is not None,
        device=layer.weight.device,
        dtype=layer.weight.dtype,
    )
    with torch.no_grad():
        head.weight.normal_(std=getattr(config, "initializer_range", 0.02))
        if head.bias is not None:
            head.bias.zero_()
        for at, name in enumerate(classes):
            row = rows.get(name, small.get(name.casefold()))
            if row is None:
                continue
            head.weight[at] = layer.weight[row]  # (features,)
            if head.bias is not None:
                head.bias[at] = layer.bias[row]
    model.set_submodule(path, head)
    config.id2label = dict(enumerate(classes))  # and with it num_labels
    config.label2id = {name: number for number, name in enumerate(classes)}
    if config.problem_type is not None:
        config.problem_type = "single_label_classification"
    vars(model)["num_labels"] = len(classes)  # by which the loss shapes its scores
    return model


def _last_layer(model: PreTrainedModel) -> tuple[str, nn.Linear]:
    """Where the layer is that gives each class its score, and the layer."""
    encoder = f"{model.base_model_prefix}."
    found = [
        (path, layer)
        for path, layer in model.named_modules()
        if isinstance(layer, nn.Linear)
        and layer.out_features == model.config.num_labels
        and not path.startswith(encoder)
    ]
    if not found:
        raise TypeError(
            f"{type(model).__name__} has no linear layer of {model.config.num_labels} classes "
            "behind its encoder; expected a model for the classes of texts or tokens"
        )
    return found[-1]
