"""Stage two: labels for the heads, the loop that tunes all weights, and answers from the logits.

Words are found in text by characters, models see pieces. What stands here goes from one to the
other and back: a name's characters to the labels of its pieces, an answer's characters to a start
and an end, and the logits of both back to characters. Everything fits `transformers.Trainer`: the
features are what its models take, and `fine_tune` is the same loop at its shortest.

What is here is for BERT's three ways of fine-tuning (paper §4, A.3):

================= ============================== =======================================
task              labels                         answers
================= ============================== =======================================
a whole input     a class number for each text   the class with the highest logit
each token        `encode_entities`              `decode_entities`, judged by `entity_f1`
a span            `encode_questions`             `decode_answers`
================= ============================== =======================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm
from transformers import BatchEncoding, BertModel, PreTrainedModel, PreTrainedTokenizerFast

from bertlesson.heads import IGNORE_INDEX
from bertlesson.pretraining import make_optimizer, make_schedule

Features = dict[str, Tensor]  # arguments of a model, each with a row for every example
Entity = tuple[int, int, str]  # first character, the one after the last, kind
Model = TypeVar("Model", bound=PreTrainedModel)
ENCODER_ARGUMENTS = ("input_ids", "attention_mask", "token_type_ids")


# The loop


def with_encoder(model: Model, encoder: BertModel) -> Model:
    """Give a model with a fresh head the weights of a pretrained encoder.

    Args:
        model: Any model with its encoder under the name ``bert``.
        encoder: Copied, not shared: tuning the model leaves it as it is.

    Returns:
        The same model. A pooler that one of the two does not have is left out.

    Raises:
        RuntimeError: If the two encoders differ in size.

    >>> from transformers import BertConfig
    >>> from bertlesson.heads import TokenClassificationModel
    >>> config = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    >>> encoder = BertModel(config)
    >>> model = with_encoder(TokenClassificationModel(config), encoder)
    >>> words, table = encoder.embeddings.word_embeddings, model.bert.embeddings.word_embeddings
    >>> torch.equal(words.weight, table.weight), words.weight is table.weight
    (True, False)
    """
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
        model: A model with a head; trained in place, and left in eval mode.
        features: Its arguments, labels included, each ``(examples, ...)``.
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
        ValueError: If there are no examples or no labels, or the features differ in their number.
    """
    rows = {name: len(tensor) for name, tensor in features.items()}
    count = max(rows.values(), default=0)
    if count == 0 or set(rows.values()) != {count}:
        raise ValueError(f"features with rows {rows}; expected the same number for each, 1 or more")
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}; expected examples in an update, 1 or more")
    optimizer = make_optimizer(model, learning_rate)
    schedule = make_schedule(optimizer, warmup_steps=int(warmup_share * steps), total_steps=steps)
    rng = np.random.default_rng(seed)
    # as many orders as it takes, one after the other, cut into batches
    orders = [rng.permutation(count) for _ in range(-(-steps * batch_size // count))]
    batches = torch.from_numpy(np.concatenate(orders)[: steps * batch_size]).split(batch_size)
    losses: list[float] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.train()
        for batch in tqdm(batches, desc="fine-tuning", unit="step", disable=not progress):
            output = model(**{name: tensor[batch] for name, tensor in features.items()})
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
        model: Put into eval mode.
        features: As for `fine_tune`; labels may be there, and are not looked at.
        batch_size: Examples read at once.

    Returns:
        ``logits``, or ``start_logits`` and ``end_logits``, each ``(examples, ...)``.

    Raises:
        ValueError: If there are no examples.
    """
    model.eval()
    inputs = {name: t for name, t in features.items() if name in ENCODER_ARGUMENTS}
    if not len(inputs.get("input_ids", ())):
        raise ValueError(
            f"features {list(features)} without a row of input_ids; expected 1 or more"
        )
    parts = [
        model(**{name: tensor[start : start + batch_size] for name, tensor in inputs.items()})
        for start in range(0, len(inputs["input_ids"]), batch_size)
    ]
    names = [name for name in ("logits", "start_logits", "end_logits") if name in parts[0]]
    return {name: torch.cat([part[name] for part in parts]) for name in names}


# Entities: a label for each token


def bio_labels(kinds: Sequence[str]) -> list[str]:
    """The labels of a tagger: O outside, B where an entity begins, I inside of it.

    >>> bio_labels(["PER", "LOC"])
    ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']
    """
    return ["O", *(f"{place}-{kind}" for kind in kinds for place in "BI")]


class Word(NamedTuple):
    """A word of a tokenized text."""

    piece: int  # where its first piece is in the row
    start: int  # its first character
    end: int  # the character after its last


def find_words(encoded: BatchEncoding, row: int) -> list[Word]:
    """The words of one row, from left to right.

    Args:
        encoded: From a fast tokenizer, as it returned it.
        row: Which of its texts.

    Raises:
        TypeError: If it is something else, which does not know which characters a piece came from.
    """
    words: list[Word] = []
    encodings = getattr(encoded, "encodings", None)
    if encodings is None:
        raise TypeError(
            f"encoded is a {type(encoded).__name__} without word boundaries; expected what a fast "
            "tokenizer returned, as it is"
        )
    encoding = encodings[row]
    known: int | None = None
    for piece, (word, (start, end)) in enumerate(
        zip(encoding.word_ids, encoding.offsets, strict=True)
    ):
        if word is None:
            continue
        if word == known:
            words[-1] = words[-1]._replace(end=end)
        else:
            words.append(Word(piece, start, end))
        known = word
    return words


def encode_entities(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    entities: Sequence[Sequence[Entity]],
    labels: Sequence[str],
) -> Features:
    """Pieces and their labels: the first piece of each word is labelled, all else is -100.

    That is the paper's way (§5.3). A word is what the tokenizer splits into pieces by itself.

    Args:
        tokenizer: A fast one: it knows which characters a piece came from.
        texts: What to tokenize.
        entities: Those of each text, as ``(start, end, kind)`` in characters.
        labels: All labels, see `bio_labels`; the label at index i has the number i.

    Returns:
        ``input_ids``, ``token_type_ids``, ``attention_mask`` and ``labels``, each int64 of shape
        ``(texts, length)``.

    Raises:
        ValueError: If an entity holds no word, begins or ends within one, overlaps another or
            passes the end of its text, or its label is not among `labels`.
    """
    _check_same_number(texts=texts, entities=entities)
    if "O" not in labels:
        raise ValueError(f"the labels are {list(labels)}; expected O among them, see bio_labels")
    encoded = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    numbers = torch.full_like(encoded["input_ids"], IGNORE_INDEX)  # (texts, length)
    for row, (text, spans) in enumerate(zip(texts, entities, strict=True)):
        words = find_words(encoded, row)
        starts, ends = {word.start for word in words}, {word.end for word in words}
        read_to = max(ends, default=0)  # where the row ends, the rest of the text is cut off
        taken = 0
        for start, end, kind in sorted(spans):
            name = f"the entity {start}:{end} of {text!r}, {text[start:end]!r},"
            if not 0 <= start < end <= len(text):
                raise ValueError(f"{name} does not lie in these {len(text)} characters")
            if (start < read_to and start not in starts) or (end <= read_to and end not in ends):
                raise ValueError(f"{name} does not begin and end with a word")
            if start < taken:
                raise ValueError(f"{name} overlaps the one before it; a word has one label")
            if not {f"B-{kind}", f"I-{kind}"} <= set(labels):
                raise ValueError(f"{name} is of kind {kind}; the labels are {list(labels)}")
            taken = end
        for word in words:
            label = "O"
            for start, end, kind in spans:
                if start <= word.start < end:
                    label = f"{'B' if start == word.start else 'I'}-{kind}"
            numbers[row, word.piece] = labels.index(label)
    return {**encoded, "labels": numbers}


def decode_entities(
    predicted: Sequence[int], words: Sequence[Word], labels: Sequence[str]
) -> list[Entity]:
    """The entities that the labels of first pieces spell, in characters.

    An I without a B before it begins an entity, as in CoNLL's own script.

    Args:
        predicted: A label's number for each piece, ``(length,)``, such as ``logits.argmax(-1)``.
        words: See `find_words`.
        labels: See `bio_labels`.

    >>> words = [Word(1, 0, 3), Word(2, 4, 7), Word(4, 8, 12)]
    >>> decode_entities([0, 1, 2, 0, 3], words, bio_labels(["PER", "LOC"]))
    [(0, 7, 'PER'), (8, 12, 'LOC')]
    """
    found: list[Entity] = []
    previous = ""  # the kind of the word before, if it is in an entity
    for word in words:
        place, _, kind = labels[predicted[word.piece]].partition("-")
        if place == "I" and kind == previous:
            found[-1] = (found[-1][0], word.end, kind)
        elif kind:
            found.append((word.start, word.end, kind))
        previous = kind
    return found


def entity_f1(truth: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]]) -> float:
    """F1 over whole entities: right are those with the right characters and the right label.

    Args:
        truth: The entities of each text.
        predicted: What was found in each.

    Returns:
        2 · right / (entities that are there + entities found), from 0 to 1; 1 if there are none
        and none was found.

    Raises:
        ValueError: If the two are not of the same texts.

    >>> entity_f1([[(0, 3, "PER"), (8, 12, "LOC")]], [[(0, 3, "PER"), (8, 10, "LOC")]])
    0.5
    """
    _check_same_number(truth=truth, predicted=predicted)
    right = sum(len(set(a) & set(b)) for a, b in zip(truth, predicted, strict=True))
    total = sum(map(len, truth)) + sum(map(len, predicted))
    return 2 * right / total if total else 1.0


# Answers: a start and an end


class Questions(NamedTuple):
    """Tokenized questions with their contexts.

    Attributes:
        features: The model's arguments, each int64: ``input_ids``, ``token_type_ids`` and
            ``attention_mask`` of shape ``(rows, length)``, and, where answers were given,
            ``start_positions`` and ``end_positions`` of shape ``(rows,)``.
        example: Which question each row belongs to, ``(rows,)``.
        characters: The first character in the context of each piece, and the one after its last,
            ``(rows, length, 2)``; -1 for pieces that are not of the context.
    """

    features: Features
    example: Tensor
    characters: Tensor


def encode_questions(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    answers: Sequence[tuple[int, int] | None] | None = None,
    stride: int = 16,
) -> Questions:
    """Rows of ``[CLS] question [SEP] context [SEP]``, and the pieces where each answer lies.

    A context too long for one row is given as several, each of which repeats `stride` pieces of the
    one before. In a row that does not hold the whole answer both positions are 0: ``[CLS]`` stands
    for "no answer", as in the release's `run_squad.py`.

    Args:
        tokenizer: A fast one; its ``model_max_length`` is the longest row.
        questions: One for each context.
        contexts: Where the answers are looked for.
        answers: Their first character in the context and the one after the last; None where the
            context has no answer. Left out: rows to predict on.
        stride: How many pieces of the context one row shares with the next.

    Raises:
        ValueError: If an answer does not lie within its context, or a question leaves no room for
            the context beside it.
    """
    _check_same_number(questions=questions, contexts=contexts)
    _check_room(tokenizer, questions, contexts, stride)
    encoded = tokenizer(
        list(questions),
        list(contexts),
        padding=True,
        truncation="only_second",
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    example = encoded.pop("overflow_to_sample_mapping")  # (rows,)
    characters = encoded.pop("offset_mapping")  # (rows, length, 2)
    segments = [encoded.sequence_ids(row) for row in range(len(example))]
    characters[torch.tensor([[segment != 1 for segment in row] for row in segments])] = -1
    features = dict(encoded)
    if answers is not None:
        _check_same_number(contexts=contexts, answers=answers)
        for context, answer in zip(contexts, answers, strict=True):
            if answer is not None and not 0 <= answer[0] < answer[1] <= len(context):
                raise ValueError(
                    f"answer {answer} in a context of {len(context)} characters; expected its "
                    "first character and the one after its last"
                )
        # (rows, 2); no piece reaches these characters where there is no answer
        wanted = torch.tensor([answers[row] or (-9, -9) for row in example.tolist()])
        starts = (characters[..., 0] <= wanted[:, :1]) & (wanted[:, :1] < characters[..., 1])
        ends = (characters[..., 0] < wanted[:, 1:]) & (wanted[:, 1:] <= characters[..., 1])
        whole = starts.any(1) & ends.any(1)  # (rows,)
        features["start_positions"] = starts.long().argmax(1) * whole
        features["end_positions"] = ends.long().argmax(1) * whole
    return Questions(features, example, characters)


def decode_answers(
    start_logits: Tensor,
    end_logits: Tensor,
    questions: Questions,
    *,
    max_answer_length: int = 30,
    null_threshold: float | None = None,
) -> list[tuple[int, int] | None]:
    """The best span for each question: the highest start + end score with the end not before the
    start (paper §4.2).

    Args:
        start_logits: ``(rows, length)``, as are `end_logits`.
        end_logits: From a model that read ``questions.features``.
        questions: See `encode_questions`.
        max_answer_length: In pieces; longer spans are not looked at (30 in `run_squad.py`).
        null_threshold: Say "no answer" if the score of ``[CLS]`` exceeds the best span's by more
            than this (paper §4.3). Default: always give a span.

    Returns:
        For each question the first character of its answer in the context and the one after the
        last; None is "no answer", also where the context has no piece that could be one.

    Raises:
        ValueError: If the logits are of other rows, or no span may be one piece long.
    """
    given, rows_read = start_logits.shape, questions.characters.shape[:2]
    if not given == end_logits.shape == rows_read:
        raise ValueError(
            f"start_logits {tuple(given)} and end_logits {tuple(end_logits.shape)}; expected one "
            f"of each for every piece of the questions, {tuple(rows_read)}"
        )
    if max_answer_length < 1:
        raise ValueError(f"max_answer_length={max_answer_length}; expected pieces, 1 or more")
    length = start_logits.shape[1]
    span = torch.ones(length, length, dtype=torch.bool).triu().tril(max_answer_length - 1)
    in_context = questions.characters[..., 0] >= 0  # (rows, length)
    allowed = span & in_context[:, :, None] & in_context[:, None]  # (rows, start, end)
    scores = start_logits[:, :, None] + end_logits[:, None]  # (rows, start, end)
    best, where = scores.masked_fill(~allowed, -torch.inf).flatten(1).max(dim=1)  # (rows,)
    none = start_logits[:, 0] + end_logits[:, 0]  # (rows,)
    answers: list[tuple[int, int] | None] = []
    for number in range(int(questions.example.max()) + 1):
        rows = (questions.example == number).nonzero().flatten()
        row = rows[best[rows].argmax()]
        start, end = divmod(int(where[row]), length)
        found = int(questions.characters[row, start, 0]), int(questions.characters[row, end, 1])
        # a long context lacks an answer only if no row of it has one
        margin = none[rows].min() - best[row]
        refused = null_threshold is not None and margin > null_threshold
        answers.append(None if refused or best[row] == -torch.inf else found)
    return answers


def _check_same_number(**given: Sequence[object]) -> None:
    (name, first), (other, second) = given.items()
    if len(first) != len(second):
        raise ValueError(
            f"{len(first)} {name} and {len(second)} {other}; expected one of each for every example"
        )
    if not len(first):
        raise ValueError(f"no {name}; expected 1 or more")


def _check_room(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    stride: int,
) -> None:
    """Refuse what `tokenizers` would panic about: a context cut to no more than is repeated."""
    if stride < 0:
        raise ValueError(f"stride={stride}; expected a number of pieces, 0 or more")
    longest = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(pair=True)
    asked = tokenizer(list(questions), add_special_tokens=False)["input_ids"]
    for question, context, pieces in zip(questions, contexts, asked, strict=True):
        room = longest - len(pieces)
        if room <= stride and room < len(tokenizer.tokenize(context)):
            raise ValueError(
                f"the question {question!r} leaves room for {max(room, 0)} pieces of its context "
                f"in a row of {tokenizer.model_max_length}; expected more than stride={stride}: "
                "take a smaller stride, or a tokenizer with a larger model_max_length"
            )
