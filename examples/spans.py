# %% [markdown]
# # Fine-tuning on every token: answer spans
# Where does the answer start, and where does it end? With and without pretraining.
# [The lesson's page](../lesson/fine-tuning.md#spans) has the words to it.

# %% set-up
import torch

from bertlesson import learning_curve, tiny
from bertlesson.browser import write_model
from bertlesson.corpus import question_examples
from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import QuestionAnsweringModel
from bertlesson.spans import decode_answers, encode_questions

SIZES = (16, 32, 64, 256, 1024)  # questions with their answers
SEEDS = 5
STEPS, BATCH = 120, 12  # updates of so many questions, for both starts and every size
RATES = (1e-3, 2e-3, 4e-3, 8e-3)

checkpoint = tiny.load()
tokenizer = checkpoint.tokenizer


# %% an answer as two positions
def characters(example):
    """The answer's first character and the one after its last; None where there is none."""
    if example.is_impossible:
        return None
    return example.answer_start, example.answer_start + len(example.answer)


def encode(examples):
    """The rows to read, and which characters of the context each piece came from."""
    return encode_questions(
        tokenizer,
        [example.question for example in examples],
        [example.context for example in examples],
        [characters(example) for example in examples],
    )


# %% one question
shown = question_examples(2, seed=0, split="train")[1:]
questions = encode(shown)
ids, start, end = (
    questions.features[name][0] for name in ("input_ids", "start_positions", "end_positions")
)
print(shown[0].question)
print(shown[0].context)
print(f"answer: {shown[0].answer!r} at character {shown[0].answer_start}")
print(
    "pieces", start.item(), "to", end.item(), tokenizer.convert_ids_to_tokens(ids[start : end + 1])
)


# %% two scores for each token
def start(pretrained, seed):
    """A model with a fresh head, whose weights are random; without pretraining, all of them are."""
    torch.manual_seed(seed)
    model = QuestionAnsweringModel(checkpoint.model.config)
    return with_encoder(model, checkpoint.model.bert) if pretrained else model


def train(pretrained, size, seed, rate, steps=STEPS, impossible=0.0):
    """A model, tuned on so many questions, some of which have no answer."""
    model = start(pretrained, seed)
    features = encode(question_examples(size, seed, "train", impossible)).features
    settings = {"learning_rate": rate, "batch_size": BATCH, "seed": seed, "progress": False}
    fine_tune(model, features, steps=steps, **settings)
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
    found = decode_answers(**predict(model, questions.features), questions=questions)
    right = [
        example.context[slice(*span)] == example.answer
        for span, example in zip(found, examples, strict=True)
    ]
    return sum(right) / len(right)


# %% both starts
curve = learning_curve.measure(
    train, exact_match, sizes=SIZES, seeds=SEEDS, rates=RATES, tuning_size=1024
)
print(curve.summary())
gap = max(curve.gaps.values())
at_most = curve.mean("pretrained", SIZES[-1])
closest = min(curve.gaps.values())
assert gap >= 0.25, "At some size, pretraining is worth at least 25 points of exact match"
assert at_most >= 0.9, "With all labels, at least nine of ten answers are exact"
assert closest > 0, "With every number of labels tried, pretraining is ahead"

# %% the chart tags=["hide-input"]
fig = learning_curve.draw(
    curve,
    title="After pretraining, it learns which word answers",
    unit="exact match",
    labels="labelled questions",
)

# %% from scores to an answer
model = train(True, SIZES[-1], 0, curve.rates["pretrained"])
example = held_out["test"][0]
questions = encode([example])
logits = predict(model, questions.features)
pieces = tokenizer.convert_ids_to_tokens(questions.features["input_ids"][0])
for name in ("start", "end"):
    highest = logits[f"{name}_logits"][0].topk(3)
    found = zip(highest.values.tolist(), highest.indices.tolist(), strict=True)
    print(f"{name:6}" + "   ".join(f"{score:5.2f} at {n} {pieces[n]}" for score, n in found))
[span] = decode_answers(**logits, questions=questions, max_answer_length=30)
print(example.question)
print(example.context)
print(f"characters {span[0]} to {span[1]}: {example.context[slice(*span)]!r}")

# %% no answer
model = train(True, 4096, 0, curve.rates["pretrained"], steps=600, impossible=0.5)
examples = question_examples(500, seed=1, split="test", impossible=0.3)
questions = encode(examples)
found = decode_answers(**predict(model, questions.features), questions=questions, null_threshold=0)
answers = [
    "" if span is None else example.context[slice(*span)]
    for span, example in zip(found, examples, strict=True)
]
nothing = [answer == "" for answer, e in zip(answers, examples, strict=True) if e.is_impossible]
right = [answer == example.answer for answer, example in zip(answers, examples, strict=True)]
unanswerable, together = sum(nothing) / len(nothing), sum(right) / len(right)
print(f"{len(nothing)} of {len(right)} have no answer; it says so for {unanswerable:.1%} of them")
print(f"right on all {len(right)}: {together:.1%}")
assert unanswerable > 0.7, "Of the questions without an answer, at least seven of ten are told"
assert together > 0.9, "Of all questions, at least nine of ten are answered rightly or declined"

# %% the model for the page
write_model("spans.safetensors", model, tokenizer, before=start(True, seed=0))
