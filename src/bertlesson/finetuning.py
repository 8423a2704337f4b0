"""Stage two: the loop that tunes all weights, encoder and head, and the logits that come of it.

Everything fits `transformers.Trainer`: the features are what its models take, and `fine_tune` is
the same loop at its shortest. What goes in and what comes out of it differs from head to head
(paper §4, A.3); `bertlesson.entities` and `bertlesson.spans` have it, and it can be imported from
here as well:

================= ============================== =======================================
task              labels                         answers
================= ============================== =======================================
a whole input     a class number for each text   the class with the highest logit
each token        `encode_entities`              `decode_entities`, judged by `entity_f1`
a span            `encode_questions`             `decode_answers`
================= ============================== =======================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm
from transformers import BertModel, PreTrainedModel

from bertlesson.entities import (
    Entity,
    Word,
    bio_labels,
    decode_entities,
    encode_entities,
    entity_f1,
    find_words,
)
from bertlesson.inputs import Features, check_features, check_precision, to_device
from bertlesson.pretraining import make_optimizer, make_schedule
from bertlesson.spans import Questions, decode_answers, encode_questions

__all__ = [
    "Entity",
    "Features",
    "Questions",
    "Word",
    "bio_labels",
    "decode_answers",
    "decode_entities",
    "encode_entities",
    "encode_questions",
    "entity_f1",
    "find_words",
    "fine_tune",
    "predict",
    "with_encoder",
]

Model = TypeVar("Model", bound=PreTrainedModel)
ENCODER_ARGUMENTS = ("input_ids", "attention_mask", "token_type_ids")


def with_encoder(model: Model, encoder: BertModel) -> Model:
    """Give a model with a fresh head the weights of a pretrained encoder.

    Args:
        model: Any model with its encoder under the name ``bert``.
        encoder: Copied, not shared: tuning the model leaves it as it is.

    Returns:
        The same model. A pooler that one of the two does not have is left out.

    Raises:
        RuntimeError: If the two encoders differ in size.
        TypeError: If the encoder has a head of its own.

    >>> from transformers import BertConfig
    >>> from bertlesson.heads import TokenClassificationModel
    >>> config = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    >>> encoder = BertModel(config)
    >>> model = with_encoder(TokenClassificationModel(config), encoder)
    >>> words, table = encoder.embeddings.word_embeddings, model.bert.embeddings.word_embeddings
    >>> torch.equal(words.weight, table.weight), words.weight is table.weight
    (True, False)
    """
    if isinstance(getattr(encoder, "bert", None), BertModel):
        raise TypeError(
            f"{type(encoder).__name__} has a head; expected its encoder: pass its .bert"
        )
    own = model.get_submodule("bert")
    given = encoder.state_dict()
    if not any(name.startswith("pooler") for name in own.state_dict()):
        given = {name: t for name, t in given.items() if not name.startswith("pooler")}
    elif not any(name.startswith("pooler") for name in given):
        given |= {
            f"pooler.{name}": t for name, t in own.get_submodule("pooler").state_dict().items()
        }
    own.load_state_dict(given)
    return model


def fine_tune(
    model: PreTrainedModel,
    features: Mapping[str, Tensor],
    *,
    steps: int,
    learning_rate: float,
    batch_size: int = 16,
    warmup_share: float = 0.1,
    max_grad_norm: float = 1.0,
    seed: int = 0,
    progress: bool = True,
) -> list[float]:
    """Tune all weights, encoder and head, on labelled examples (paper §3.2 and A.3).

    Args:
        model: A model with a head, its weights in float32; trained in place where it is, and left
            in eval mode.
        features: Its arguments, labels included, each ``(examples, ...)``. They may be on another
            device than the model: each batch is moved there.
        steps: How many updates. The examples come by in a new order each time they are through.
        learning_rate: The highest one. The paper's 2e-5 to 5e-5 are for a model of its size.
        batch_size: Examples in an update (16 or 32 in the paper).
        warmup_share: Share of the steps in which the learning rate rises; then it falls.
        max_grad_norm: Longer gradients are shortened to this.
        seed: For the order and for dropout.
        progress: Show a bar.

    Returns:
        The loss of each step, in nats.

    Raises:
        ValueError: If there are no examples or no labels, the model's weights are in half
            precision, or the features do not suit the model, see `bertlesson.inputs`.
        TypeError: If the features are no tensors.
    """
    check_features(model, features)
    check_precision(model)
    count = len(next(iter(features.values())))
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}; expected examples in an update, 1 or more")
    optimizer = make_optimizer(model, learning_rate)
    schedule = make_schedule(optimizer, warmup_steps=int(warmup_share * steps), total_steps=steps)
    rng = np.random.default_rng(seed)
    # as many orders as it takes, one after the other, cut into batches
    orders = [rng.permutation(count) for _ in range(-(-steps * batch_size // count))]
    batches = torch.from_numpy(np.concatenate(orders)[: steps * batch_size]).split(batch_size)
    losses: list[float] = []
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(seed)
        model.train()
        for batch in tqdm(batches, desc="fine-tuning", unit="step", disable=not progress):
            inputs = {name: tensor[batch] for name, tensor in features.items()}
            output = model(**to_device(inputs, model))
            if output.loss is None:
                raise ValueError(f"features {list(features)}; expected the model's labels as well")
            output.loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(output.loss.item())
    model.eval()
    return losses


@torch.inference_mode()
def predict(
    model: PreTrainedModel, features: Mapping[str, Tensor], batch_size: int = 128
) -> Features:
    """The logits for all examples, without the loss and without gradients.

    Args:
        model: Put into eval mode; of any precision, on any device.
        features: As for `fine_tune`; labels may be there, and are not looked at.
        batch_size: Examples read at once.

    Returns:
        ``logits``, or ``start_logits`` and ``end_logits``, each ``(examples, ...)``. They are where
        the features are, beside the labels they will be compared with: each batch is moved there
        from the model's device, whose memory holds no more than one.

    Raises:
        ValueError: If there are no examples, or they do not suit the model, see
            `bertlesson.inputs`.
        TypeError: If the features are no tensors.
    """
    inputs = {name: features[name] for name in ENCODER_ARGUMENTS if name in features}
    if not len(inputs.get("input_ids", ())):
        raise ValueError(
            f"features {list(features)} without a row of input_ids; expected 1 or more"
        )
    check_features(model, inputs)
    model.eval()
    parts: list[Features] = []
    for start in range(0, len(inputs["input_ids"]), batch_size):
        batch = {name: tensor[start : start + batch_size] for name, tensor in inputs.items()}
        output = model(**to_device(batch, model))
        names = [name for name in ("logits", "start_logits", "end_logits") if name in output]
        parts.append({name: output[name].to(inputs["input_ids"].device) for name in names})
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
