"""A model in one file that a web page can read: in half precision, with everything to run it.

The file is an ordinary safetensors file. The metadata in its header contain, as JSON under the key
``model``, everything needed besides the weights: the encoder's configuration, the vocabulary, the
names of the classes, and a checksum. Weights that duplicate others (the tied decoder) are left out.

The page computes in single precision with half-precision weights. `round_to_half` rounds a model's
weights in the same way, so both give the same scores.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor
from transformers import BertTokenizer, PreTrainedModel

__all__ = ["half_state", "round_to_half", "write_model"]

TIED = {  # the same weights under other names
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}
CONFIGURATION = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "hidden_act",
    "layer_norm_eps",
)
NO_CHECKSUM = "00000000"  # the placeholder while the checksum is computed


def half_state(model: PreTrainedModel) -> dict[str, Tensor]:
    """The weights in half precision, each once, under their names in transformers.

    Args:
        model: One of `bertlesson.heads`, or a `bertlesson.pretraining.PretrainingModel`.

    Raises:
        ValueError: If a weight is too large for half precision (above 65,504) or is NaN, or the
            decoder is not tied to the word embeddings.
    """
    state = {}
    given = model.state_dict()
    for name, tensor in given.items():
        if name in TIED:
            if tensor.data_ptr() != given[TIED[name]].data_ptr():
                raise ValueError(
                    f"{name} is not tied to {TIED[name]}; expected one weight under both names, "
                    "because the file stores it once and its reader uses it for both: set "
                    "config.tie_word_embeddings=True"
                )
            continue
        half = tensor.detach().half().contiguous()
        if not half.isfinite().all():
            raise ValueError(
                f"{name} holds {tensor.abs().max():g}; expected numbers up to 65504, the largest "
                "in half precision"
            )
        state[name] = half
    return state


def round_to_half(model: PreTrainedModel) -> None:
    """Round the model's weights, in place, to those in its file; their dtype does not change.

    Raises:
        ValueError: See `half_state`.

    >>> import torch
    >>> from transformers import BertConfig
    >>> from bertlesson.heads import SequenceClassificationModel
    >>> model = SequenceClassificationModel(
    ...     BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    ... )
    >>> _ = torch.nn.init.constant_(model.classifier.weight, 0.1)
    >>> round_to_half(model)
    >>> model.classifier.weight[0, 0].item(), model.classifier.weight.dtype
    (0.0999755859375, torch.float32)
    """
    model.load_state_dict(half_state(model))


def write_model(
    path: str | Path,
    model: PreTrainedModel,
    tokenizer: BertTokenizer,
    *,
    labels: Sequence[str] = (),
    before: PreTrainedModel | None = None,
) -> None:
    """Write a model, its configuration and its vocabulary into one safetensors file.

    Args:
        path: The file, such as ``sentiment.safetensors``.
        model: One of `bertlesson.heads`, or a `bertlesson.pretraining.PretrainingModel`.
        tokenizer: An uncased WordPiece tokenizer.
        labels: The names of the classes, in the order of their numbers.
        before: The same model before fine-tuning, on the pretrained encoder. Its head (everything
            but the encoder) is written too, under names that begin with ``before.``; the encoder
            itself is in the pretrained model's file.

    The checksum, ``crc32``, is computed by zlib over the whole file, with zeros in place of the
    checksum's own eight digits.

    Raises:
        ValueError: See `half_state`.

    >>> import tempfile
    >>> from safetensors import safe_open
    >>> from transformers import BertConfig
    >>> from bertlesson.heads import SequenceClassificationModel
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] tea".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> model = SequenceClassificationModel(
    ...     BertConfig(vocab_size=6, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_model(f"{folder}/mood.safetensors", model, tokenizer, labels=["bad", "good"])
    ...     with safe_open(f"{folder}/mood.safetensors", "pt") as file:
    ...         print(json.loads(file.metadata()["model"])["labels"])
    ...         print(file.get_tensor("classifier.weight").dtype)
    ['bad', 'good']
    torch.float16
    """
    tensors = half_state(model)
    if before is not None:
        head = half_state(before).items()
        tensors |= {f"before.{n}": t for n, t in head if not n.startswith("bert.")}
    vocab = tokenizer.get_vocab()
    about: dict[str, Any] = {
        "crc32": NO_CHECKSUM,  # first here, so that it is the first match in the file
        "config": {name: getattr(model.config, name) for name in CONFIGURATION},
        "vocab": sorted(vocab, key=vocab.__getitem__),
        "labels": list(labels),
    }
    # under a single key, because safetensors writes several in an order that varies between runs
    content = save(tensors, {"model": json.dumps(about)})
    checksum = f"{zlib.crc32(content):08x}"
    Path(path).write_bytes(content.replace(NO_CHECKSUM.encode(), checksum.encode(), 1))
