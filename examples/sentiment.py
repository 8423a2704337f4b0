# %% [markdown]
# # Fine-tuning on the whole input: sentiment
# One class for a whole sentence, from few labels, with and without pretraining.
# [The lesson's page](../lesson/fine-tuning.md#classification) has the words to it.

# %% set-up
import torch

from bertlesson import learning_curve, tiny
from bertlesson.browser import write_model
from bertlesson.corpus import SENTIMENTS, sentiment_examples
from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import SequenceClassificationModel

SIZES = (16, 32, 64, 256)  # labelled sentences
SEEDS = 5
STEPS = 150  # updates of 16 sentences, for both starts and every size
RATES = (3e-4, 1e-3, 3e-3, 1e-2)

checkpoint = tiny.load()
tokenizer = checkpoint.tokenizer

# %% labelled sentences
for sentence in sentiment_examples(4, seed=0, split="train"):
    print(f"{SENTIMENTS.index(sentence.sentiment)}  {sentence.text}")


# %% a class for a sentence
def encode(sentences):
    """The arguments of the model, with a class number for each sentence."""
    features = dict(tokenizer([s.text for s in sentences], padding=True, return_tensors="pt"))
    features["labels"] = torch.tensor([SENTIMENTS.index(s.sentiment) for s in sentences])
    return features


def start(pretrained, seed):
    """A model with a fresh head, whose weights are random; without pretraining, all of them are."""
    torch.manual_seed(seed)
    model = SequenceClassificationModel(checkpoint.model.config)
    return with_encoder(model, checkpoint.model.bert) if pretrained else model


def train(pretrained, size, seed, rate):
    """A model, tuned on so many labelled sentences."""
    model = start(pretrained, seed)
    features = encode(sentiment_examples(size, seed, split="train"))
    fine_tune(model, features, steps=STEPS, learning_rate=rate, seed=seed, progress=False)
    return model


# %% accuracy
held_out = {
    "dev": encode(sentiment_examples(300, seed=2_000, split="train")),
    "test": encode(sentiment_examples(1_000, seed=0, split="test")),
}


def accuracy(model, split):
    """The share of sentences that get the right class."""
    features = held_out[split]
    return (predict(model, features)["logits"].argmax(-1) == features["labels"]).float().mean()


# %% both starts
curve = learning_curve.measure(
    train, accuracy, sizes=SIZES, seeds=SEEDS, rates=RATES, tuning_size=64
)
print(curve.summary())
gap = curve.gaps[32]
at_most = curve.mean("pretrained", SIZES[-1])
closest = min(curve.gaps.values())
assert gap >= 0.15, "With 32 labels, pretraining is worth at least 15 points of accuracy"
assert at_most >= 0.9, "With all labels, at least nine of ten sentences get the right class"
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
    "sentiment.safetensors", model, tokenizer, labels=SENTIMENTS, before=start(True, seed=0)
)
