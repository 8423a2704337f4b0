# %% [markdown]
# # Fine-tuning on every token: answer spans
# Where the answer starts and where it ends, with and without pretraining.
# [The lesson](../lesson/fine-tuning.md#spans) explains it.

# %% set-up
import copy
import math
import textwrap
from functools import cache

import torch
from torch import nn

from bertlesson.answers import decode_answers
from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import QuestionAnsweringModel
from bertlesson.lesson import learning_curve, tiny
from bertlesson.lesson.export import write_model
from bertlesson.lesson.labelled import question_examples
from bertlesson.spans import encode_questions

SIZES = (16, 32, 64, 256, 1024)  # questions with their answers
SEEDS = 5
STEPS = 120  # updates, for both starts and every size
BATCH = 12  # questions in each
RATES = (1e-3, 2e-3, 4e-3, 8e-3)

checkpoint = tiny.load()
tokenizer = checkpoint.tokenizer


# %% an answer as two positions
def characters(example):
    """Where the answer starts and ends in the context, or None."""
    if example.is_impossible:
        return None
    return example.answer_start, example.answer_start + len(example.answer)


def encode(examples):
    """The inputs with start and end positions, and how to map pieces back."""
    return encode_questions(
        tokenizer,
        [example.question for example in examples],
        [example.context for example in examples],
        [characters(example) for example in examples],
    )


# %% one question tags=["hide-input"]
shown = question_examples(8, seed=0, split="train")[7]
questions = encode([shown])
inputs = dict(questions.features)
start, end = inputs.pop("start_positions"), inputs.pop("end_positions")
pieces = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
print(textwrap.fill(f"question: {shown.question}", 44))
print(textwrap.fill(f"passage: {shown.context}", 44))
print(f"answer: {shown.answer!r}, from character {shown.answer_start}")
print(f"pieces {start.item()} to {end.item()}:", *pieces[start : end + 1])

# %% two vectors and a loss
torch.manual_seed(0)
encoder = copy.deepcopy(checkpoint.model.bert)  # pretrained
head = nn.Linear(encoder.config.hidden_size, 2, bias=False)  # new
S, E = head.weight  # (hidden,) each

T = encoder(**inputs).last_hidden_state[0]  # (length, hidden)
start_scores, end_scores = T @ S, T @ E  # (length,) each
log_p_start = start_scores.log_softmax(dim=0)  # over all positions
log_p_end = end_scores.log_softmax(dim=0)
loss = -(log_p_start[start] + log_p_end[end]) / 2
print(
    f"untrained: loss {loss.item():.2f}, a blind guess {math.log(len(T)):.2f}"
)


# %% from both starts
def start_from(pretrained, seed):
    """A model with a new head; without pretraining, its encoder is new, too."""
    torch.manual_seed(seed)
    model = QuestionAnsweringModel(checkpoint.model.config)
    return with_encoder(model, checkpoint.model.bert) if pretrained else model


@cache  # both starts and all learning rates get the same questions
def labelled(size, seed, impossible):
    """The features of this number of questions, some without an answer."""
    return encode(question_examples(size, seed, "train", impossible)).features


@cache  # some models are shown again below
def train(pretrained, size, seed, rate, steps=STEPS, impossible=0.0):
    """A model, tuned on this number of questions, some without an answer."""
    model = start_from(pretrained, seed)
    features = labelled(size, seed, impossible)
    settings = {"steps": steps, "learning_rate": rate, "seed": seed}
    fine_tune(model, features, batch_size=BATCH, progress=False, **settings)
    return model


# %% back to characters
held_out = {
    "dev": question_examples(200, seed=2_000, split="train"),
    "test": question_examples(500, seed=0, split="test"),
}
encoded = {split: encode(examples) for split, examples in held_out.items()}


def exact_match(model, split):
    """The share of questions whose answer is found, word for word."""
    examples, questions = held_out[split], encoded[split]
    logits = predict(model, questions.features)
    found = decode_answers(**logits, questions=questions)
    right = [
        example.context[slice(*span)] == example.answer
        for span, example in zip(found, examples, strict=True)
    ]
    return sum(right) / len(right)


# %% both starts tags=["hide-input"]
curve = learning_curve.measure(
    train, exact_match, sizes=SIZES, seeds=SEEDS, rates=RATES, tuning_size=1024
)
print(curve.summary())
gap = max(curve.gaps.values())
at_most = curve.mean("pretrained", SIZES[-1])
closest = min(curve.gaps.values())
assert gap >= 0.25, (
    "At some size, pretraining is worth at least 25 points of exact match"
)
assert at_most >= 0.9, (
    "With 1,024 questions and pretraining, at least nine of ten are exact"
)
assert closest > 0, "With every number of labels tried, pretraining is ahead"

# %% the chart tags=["hide-input"]
fig = learning_curve.draw(
    curve,
    title="After pretraining, it learns which words answer",
    unit="exact match",
    labels="labelled questions",
)

# %% from scores to an answer
model = train(True, SIZES[-1], 0, curve.rates["pretrained"])
example = held_out["test"][2]
questions = encode([example])
logits = predict(model, questions.features)
pieces = tokenizer.convert_ids_to_tokens(questions.features["input_ids"][0])
for name in ("start", "end"):
    best = logits[f"{name}_logits"][0].topk(3)
    found = zip(best.values.tolist(), best.indices.tolist(), strict=True)
    for score, n in found:
        print(f"{name:5} {score:6.2f} at {n} {pieces[n]}")
[span] = decode_answers(**logits, questions=questions, max_answer_length=30)
print(textwrap.fill(f"question: {example.question}", 44))
print(textwrap.fill(f"passage: {example.context}", 44))
print(f"answer: {example.context[slice(*span)]!r}, characters {span}")

# %% no answer tags=["hide-input"]
rate = curve.rates["pretrained"]
model = train(True, 4096, 0, rate, steps=600, impossible=0.5)
examples = question_examples(500, seed=1, split="test", impossible=0.3)
questions = encode(examples)
logits = predict(model, questions.features)
found = decode_answers(**logits, questions=questions, null_threshold=0)
answers = [
    "" if span is None else example.context[slice(*span)]
    for span, example in zip(found, examples, strict=True)
]
pairs = list(zip(answers, examples, strict=True))
nothing = [answer == "" for answer, example in pairs if example.is_impossible]
right = [answer == example.answer for answer, example in pairs]
recognized, together = sum(nothing) / len(nothing), sum(right) / len(right)
print(f"{len(nothing)} of {len(right)} questions have no answer;")
print(f"recognized as such: {recognized:.1%}")
print(f"correct overall: {together:.1%} of {len(right)}")
assert recognized > 0.7, (
    "At least seven of ten unanswerable questions are recognized as such"
)
assert together > 0.8, (
    "At least eight of ten questions are answered, or declined, correctly"
)

# %% the model for the page
before = start_from(True, seed=0)
write_model("spans.safetensors", model, tokenizer, before=before)
