"""Asking: from questions and contexts to answers, in one call, with any encoder that has the head.

What the question-answering pipeline of transformers did until version 5.3. Here the windows of a
long context are compared by their logits; the pipeline compared probabilities that it had
normalized in each window by itself, so that a window of little text could win.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from .answers import Ranking, rank_answers
from .characters import checked_texts
from .contexts import check_room
from .inputs import Features, check_features, check_same_number, longest_row, to_device
from .spans import Questions, encode_questions

__all__ = [
    "FoundAnswer",
    "answer_questions",
    "leave_out_segments",
    "predict_spans",
    "row_length",
]

ROW = 384  # pieces, as in the release's run_squad.py
STRIDE = 128
N_BEST = 20  # probabilities are shares among so many, as in run_squad.py
QUESTIONS_AT_ONCE = 256  # whose rows are kept in memory together


class FoundAnswer(NamedTuple):
    """An answer to a question.

    Attributes:
        text: As in the context; "" for "no answer".
        start: Its first character in the context; 0 for "no answer".
        end: The character after its last; 0 for "no answer".
        score: The logit of its start plus the logit of its end.
        probability: The softmax of the scores over the 20 best answers, and "no answer" if that is
            possible; of a worse answer, its share on the same scale.
    """

    text: str
    start: int
    end: int
    score: float
    probability: float


def answer_questions(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    *,
    top_k: int = 1,
    max_answer_length: int = 30,
    stride: int | None = None,
    max_length: int | None = None,
    batch_size: int = 32,
    null_threshold: float | None = None,
) -> list[list[FoundAnswer]]:
    """Find the answers to questions in their contexts.

    Args:
        model: Any encoder with a question-answering head: a class of transformers such as
            `BertForQuestionAnswering`, or `QuestionAnsweringModel`. It is put into eval mode.
        tokenizer: The model's own. The side on which it pads makes no difference.
        questions: One for each context.
        contexts: The texts to find the answers in, of any length.
        top_k: Number of answers to each question, at most.
        max_answer_length: The longest answer to consider, in pieces.
        stride: Number of pieces that a row shares with the next. Default: 128, or a third of
            `max_length` if that is less.
        max_length: The longest row, in pieces. Default: 384, or what the tokenizer or the model
            allows if that is less.
        batch_size: Number of rows in a forward pass. They are sorted by length.
        null_threshold: Return "no answer" as the best if its score exceeds the best span's by more
            than this, see `best_null_threshold`. Default: "no answer" is not possible.

    Returns:
        For each question its answers, the best first. The list is empty if a context has no word.

    Raises:
        ValueError: If a question leaves no room for its context, if the model has no
            question-answering head, or if rows are too long for it.
        TypeError: If a string is given instead of a list, or something else than a string in one.

    >>> from transformers import BertConfig, BertForQuestionAnswering, BertTokenizer
    >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "ada"]
    >>> tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = BertForQuestionAnswering(BertConfig(vocab_size=7, **size))
    >>> answer_questions(model, tokenizer, ["Who?"], ["Ada"])[0][0].text
    'Ada'
    """
    check_same_number(questions=questions, contexts=contexts)
    questions = checked_texts("questions", questions)
    contexts = checked_texts("contexts", contexts)
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected 1 or more rows")
    longest = row_length(model, tokenizer, max_length)
    stride = min(STRIDE, longest // 3) if stride is None else stride
    check_room(tokenizer, questions, contexts, stride, longest)
    answers: list[list[FoundAnswer]] = []
    for begin in range(0, len(questions), QUESTIONS_AT_ONCE):
        part = slice(begin, begin + QUESTIONS_AT_ONCE)
        texts = contexts[part]
        encoded = encode_questions(
            tokenizer, questions[part], texts, stride=stride, max_length=longest
        )
        logits = predict_spans(model, encoded, batch_size=batch_size)
        rankings = rank_answers(
            logits["start_logits"],
            logits["end_logits"],
            encoded,
            top_k=max(top_k, N_BEST) if top_k > 0 else top_k,
            max_answer_length=max_answer_length,
        )
        for ranking, context in zip(rankings, texts, strict=True):
            answers.append(_to_texts(ranking, context, null_threshold)[:top_k])
    return answers


@torch.inference_mode()
def predict_spans(
    model: PreTrainedModel, questions: Questions, *, batch_size: int = 32
) -> dict[str, Tensor]:
    """Compute the logits of starts and ends for all rows, without those of the padding.

    Rows of similar length go through the model together. They are padded on the right, whatever
    the side of the tokenizer: BERT counts positions from the left, so padding there would move the
    text to other positions. Arguments that the model does not take are left out, such as the token
    types for DistilBERT.

    Args:
        model: See `answer_questions`.
        questions: See `encode_questions`.
        batch_size: Number of rows in a forward pass.

    Returns:
        ``start_logits`` and ``end_logits``, each ``(rows, length)``, for `decode_answers` and
        `rank_answers`; 0.0 at the padding.

    Raises:
        ValueError: See `answer_questions`.
    """
    inputs = _inputs(model, questions.features)
    check_features(model, inputs)
    model.eval()
    ids = inputs["input_ids"]
    mask = questions.features.get("attention_mask", torch.ones_like(ids))
    order = (mask == 0).int().argsort(dim=1, stable=True)  # (rows, length), the padding last
    lengths = mask.sum(1)  # (rows,)
    logits: dict[str, Tensor] = {}
    for rows in lengths.argsort(descending=True, stable=True).split(batch_size):
        at = order[rows, : int(lengths[rows].max())]  # (batch, length)
        batch = {name: tensor[rows].gather(1, at) for name, tensor in inputs.items()}
        output = model(**to_device(batch, model))
        for name in ("start_logits", "end_logits"):
            if name not in output:
                raise ValueError(
                    f"{type(model).__name__} returns {list(output)}; expected start_logits and "
                    "end_logits: load it with AutoModelForQuestionAnswering"
                )
            found = output[name].to(ids.device)
            whole = logits.setdefault(name, found.new_zeros(ids.shape))
            whole[rows] = whole[rows].scatter(1, at, found)
    return logits


def row_length(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, max_length: int | None = None
) -> int:
    """The longest row to make for a model: 384, as in ``run_squad.py``, or what it allows.

    Args:
        model: See `answer_questions`.
        tokenizer: Its tokenizer, which may allow less.
        max_length: What is wanted instead of 384.

    Raises:
        ValueError: If `max_length` is more than the model's number of positions.
    """
    positions = longest_row(model)
    if max_length is None:
        return min(ROW, tokenizer.model_max_length, positions or ROW)
    if positions is not None and max_length > positions:
        raise ValueError(
            f"max_length is {max_length}; expected at most {positions}, the number of the model's "
            "positions"
        )
    return max_length


def leave_out_segments(tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel) -> None:
    """Have a tokenizer leave out ``token_type_ids`` if its model has no second segment.

    Some checkpoints are a RoBERTa, which has one, with a tokenizer of BERT's kind. A pair of texts
    would end its training with an index out of range.

    Args:
        tokenizer: The model's own. It is changed, and saved as changed.
        model: See `answer_questions`, or any other encoder.

    >>> from transformers import BertTokenizer, RobertaConfig, RobertaModel
    >>> tokenizer = BertTokenizer(vocab={"[UNK]": 0})
    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> leave_out_segments(tokenizer, RobertaModel(RobertaConfig(type_vocab_size=1, **size)))
    >>> tokenizer.model_input_names
    ['input_ids', 'attention_mask']
    """
    if not _reads_segments(model):
        names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
        tokenizer.model_input_names = names
        tokenizer.init_kwargs["model_input_names"] = names  # what is saved


def _reads_segments(model: PreTrainedModel) -> bool:
    # XLNet's configuration has no number of segments, and the model no table of them to exceed
    several = getattr(model.config, "type_vocab_size", 2) > 1
    return several and "token_type_ids" in inspect.signature(model.forward).parameters


def _inputs(model: PreTrainedModel, features: Features) -> Features:
    """What the model takes of the features, without labels."""
    names = {"input_ids", "attention_mask"}
    if _reads_segments(model):
        names.add("token_type_ids")
    return {name: tensor for name, tensor in features.items() if name in names}


def _to_texts(ranking: Ranking, context: str, null_threshold: float | None) -> list[FoundAnswer]:
    found = [(context[start:end], start, end, score) for start, end, score in ranking.candidates]
    compared = [score for *_, score in found[:N_BEST]]
    if null_threshold is not None:
        bar = ranking.null_score - null_threshold
        place = sum(score >= bar for *_, score in found)
        found.insert(place, ("", 0, 0, ranking.null_score))
        compared.append(ranking.null_score)
    highest = max((score for score in compared if score < math.inf), default=0.0)
    total = sum(math.exp(score - highest) for score in compared)
    return [FoundAnswer(*each, math.exp(each[3] - highest) / total) for each in found]
