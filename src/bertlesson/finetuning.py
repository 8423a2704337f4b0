"""Stage two: the loop that tunes all weights, encoder and head, and the logits of the result.

Everything works with `transformers.Trainer`: the features are what its models take, and `fine_tune`
is a minimal version of its loop. Inputs and outputs differ from head to head (paper §4, A.3):

| Task            | Labels                       | Answers                                 |
| --------------- | ---------------------------- | --------------------------------------- |
| a whole input   | a class number for each text | the class with the highest logit        |
| each token      | `entities.encode_entities`   | `entities.decode_entities`, `entity_f1` |
| each given word | `tags.encode_tags`           | `tags.decode_tags`, then `read_tags`    |
| a span          | `spans.encode_questions`     | `answers.decode_answers`                |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm
from transformers import BertModel, PreTrainedModel

from .inputs import Features, check_features, check_precision, to_device, trim
from .optimization import make_optimizer, make_schedule
from .training import take_step

__all__ = ["fine_tune", "predict", "with_encoder"]

Model = TypeVar("Model", bound=PreTrainedModel)
ENCODER_ARGUMENTS = ("input_ids", "attention_mask", "token_type_ids")


def with_encoder(model: Model, encoder: BertModel) -> Model:
    """Load the weights of a pretrained encoder into a model with a new head.

    Args:
        model: Any model whose encoder is named ``bert``.
        encoder: Its weights are copied, so fine-tuning the model does not change it.

    Returns:
        The same model. The pooler is copied only if both have one.

    Raises:
        RuntimeError: If the two encoders differ in size.
        TypeError: If the encoder comes with a head of its own.

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
        model: A model with a head and weights in float32; trained in place and left in eval mode.
        features: The model's arguments, labels included, each ``(examples, ...)``. They need not be
            on the model's device: each batch is moved there, cut to its longest row.
        steps: Number of updates. The examples are reshuffled at the start of every pass.
        learning_rate: The peak learning rate. The paper's 2e-5 to 5e-5 are for models of BERT's
            size.
        batch_size: Examples per update (16 or 32 in the paper).
        warmup_share: Share of the steps during which the learning rate rises, before it falls.
        max_grad_norm: Gradients are clipped to this norm.
        seed: Seed for the order of the examples and for dropout.
        progress: Whether to show a progress bar.

    Returns:
        The loss of each step, in nats.

    Raises:
        ValueError: If there are no examples or no labels, if the model's weights are in half
            precision, or if the features do not fit the model, see `bertlesson.inputs`.
        TypeError: If the features are not tensors.
    """
    check_features(model, features)
    check_precision(model)
    count = len(next(iter(features.values())))
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected 1 or more examples per update")
    optimizer = make_optimizer(model, learning_rate)
    schedule = make_schedule(optimizer, warmup_steps=int(warmup_share * steps), total_steps=steps)
    rng = np.random.default_rng(seed)
    # one random order per pass, joined end to end and cut into batches
    orders = [rng.permutation(count) for _ in range(-(-steps * batch_size // count))]
    batches = torch.from_numpy(np.concatenate(orders)[: steps * batch_size]).split(batch_size)
    losses: list[float] = []
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(seed)
        model.train()
        for batch in tqdm(batches, desc="fine-tuning", unit="step", disable=not progress):
            inputs = trim({name: tensor[batch] for name, tensor in features.items()})
            output = model(**to_device(inputs, model))
            if output.loss is None:
                raise ValueError(
                    f"features are {list(features)}; expected the model's labels among them"
                )
            take_step(model, output.loss, optimizer, schedule, max_grad_norm=max_grad_norm)
            losses.append(output.loss.item())
    model.eval()
    return losses


@torch.inference_mode()
def predict(
    model: PreTrainedModel, features: Mapping[str, Tensor], batch_size: int = 128
) -> Features:
    """Compute the logits for all examples, without a loss or gradients.

    Args:
        model: A model on any device and in any precision; switched to eval mode.
        features: As for `fine_tune`; labels are ignored.
        batch_size: Number of examples per forward pass.

    Returns:
        ``logits``, or ``start_logits`` and ``end_logits``, each ``(examples, ...)``, on the device
        of the features, where any labels are. The model's device holds the logits of only one
        batch at a time.

    Raises:
        ValueError: If there are no examples, or if they do not fit the model, see
            `bertlesson.inputs`.
        TypeError: If the features are not tensors.
    """
    inputs = {name: features[name] for name in ENCODER_ARGUMENTS if name in features}
    if not len(inputs.get("input_ids", ())):
        raise ValueError(
            f"features {list(features)} have no row of input_ids; expected 1 or more rows"
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
