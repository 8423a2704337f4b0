# %% [markdown]
# # Fine-tuning on the whole input: sentiment
# One class for a whole sentence, from few labels, with and without pretraining.
# [The lesson](../lesson/fine-tuning.md#classification) explains it.

# %% set-up
import copy
from functools import cache

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import SequenceClassificationModel
from bertlesson.lesson import learning_curve, tiny
from bertlesson.lesson.corpus import SENTIMENTS
from bertlesson.lesson.export import write_model
from bertlesson.lesson.labelled import sentiment_examples
from bertlesson.lesson.last_layer import read_first_only

SIZES = (16, 32, 64, 256)  # labelled sentences
SEEDS = 5
STEPS = 150  # updates of 16 sentences, for both starts and every size
RATES = (3e-4, 1e-3, 3e-3, 1e-2)

checkpoint = tiny.load()
tokenizer = checkpoint.tokenizer

# %% labelled sentences
for sentence in sentiment_examples(4, seed=0, split="train"):
    print(SENTIMENTS.index(sentence.sentiment), sentence.text)


# %% inputs and labels
def encode(sentences):
    """The inputs of the encoder, (sentences, length) each, and the labels."""
    texts = [sentence.text for sentence in sentences]
    inputs = dict(tokenizer(texts, padding=True, return_tensors="pt"))
    labels = [SENTIMENTS.index(sentence.sentiment) for sentence in sentences]
    return inputs, torch.tensor(labels)  # (sentences,)


# %% a head, a loss and a loop
torch.manual_seed(0)
inputs, labels = encode(sentiment_examples(64, seed=0, split="train"))
encoder = copy.deepcopy(checkpoint.model.bert).train()  # pretrained
head = nn.Linear(encoder.config.hidden_size, 2)  # new: random weights
everything = [*encoder.parameters(), *head.parameters()]
optimizer = torch.optim.AdamW(everything, lr=1e-3)  # BERT base: about 3e-5

for _ in range(100):
    chosen = torch.randint(len(labels), (16,))  # a batch
    batch = {name: tensor[chosen] for name, tensor in inputs.items()}
    cls = encoder(**batch).pooler_output  # (16, hidden)
    logits = head(cls)  # (16, 2)
    loss = cross_entropy(logits, labels[chosen])
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()

# %% does it work?
encoder.eval()
test_inputs, test_labels = encode(sentiment_examples(500, 0, split="test"))
with torch.inference_mode():
    logits = head(encoder(**test_inputs).pooler_output)  # (500, 2)
right = (logits.argmax(-1) == test_labels).float().mean().item()
print(f"{right:.1%} of {len(test_labels)} new sentences classified correctly")
assert right > 0.9, "It classifies more than nine of ten correctly"


# %% from both starts
def start(pretrained, seed):
    """A model with a new head; without pretraining, its encoder is new, too."""
    torch.manual_seed(seed)
    model = SequenceClassificationModel(checkpoint.model.config)
    if pretrained:
        model = with_encoder(model, checkpoint.model.bert)
    return read_first_only(model)  # the head sees no position but [CLS]


@cache  # both starts and all learning rates get the same sentences
def labelled(size, seed):
    """The inputs of this number of sentences, and their labels."""
    return encode(sentiment_examples(size, seed, split="train"))


@cache  # the last of these models is the page's
def train(pretrained, size, seed, rate):
    """A model, tuned on this number of labelled sentences."""
    model = start(pretrained, seed)
    inputs, labels = labelled(size, seed)
    settings = {"steps": STEPS, "learning_rate": rate, "seed": seed}
    fine_tune(model, {**inputs, "labels": labels}, progress=False, **settings)
    return model


# %% accuracy
held_out = {
    "dev": encode(sentiment_examples(300, seed=2_000, split="train")),
    "test": encode(sentiment_examples(1_000, seed=0, split="test")),
}


def accuracy(model, split):
    """The share of sentences that are classified correctly."""
    inputs, labels = held_out[split]
    predicted = predict(model, inputs)["logits"].argmax(-1)  # (sentences,)
    return (predicted == labels).float().mean()


# %% both starts tags=["hide-input"]
curve = learning_curve.measure(
    train, accuracy, sizes=SIZES, seeds=SEEDS, rates=RATES, tuning_size=64
)
print(curve.summary())
gap = curve.gaps[32]
at_most = curve.mean("pretrained", SIZES[-1])
closest = min(curve.gaps.values())
assert gap >= 0.15, (
    "With 32 labels, pretraining is worth at least 15 points of accuracy"
)
assert at_most >= 0.9, (
    "With 256 labels and pretraining, at least nine of ten are correct"
)
assert closest > 0, "With every number of labels tried, pretraining is ahead"

# %% the chart tags=["hide-input"]
fig = learning_curve.draw(
    curve,
    title="After pretraining, few labels are enough",
    unit="accuracy",
    labels="labelled sentences",
)

# %% the model for the page
model = train(True, SIZES[-1], 0, curve.rates["pretrained"])
write_model(
    "sentiment.safetensors",
    model,
    tokenizer,
    labels=SENTIMENTS,
    before=start(True, seed=0),
)
