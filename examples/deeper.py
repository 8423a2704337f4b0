# %% [markdown]
# # Going deeper
# Five questions that the lesson only touches, each measured: masks drawn once or anew, whole words,
# selected positions, `[CLS]` before fine-tuning, and masking rates.
# [The lesson's page](../deeper/index.md) has the words to it.

# %% set-up
import random

import numpy as np
import torch
from torch.nn.functional import normalize
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm
from transformers import BertConfig, BertForPreTraining

from bertlesson import corpus_text, tiny
from bertlesson.ablation import accuracy, train_masked_lm
from bertlesson.corpus import SENTIMENTS, generate_documents, sentiment_examples
from bertlesson.finetuning import fine_tune, with_encoder
from bertlesson.heads import IGNORE_INDEX, MaskedLMModel, SequenceClassificationModel
from bertlesson.masking import MaskingCollator, MaskingRecipe
from bertlesson.pretraining import PretrainingModel

LENGTH = 32  # tokens in a row
STEPS, BATCH = 300, 32  # of each small model
SEEDS = 2

torch.manual_seed(0)
checkpoint = tiny.load()
tokenizer, model = checkpoint.tokenizer, checkpoint.model
training = tiny.sentence_pairs(generate_documents(3_000, seed=0), tokenizer, LENGTH, seed=0)
rows = tiny.sentence_pairs(generate_documents(500, 0, "test"), tokenizer, LENGTH, seed=0)[:]
truth = torch.from_numpy(rows["input_ids"])


def score(small):
    """How often a small model names a hidden token of held-out text, and its batch."""
    batch = MaskingCollator(tokenizer, MaskingRecipe(mask=1, random=0), seed=0)(rows)
    return accuracy(small, batch, truth, batch["labels"] != IGNORE_INDEX)


# %% masks drawn once
FEW = 400  # rows, so that each is seen many times


def fixed(copies, seed):
    """Batches of the same few rows, each in so many copies whose masks never change."""
    masked = MaskingCollator(tokenizer, seed=seed)(training[np.tile(np.arange(FEW), copies)])
    rng = np.random.default_rng(seed)
    while True:
        for chosen in rng.permutation(FEW * copies)[: FEW * copies // BATCH * BATCH].reshape(
            -1, BATCH
        ):
            yield {name: tensor[chosen] for name, tensor in masked.items()}


def anew(seed):
    """Batches of the same few rows, masked anew each time."""
    rng = np.random.default_rng(seed)
    collator = MaskingCollator(tokenizer, seed=seed)
    while True:
        for chosen in rng.permutation(FEW)[: FEW // BATCH * BATCH].reshape(-1, BATCH):
            yield collator(training[chosen])


# %% static and dynamic masking
ways = {
    "one mask for ever": lambda seed: fixed(1, seed),
    "ten masks for ever": lambda seed: fixed(10, seed),
    "masked anew": anew,
}
static = {}
with tqdm(total=len(ways) * SEEDS * STEPS, desc="masks once or anew", unit="step") as bar:
    for way, batches in ways.items():
        static[way] = [
            score(
                train_masked_lm(
                    tokenizer,
                    batches(seed),
                    steps=STEPS,
                    length=LENGTH,
                    seed=seed,
                    on_step=bar.update,
                )
            )
            for seed in range(SEEDS)
        ]
for way, each in static.items():
    print(f"{way:20}{np.mean(each):6.1%}   seeds: " + " ".join(f"{s:.1%}" for s in each))
once, ten_times, always = (np.mean(each) for each in static.values())
assert always > once + 0.1, "New masks beat one that never changes by 10 points"
assert always < ten_times + 0.1, "Ten masks come within 10 points of new ones"

# %% whole words
collator = MaskingCollator(tokenizer, MaskingRecipe(mask=1, random=0), whole_word_mask=True, seed=0)
batch = collator(rows)
vocabulary = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
continues = torch.tensor([piece.startswith("##") for piece in vocabulary])[truth]
opens = ~continues & continues.roll(-1, dims=1)  # the first piece of a word in several
places = opens & (batch["labels"] != IGNORE_INDEX)
reader = MaskedLMModel(model.config).eval()
reader.load_state_dict(model.state_dict(), strict=False)  # all but the NSP head and the pooler
shown = {**batch, "input_ids": torch.where(continues, truth, batch["input_ids"])}
with_rest = accuracy(reader, shown, truth, places)
without = accuracy(reader, batch, truth, places)
print(f"first pieces named, the rest of the word shown   {with_rest:.1%}")
print(f"first pieces named, the whole word hidden        {without:.1%}")
assert with_rest > without + 0.05, "The rest of a word gives its first piece away"

# %% selected positions
config = BertConfig(
    vocab_size=30_522,  # BERT's own
    hidden_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=512,
)
ours, dense = PretrainingModel(config).eval(), BertForPreTraining(config).eval()  # no dropout
torch.nn.init.normal_(ours.cls["predictions"].bias)  # at first it is zero, and would not be missed
dense.load_state_dict(ours.state_dict())
ids = torch.randint(1_000, 30_522, (32, 128))
chosen = torch.rand(ids.shape) < 0.15
example = {
    "input_ids": ids.masked_fill(chosen, 103),
    "labels": ids.masked_fill(~chosen, IGNORE_INDEX),
    "next_sentence_label": torch.randint(2, (32,)),
}


def work_of(step_of):
    """The multiplications for a loss and its gradients, and the loss."""
    with FlopCounterMode(display=False) as counter:
        loss = step_of(**example).loss
        loss.backward()
    return counter.get_total_flops() / 2, loss.item()  # a product and its sum count as two


# %% what they save
everywhere, loss = work_of(dense)
selected, same_loss = work_of(ours)
difference = abs(loss - same_loss)
print(f"scores at all {ids.numel():,} positions    {everywhere / 1e9:5.1f} billion multiplications")
print(f"scores at the {int(chosen.sum())} selected ones {selected / 1e9:5.1f}")
times_less = everywhere / selected
assert difference < 1e-5, "The loss is the same"
assert times_less > 3, "A step at the selected positions alone takes less than a third of the work"

# %% the same in other words
FORMS = (
    "To {who}, the {what} of the {where} seemed {how}.",
    "The {what} of the {where} was {how}, said {who}.",
)
rng = random.Random(0)
mood = torch.tensor([rng.randrange(len(SENTIMENTS)) for _ in range(200)])
statements = [
    {
        "who": rng.choice((*corpus_text.WOMEN, *corpus_text.MEN)),
        "where": (where := rng.choice(list(corpus_text.VENUES))),
        "what": rng.choice(corpus_text.VENUES[where]),
        "how": rng.choice(corpus_text.ADJECTIVES[SENTIMENTS[number]]),
    }
    for number in mood
]
for form in FORMS:
    print(form.format(**statements[0]))


# %% [CLS] before fine-tuning
def read(encoder, form):
    """The vectors at [CLS], pooled, and the means over the tokens, each (statements, hidden)."""
    texts = [form.format(**statement) for statement in statements]
    features = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        encoded = encoder(**features)
    real = features["attention_mask"].unsqueeze(-1)  # (statements, length, 1), 0 at padding
    mean = (encoded.last_hidden_state * real).sum(1) / real.sum(1)
    return {"pooled": encoded.pooler_output, "mean": mean}


def compare(encoder, vector):
    """How often the nearest in the other form says the same; how often it has the same mood."""
    one, other = (normalize(read(encoder, form)[vector], dim=-1) for form in FORMS)
    nearest = (one @ other.T).argmax(-1)  # (statements,), by cosine
    same = nearest == torch.arange(len(statements))
    return same.float().mean().item(), (mood[nearest] == mood).float().mean().item()


# %% its neighbours
train_on = sentiment_examples(256, seed=0, split="train")
labelled = dict(tokenizer([s.text for s in train_on], padding=True, return_tensors="pt"))
labelled["labels"] = torch.tensor([SENTIMENTS.index(s.sentiment) for s in train_on])
torch.manual_seed(0)
tuned = with_encoder(SequenceClassificationModel(model.config), model.bert)
fine_tune(tuned, labelled, steps=150, learning_rate=1e-3, seed=0, progress=False)

pooled, pooled_mood = compare(model.bert, "pooled")
mean, mean_mood = compare(model.bert, "mean")
pooled_after, mood_after = compare(tuned.bert, "pooled")
print("the nearest says the same    has the same mood")
print(f"pooled [CLS]       {pooled:9.1%} {pooled_mood:20.1%}")
print(f"mean of all tokens {mean:9.1%} {mean_mood:20.1%}")
print(f"[CLS], fine-tuned  {pooled_after:9.1%} {mood_after:20.1%}")
most_pooled = max(pooled, pooled_after)
assert most_pooled < mean / 2, "Either [CLS] finds less than half of what the mean finds"
assert mood_after >= 0.9, "Fine-tuned on moods, it finds the mood in at least nine of ten cases"

# %% masking rates
rates = {}
with tqdm(total=4 * SEEDS * STEPS, desc="masking rates", unit="step") as bar:
    for rate in (0.05, 0.15, 0.4, 0.8):
        rates[rate] = []
        for seed in range(SEEDS):
            collator = MaskingCollator(tokenizer, MaskingRecipe(select=rate), seed=seed)
            batches = tiny.shuffled_batches(training, collator, BATCH, seed)
            small = train_masked_lm(
                tokenizer, batches, steps=STEPS, length=LENGTH, seed=seed, on_step=bar.update
            )
            rates[rate].append(score(small))
for rate, each in rates.items():
    print(
        f"{rate:4.0%} selected   {np.mean(each):6.1%}   seeds: "
        + " ".join(f"{s:.1%}" for s in each)
    )
few, usual, more, most = (np.mean(each) for each in rates.values())
assert more > usual + 0.05, "In so few steps, 40% teaches more than 15%: 5 points"
assert more > most + 0.05, "At 80% too little is left to read: 5 points less than 40%"
assert usual > few + 0.05, "At 5% there is too little to learn from: 5 points less than 15%"

# %%
values = {"statements": len(statements)}
