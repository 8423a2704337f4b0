# %% [markdown]
# # The walked trace
# One input through a step of pretraining and a step of fine-tuning, with every
# number. [The lesson's page](../practice/trace.md) explains it.

# %% set-up
import json
import math
import textwrap
from itertools import count, pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from bertlesson.heads import IGNORE_INDEX, SequenceClassificationModel
from bertlesson.lesson import tiny
from bertlesson.lesson.corpus import SENTIMENTS, generate_documents
from bertlesson.lesson.corpus_text import ADJECTIVES
from bertlesson.nsp import IS_NEXT
from bertlesson.optimization import make_optimizer

STORIES = 200  # the input is taken from these, which the model never saw
LEARNING_RATE = 1e-4  # the paper's for pretraining (A.2)
FINE_TUNING_RATE = 5e-5  # the highest of the paper's for fine-tuning (A.3)
BETA1, BETA2, EPSILON, DECAY = 0.9, 0.999, 1e-6, 0.01  # see make_optimizer
MAX_NORM = 1.0  # longer gradients are shortened to this

checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
tokenizer = checkpoint.tokenizer
# double precision keeps rounding out of the digits shown
model = checkpoint.model.double()
encoder_as_pretrained = {
    name: t.clone() for name, t in model.bert.state_dict().items()
}

# %% the input
# the shortest two neighbouring sentences that both express a feeling
neighbours = [
    (a.text, b.text, SENTIMENTS.index(b.sentiment))
    for story in generate_documents(STORIES, seed=0, split="test")
    for a, b in pairwise(story.sentences)
    if a.sentiment and b.sentiment
]
text_a, text_b, sentiment = min(
    neighbours, key=lambda pair: len(tokenizer.tokenize(pair[0] + pair[1]))
)
encoded = tokenizer(
    text_a, text_b, return_special_tokens_mask=True, return_tensors="pt"
)
# both (1, length)
input_ids, segments = encoded["input_ids"], encoded["token_type_ids"]
pieces = tokenizer.convert_ids_to_tokens(input_ids[0])
print("A:", text_a)
print("B:", text_b)
print(textwrap.fill(" ".join(pieces), 44))
print(textwrap.fill(" ".join(map(str, input_ids[0].tolist())), 44))

# %% the draws
selectable = encoded["special_tokens_mask"] == 0  # (1, length)
adjectives = {word for words in ADJECTIVES.values() for word in words}
is_adjective = torch.tensor([[p in adjectives for p in pieces]])  # (1, length)
for seed in count():
    torch.manual_seed(seed)
    # each (1, length), from 0 up to 1
    select_draw, fate_draw = torch.rand(2, *input_ids.shape)
    selected = selectable & (select_draw < 0.15)
    is_masked = selected & (fate_draw < 0.8)
    is_random = selected & (fate_draw >= 0.8) & (fate_draw < 0.9)
    is_kept = selected & (fate_draw >= 0.9)
    one_each = is_masked.sum() == is_random.sum() == is_kept.sum() == 1
    if one_each and (is_masked & is_adjective).any():
        break

labels = torch.where(selected, input_ids, IGNORE_INDEX)
seen = torch.where(is_masked, tokenizer.mask_token_id, input_ids)
replacements = torch.randint(len(tokenizer), input_ids.shape)  # any token
seen = torch.where(is_random, replacements, seen)
print(f"selected {selected.sum()} of {selectable.sum()} tokens, seed {seed}")

# %% token by token tags=["hide-input"]
fates = {"masked": is_masked, "random": is_random, "kept": is_kept}
seen_pieces = tokenizer.convert_ids_to_tokens(seen[0])
passage = []
print("     id  piece        draw   fate  seen")
for i, piece in enumerate(pieces):
    fate = ""
    line = f"{i:2}{input_ids[0, i]:5}  {piece:12}"
    if selectable[0, i]:
        line += f"{select_draw[0, i]:5.3f}"
    if selected[0, i]:
        fate = next(name for name, those in fates.items() if those[0, i])
        line += f"  {fate_draw[0, i]:5.3f}  {seen_pieces[i]}"
    print(line.rstrip())
    passage.append(
        {
            "piece": piece,
            "seen": seen_pieces[i],
            "fate": fate,
            "segment": "AB"[segments[0, i]],
        }
    )
highest_selected = select_draw[selected].max().item()
lowest_left = select_draw[selectable & ~selected].min().item()
assert highest_selected < 0.15 <= lowest_left, (
    "All tokens with a draw below 0.15 are selected, and no others"
)
unchanged = torch.equal(seen[~selected], input_ids[~selected])
assert unchanged, "The tokens that were not selected are unchanged"

# %% the MLM loss
batch = {"input_ids": seen, "token_type_ids": segments, "labels": labels}
batch["next_sentence_label"] = torch.tensor([IS_NEXT])
output = model(**batch)

logits = output.selected_logits  # (selected, vocab)
truth = labels[selected]  # (selected,)
true_logit = logits[range(len(truth)), truth]  # (selected,)
log_sum_exp = logits.exp().sum(dim=-1).log()  # (selected,)
loss_each = log_sum_exp - true_logit  # (selected,), the same as -log(p)
mlm_loss = loss_each.sum() / len(truth)

# %%
numbers = {  # all that the page shows step by step
    "texts": [text_a, text_b],
    "pieces": pieces,
    "ids": input_ids[0].tolist(),
    "segments": segments[0].tolist(),
    "selectable": selectable[0].tolist(),
    "select_draw": select_draw[0].tolist(),
    "fate_draw": fate_draw[0].tolist(),
    "fates": [token["fate"] for token in passage],
    "seen": seen_pieces,
    "vocabulary": len(tokenizer),
    "predictions": [
        {
            "position": position,
            "truth": pieces[position],
            "logit": true_logit[row].item(),
            "log_sum_exp": log_sum_exp[row].item(),
            "loss": loss_each[row].item(),
            "likeliest": [
                [
                    tokenizer.convert_ids_to_tokens(token),
                    logits[row, token].item(),
                ]
                for token in logits[row].topk(4).indices.tolist()
            ],
        }
        for row, position in enumerate(selected[0].nonzero().flatten().tolist())
    ],
    "mlm_loss": mlm_loss.item(),
}

# %% one softmax tags=["hide-input"]
# which of the selected tokens is masked
hole = labels[selected].tolist().index(int(labels[is_masked]))
scores = logits[hole].detach()  # (vocab,)
shown = scores.topk(4).indices.tolist()
shown = list(dict.fromkeys([int(truth[hole]), *shown]))
others = torch.ones_like(scores, dtype=torch.bool)
others[shown] = False
rest, total = scores[others].exp().sum().item(), scores.exp().sum().item()
print(f"{'piece':18}{'logit':>9}{'exp(logit)':>12}")
for token in shown:
    name = tokenizer.convert_ids_to_tokens(token)
    name += " (the truth)" if token == truth[hole] else ""
    print(f"{name:18}{scores[token]:9.5f}{scores[token].exp():12.1f}")
print(f"{f'the {int(others.sum()):,} others':18}{'':9}{rest:12.1f}")
print(f"{'sum':27}{total:12.1f}")
print(f"{'log of the sum':18}{log_sum_exp[hole]:9.5f}")
sum_of_shown = sum(math.exp(scores[token].item()) for token in shown) + rest
gap = abs(math.log(sum_of_shown) - torch.logsumexp(scores, dim=0).item())
assert gap < 1e-9, "The log of this sum is torch's logsumexp of all logits"

# %% loss per position tags=["hide-input"]
names = tokenizer.convert_ids_to_tokens(truth)
print(f"{'truth':14}" + "".join(f"{name:>10}" for name in names))
for name, row in (
    ("log of the sum", log_sum_exp),
    ("- its logit", true_logit),
    ("= loss", loss_each),
):
    print(f"{name:14}" + "".join(f"{number:10.5f}" for number in row))
chances = loss_each.neg().exp()
print(f"{'p = exp(-loss)':14}" + "".join(f"{p:10.6f}" for p in chances))
terms = " + ".join(f"{loss:.5f}" for loss in loss_each)
print(f"MLM loss = ({terms}) / {len(truth)}")
print(f"         = {mlm_loss:.5f}")
assert abs(mlm_loss - output.mlm_loss) < 1e-9, (
    "This mean is the MLM loss that the model returns"
)

# %% the NSP loss
nsp_logits = output.seq_relationship_logits[0]  # (2,): is next, random
nsp_exp = nsp_logits.exp()
p_next = nsp_exp[IS_NEXT] / nsp_exp.sum()
log_sum = nsp_exp.sum().log()
nsp_loss = log_sum - nsp_logits[IS_NEXT]
print("                is next    random")
print(f"logit        {nsp_logits[0]:10.5f}{nsp_logits[1]:10.5f}")
print(f"exp(logit)   {nsp_exp[0]:10.5f}{nsp_exp[1]:10.5f}")
print(f"P(is next) = {nsp_exp[0]:.5f} / {nsp_exp.sum():.5f} = {p_next:.5f}")
print(f"NSP loss   = {log_sum:.5f} - {nsp_logits[0]:.5f} = {nsp_loss:.5f}")

loss = mlm_loss + nsp_loss
print(f"loss       = {mlm_loss:.5f} + {nsp_loss:.5f} = {loss:.5f}")
assert abs(loss - output.loss) < 1e-9, (
    "This sum is the loss that the model returns"
)

# %%
numbers |= {
    "nsp_logits": nsp_logits.tolist(),
    "nsp_loss": nsp_loss.item(),
    "loss": loss.item(),
}


# %% parts of the model
def norm_by_part(model: nn.Module) -> dict[str, float]:
    """The length of the gradient in each part of the model."""
    squares: dict[str, float] = {}
    for name, weight in model.named_parameters():
        names = name.replace("bert.", "").replace("encoder.", "").split(".")
        part = ".".join(names[:2]) if names[0] in ("cls", "layer") else names[0]
        square = weight.grad.square().sum().item()
        squares[part] = squares.get(part, 0.0) + square
    return {part: math.sqrt(square) for part, square in squares.items()}


def print_norms(norms: dict[str, float]) -> float:
    """A row for each part; the whole is the root of the sum of squares."""
    whole = math.sqrt(sum(norm**2 for norm in norms.values()))
    print(f"{'part':20}{'norm':>9}{'squared':>10}")
    for part, norm in norms.items():
        print(f"{part:20}{norm:9.5f}{norm**2:10.3f}")
    print(f"{'all: root of sum':20}{whole:9.5f}{whole**2:10.3f}")
    return whole


def written_out_step(
    weight: Tensor,
    gradient: Tensor,
    m: Tensor,
    v: Tensor,
    step: int,
    rate: float,
    decay: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """One update by AdamW, printed line by line."""
    m = BETA1 * m + (1 - BETA1) * gradient
    v = BETA2 * v + (1 - BETA2) * gradient**2
    m_hat, v_hat = m / (1 - BETA1**step), v / (1 - BETA2**step)
    shrink = rate * decay * weight
    update = rate * m_hat / (v_hat.sqrt() + EPSILON)
    new = weight - shrink - update
    rows = [
        ("w", weight, "the weight before"),
        ("g", gradient, "gradient, shortened"),
        ("m", m, f"{BETA1} m + {1 - BETA1:.1f} g"),
        ("v", v, f"{BETA2} v + {1 - BETA2:.3f} g^2"),
        ("m_hat", m_hat, f"m / (1 - {BETA1}^{step})"),
        ("v_hat", v_hat, f"v / (1 - {BETA2}^{step})"),
        ("decay", shrink, f"{decay} lr w"),
        ("update", update, "lr m_hat / (√v_hat + ε)"),
        ("w", new, "w - decay - update"),
    ]
    print(f"step {step}, lr = {rate}, ε = {EPSILON}")
    for name, number, formula in rows:
        print(f"{name:6}{number:17.9e}  {formula}")
    updates.append(
        [[name, number.item(), formula] for name, number, formula in rows]
    )
    return new, m, v


updates = []  # the rows of each step written out


# %% the gradient
optimizer = make_optimizer(model, LEARNING_RATE, weight_decay=DECAY)
output.loss.backward()

norms = norm_by_part(model)
whole = print_norms(norms)
returned = nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM).item()
factor = min(1.0, MAX_NORM / whole)
print(f"times {factor:.5f}, it is {factor * whole:.5f} long")
assert abs(whole - returned) < 1e-9, (
    "The root of the sum of squares is the norm that torch returns"
)
assert min(norms.values()) > 0, "The gradient reaches every part of the model"

# %%
numbers |= {"norms": norms, "norm": whole, "max_norm": MAX_NORM}

# %% one weight
# in the embedding of the hidden word, where the gradient is largest
word = int(labels[is_masked])
# (vocab, hidden); the MLM head uses this table, too
table = model.bert.embeddings.word_embeddings.weight
place = int(table.grad[word].abs().argmax())
written = table[word, place].detach().clone()
m = v = torch.zeros(())
losses, gaps, moves = [loss.item()], [], []
for step in (1, 2):
    before = written
    written, m, v = written_out_step(
        written, table.grad[word, place], m, v, step, LEARNING_RATE, DECAY
    )
    optimizer.step()
    gaps.append(abs(written - table[word, place]).item())
    moves.append(abs(written - before).item())
    # the next step: the changed model reads the same input
    optimizer.zero_grad()
    output = model(**batch)
    losses.append(output.loss.item())
    output.loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)

# %% what the steps did
assert max(gaps) < 1e-12, (
    "Both times the weight worked out here is the one that torch stores"
)
assert 0.5 < moves[0] / LEARNING_RATE < 1.5, (
    "The first step moves the weight by about the learning rate"
)
print(f"loss before      {losses[0]:.5f}")
print(f"after one step   {losses[1]:.5f}")
print(f"after two steps  {losses[2]:.5f}")
assert losses[1] < losses[0], "After one step the loss on this input is lower"

# %%
numbers |= {
    "rate": LEARNING_RATE,
    "weight": [tokenizer.convert_ids_to_tokens(word), place],
    "losses": losses,
}

# %% the classification head
torch.manual_seed(0)
classifier = SequenceClassificationModel(model.config).double().eval()
classifier.bert.load_state_dict(encoder_as_pretrained)  # all but the head
label = torch.tensor([sentiment])
output = classifier(input_ids, token_type_ids=segments, labels=label)

vectors = classifier.bert(input_ids, token_type_ids=segments)
pooled = vectors.pooler_output[0]  # (hidden,), from [CLS]
class_logits = output.logits[0]  # (2,): negative, positive
class_exp = class_logits.exp()
class_p = class_exp / class_exp.sum()
log_sum = class_exp.sum().log()
class_loss = log_sum - class_logits[sentiment]
print(" " * 13 + "".join(f"{name:>10}" for name in SENTIMENTS))
for name, row in (
    ("logit", class_logits),
    ("exp(logit)", class_exp),
    ("P", class_p),
):
    print(f"{name:13}" + "".join(f"{number:10.5f}" for number in row))
print(
    f"loss = {log_sum:.5f} - {class_logits[sentiment]:.5f} = {class_loss:.5f}"
)
assert abs(class_loss - output.loss) < 1e-9, (
    "This is the loss that the model returns"
)

# %%
numbers |= {
    "classes": SENTIMENTS,
    "sentiment": sentiment,
    "class_logits": class_logits.tolist(),
    "class_loss": class_loss.item(),
}

# %% the gradient of the second stage
optimizer = make_optimizer(classifier, FINE_TUNING_RATE, weight_decay=DECAY)
output.loss.backward()
norms = norm_by_part(classifier)
whole = print_norms(norms)
weight = classifier.classifier.weight  # (2, hidden)
place = int(pooled.abs().argmax())  # where the vector at [CLS] is largest
p = class_p[sentiment]
by_hand = (p - 1) * pooled[place]
print("g = (P - 1) * pooled")
print(f"  = ({p:.5f} - 1) * {pooled[place]:.5f}")
print(f"  = {by_hand:.5f} (more exactly {by_hand:.9f})")
assert abs(by_hand - weight.grad[sentiment, place]) < 1e-9, (
    "The gradient by hand is the one that torch computes"
)
assert min(norms.values()) > 0, (
    "The gradient reaches every part, down to the embeddings"
)

# %%
numbers |= {
    "class_norms": norms,
    "class_norm": whole,
    "class_weight": place,
    "pooled": pooled[place].item(),
    "by_hand": by_hand.item(),
}

# %% the step of the second stage
nn.utils.clip_grad_norm_(classifier.parameters(), MAX_NORM)
factor = min(1.0, MAX_NORM / whole)
print(f"shortened: times {factor:.5f}")
print(f"  (more exactly {factor:.9f})")
written, _, _ = written_out_step(
    weight[sentiment, place].detach(),
    weight.grad[sentiment, place],
    torch.zeros(()),
    torch.zeros(()),
    1,
    FINE_TUNING_RATE,
    DECAY,
)
optimizer.step()
after = classifier(input_ids, token_type_ids=segments, labels=label)
print(f"loss before {class_loss:.5f}, after {after.loss:.5f}")
assert abs(written - weight[sentiment, place]) < 1e-12, (
    "The weight worked out here is the one that torch stores"
)
assert after.loss < class_loss, "After the step the loss on this input is lower"

# %%
numbers |= {
    "class_rate": FINE_TUNING_RATE,
    "class_loss_after": after.loss.item(),
}
numbers["updates"] = updates
Path("trace.json").write_text(json.dumps(numbers), "utf-8")

# %%
values = {
    "passage": passage,
    "vocabulary": len(tokenizer),
    "masked_piece": tokenizer.convert_ids_to_tokens(word),
    "random_piece": tokenizer.convert_ids_to_tokens(int(input_ids[is_random])),
    "intruder": tokenizer.convert_ids_to_tokens(int(seen[is_random])),
    "kept_piece": tokenizer.convert_ids_to_tokens(int(input_ids[is_kept])),
    "no_idea": math.log(len(tokenizer)),
    "sentiment": SENTIMENTS[sentiment],
    "hidden": len(pooled),
}
