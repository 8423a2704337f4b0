# %% [markdown]
# # One piece alone
# The collator, the sparse head and the labels of words, in other code.
# [The page](../use/pieces.md) explains it.

# %% settings
import argparse
import sys
import tempfile
from pathlib import Path

import torch
from accelerate import Accelerator
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import nn
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PreTrainedTokenizerFast,
)

from bertlesson.collating import MaskingCollator
from bertlesson.entities import decode_entities, encode_entities
from bertlesson.heads import MLMHead
from bertlesson.inputs import longest_row
from bertlesson.pretraining import select
from bertlesson.sparse import score_selected
from bertlesson.tags import bio_labels, encode_tags
from bertlesson.texts import read_texts
from bertlesson.words import find_words

parser = argparse.ArgumentParser(description="Train an MLM in a plain loop.")
parser.add_argument("--model", help="a folder, or a name on the hub")
parser.add_argument("--train", help="a text file, or a folder of .txt files")
parser.add_argument("--rows", type=int, default=64, help="rows to train on")
parser.add_argument("--learning-rate", type=float, default=1e-3)
# a notebook has arguments of its own
options = parser.parse_args([] if "ipykernel" in sys.modules else None)
own = bool(options.model or options.train)

# %% text
if options.train is None:
    from bertlesson.lesson.files import write_texts

    stories = write_texts(Path(tempfile.mkdtemp()), 100, seed=0)
    texts = read_texts([stories], ends="blank line")
else:
    texts = read_texts([options.train])
lines = [line for document in texts for line in document.splitlines()]
lines = [line for line in lines if line.strip()]


# %% a tokenizer of another kind
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def wrap(backend):
    """Make it a tokenizer of transformers, with RoBERTa's special tokens."""
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    roles = ("cls_token", "pad_token", "sep_token", "unk_token", "mask_token")
    names = dict(zip(roles, SPECIAL, strict=True))
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=64, **names
    )


def byte_level():
    """GPT-2's and RoBERTa's kind: pieces of bytes, a space is part of them."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(lines, trainer)
    return wrap(backend)


def unigram():
    """T5's and XLM-R's kind: a space is a piece's first sign, ▁."""
    letters = sorted(set("".join(lines)) | set("ZëãSPMöller▁") - {" "})
    pieces = [(each, 0.0) for each in SPECIAL]
    pieces += [(letter, -8.0) for letter in letters]
    pieces += [(f"▁{word}", -4.0) for word in ("the", "was", "Sã", "Pau", "in")]
    backend = Tokenizer(models.Unigram(pieces, unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    return wrap(backend)


# %% your own model
longest = 128  # tokens in a row, or what the model reads
if options.model is None:
    tokenizer = byte_level()
    size = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "pad_token_id": tokenizer.pad_token_id,
    }
    ends = {"bos_token_id": 0, "eos_token_id": 2}
    ends |= {"cls_token_id": 0, "sep_token_id": 2}
    config = ModernBertConfig(**size, **ends)
else:
    try:
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        load = AutoModelForMaskedLM.from_pretrained
        model = load(options.model, dtype=torch.float32)
        longest = min(longest_row(model) or longest, longest)
    except OSError as error:
        sys.exit(
            f"could not load {options.model}: {error}\n"
            "pass a folder with the model, or check the name and connection"
        )


def new_model():
    """The same weights at each call."""
    torch.manual_seed(0)
    if options.model is None:
        return AutoModelForMaskedLM.from_config(config)
    return load(options.model, dtype=torch.float32)


# %% rows with their words
encoded = tokenizer(
    lines[: options.rows],
    truncation=True,
    max_length=min(longest, tokenizer.model_max_length),
    return_overflowing_tokens=True,  # the rest goes on in the next row
)
rows = [
    {"input_ids": ids, "word_ids": encoded.word_ids(row)}
    for row, ids in enumerate(encoded["input_ids"][: options.rows])
]
print(*tokenizer.convert_ids_to_tokens(rows[0]["input_ids"][:9]))
print(*rows[0]["word_ids"][:9])


# %% a loop
def train(wrap=lambda *parts: parts, backward=torch.Tensor.backward):
    """Two epochs in a plain loop; returns the losses and the labels."""
    collator = MaskingCollator(tokenizer, seed=0, whole_word_mask=True)
    loader = DataLoader(rows, batch_size=16, collate_fn=collator)
    model = new_model().eval()  # no dropout, so that runs can be compared
    optimizer = torch.optim.AdamW(model.parameters(), options.learning_rate)
    model, optimizer, loader = wrap(model, optimizer, loader)
    losses, labels = [], []
    for epoch in range(2):
        collator.set_epoch(epoch)
        for batch in loader:
            loss = model(**batch).loss
            backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            labels.append(batch["labels"].cpu())
    return losses, labels


# %% its losses
plain, labels = train()
print("losses", *(f"{loss:.3f}" for loss in plain))

# %% the loop holds
half = len(labels) // 2
chosen = [row != -100 for batch in labels[:half] for row in batch]
torn = 0
for row, hidden in zip(rows, chosen, strict=True):
    pairs = set(zip(row["word_ids"], hidden.tolist(), strict=False))
    torn += sum(
        (word, not yes) in pairs for word, yes in pairs if word is not None
    )
moved = sum(map(torch.equal, labels[:half], labels[half:]))
# the claims are about the default run; an unknown piece divides a word
torn, moved = (0, 0) if own else (torn, moved)
assert torn == 0, "No word is masked in part, though no piece begins with ##"
assert moved == 0, "The second epoch masks each batch in another way"

# %% with accelerate
accelerator = Accelerator(cpu=not own)
accelerated, same = train(accelerator.prepare, accelerator.backward)
apart = max(abs(a - b) for a, b in zip(plain, accelerated, strict=True))
if not own:
    assert all(map(torch.equal, labels, same)), (
        "accelerate's loop gets the same masks, batch by batch"
    )
    assert apart < 1e-5, "and the same loss in each step"

# %% heads of other models
if options.model is None:
    narrow = {"dim": 64, "hidden_dim": 96, "n_layers": 2, "n_heads": 4}
    vocab = {"vocab_size": len(tokenizer)}
    configs = [
        config,
        ElectraConfig(**size),
        DistilBertConfig(**vocab | narrow),
    ]
    pick = AutoModelForMaskedLM.from_config
    encoders = [pick(each).eval() for each in configs]
else:
    encoders = [new_model().eval()]
batch = MaskingCollator(tokenizer, seed=0)(
    [{"input_ids": row["input_ids"]} for row in rows[:16]]
)

# %% scored where a token is selected
loss_off = gradient_off = 0
for model in encoders:
    found = []
    whole = model(**batch)
    sparse = score_selected(model, batch)
    for loss in (whole.loss, sparse.loss):
        model.zero_grad()
        loss.backward()
        found.append([w.grad for w in model.parameters() if w.grad is not None])
    off = [(a - b).abs().max().item() for a, b in zip(*found, strict=True)]
    loss_off = max(loss_off, abs(whole.loss - sparse.loss).item())
    gradient_off = max(gradient_off, *off)
    scores = f"{tuple(whole.logits.shape)} -> {tuple(sparse.logits.shape)}"
    print(f"{type(model).__name__:24}{scores}")
scored = sparse.logits.shape[0] / whole.logits[..., 0].numel()
assert loss_off < 1e-5, "Scored at the selected positions, the loss is the same"
assert gradient_off < 1e-5, "So is the gradient of each weight"


# %% an encoder of torch
class Mine(nn.Module):
    """torch's encoder, and BERT's MLM head on what is selected."""

    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 96, dropout=0.0, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, 2, enable_nested_tensor=False
        )
        self.head = MLMHead(
            BertConfig(vocab_size=vocab_size, hidden_size=width)
        )

    def forward(self, input_ids, attention_mask, labels):
        hidden = self.encoder(
            self.embed(input_ids), src_key_padding_mask=attention_mask == 0
        )
        vectors, targets = select(hidden, labels)
        return nn.functional.cross_entropy(self.head(vectors), targets), hidden


# %% the same loss
mine = Mine(len(tokenizer))
sparse_loss, hidden = mine(
    batch["input_ids"], batch["attention_mask"], batch["labels"]
)
everywhere = mine.head(hidden).flatten(0, 1)
whole_loss = nn.functional.cross_entropy(
    everywhere, batch["labels"].flatten(), ignore_index=-100
)
mine_off = abs(sparse_loss - whole_loss).item()
assert mine_off < 1e-5, "torch's own loss over all positions is the same"

# %% names in a text
text = "Zoë Möller was in  São Paulo"
names = [(0, 10, "PER"), (19, 28, "LOC")]
tagset = bio_labels(["PER", "LOC"])


def by_offsets(tokenizer):
    """The way of most scripts: names that begin where a piece begins."""
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    starts = {start for start, end in offsets if end}
    return sum(start in starts for start, _, _ in names)


# %% names there and back
found, begun = {}, {}
kinds = {"byte-level BPE": byte_level(), "Unigram": unigram()}
if options.model is not None:
    kinds[options.model] = tokenizer
for name, each in kinds.items():
    numbers = encode_entities(each, [text], [names], tagset)["labels"][0]
    words = find_words(each([text]), 0, text)
    back = decode_entities(numbers.tolist(), words, tagset)
    found[name], begun[name] = back, by_offsets(each)
    cut = [text[start:end] for start, end, _ in back]
    print(f"{name}: {cut}; begun by a piece: {begun[name]} of {len(names)}")

# %% the names hold
assert all(back == names for back in found.values()), (
    "Labelled and read back, the names have their own characters"
)
if not own:
    assert max(begun.values()) < len(names), (
        "Pieces that carry their space begin before the second name"
    )

# %% words with tags
sentence = ["Zoë", "Möller", "was", "in", "São", "Paulo", "."]
tags = ["B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "O"]


def by_hand(tokenizer):
    """As in transformers' example scripts."""
    encoded = tokenizer([sentence], is_split_into_words=True)
    numbers, before = [], None
    for word in encoded.word_ids(0):
        new = word is not None and word != before
        numbers.append(tagset.index(tags[word]) if new else -100)
        before = word
    return numbers


# %% equal labels
equal = [
    encode_tags(each, [sentence], [tags], tagset)["labels"][0].tolist()
    == by_hand(each)
    for each in kinds.values()
]
assert all(equal), "Labels are those of transformers' example script"

# %%
values = {
    "scored": scored,
    "apart": apart,
    "loss_off": loss_off,
    "begun": max(begun.values()),
    "steps": len(plain),
}

# %% in your own project
import torch
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from bertlesson.collating import MaskingCollator
from bertlesson.sparse import score_selected

# or AutoTokenizer and AutoModelForMaskedLM.from_pretrained(...)
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
pieces += ["it", "rained", "again"]
tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
model = BertForMaskedLM(BertConfig(vocab_size=len(pieces), num_hidden_layers=1))
found = tokenizer(["It rained", "It rained again"] * 8)
rows = [{"input_ids": ids} for ids in found["input_ids"]]
collator = MaskingCollator(tokenizer, seed=0, at_least_one=True)
loader = DataLoader(rows, batch_size=4, shuffle=True, collate_fn=collator)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for epoch in range(2):
    collator.set_epoch(epoch)  # masks of its own for each epoch
    for batch in loader:
        loss = score_selected(model, batch).loss  # or model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
print(f"{len(loader)} batches an epoch")
