"""A masking collator as people write them, right, and with one thing wrong at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import BertTokenizer

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{i}" for i in range(400))]
PIECES += [f"start{i}" for i in range(50)] + [f"##end{i}" for i in range(50)]
PAD, UNK, CLS, SEP, MASK = range(5)


def make_tokenizer() -> BertTokenizer:
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)}, model_max_length=128)


def make_texts(texts: int = 150, *, least: int = 12, most: int = 60, seed: int = 0) -> list[str]:
    """Words, a fifth of them of two pieces."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(texts):
        words = [
            f"start{random.integers(50)}end{random.integers(50)}"
            if random.random() < 0.2
            else f"word{random.integers(400)}"
            for _ in range(random.integers(least, most))
        ]
        made.append(" ".join(words))
    return made


class Right:
    """Pads on the right; draws from torch's own generator."""

    def __init__(self, tokenizer: BertTokenizer) -> None:
        self.tokenizer = tokenizer

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Tensor]:
        width = max(len(row["input_ids"]) for row in features)
        ids = torch.tensor([row["input_ids"] + [PAD] * (width - len(row["input_ids"]))
                            for row in features])  # fmt: skip
        self.begin()
        selected = self.select(ids, self.candidates(ids))
        seen = self.replace(ids, selected)
        labels = torch.where(selected, ids, -100)
        batch = {"input_ids": seen, "attention_mask": (ids != PAD).long(), "labels": labels}
        return self.finish(batch, features)

    def begin(self) -> None:
        pass

    def rand(self, shape: Any) -> Tensor:
        return torch.rand(shape)

    def candidates(self, ids: Tensor) -> Tensor:
        return (ids != PAD) & (ids != CLS) & (ids != SEP)

    def select(self, ids: Tensor, candidates: Tensor) -> Tensor:
        return candidates & (self.rand(ids.shape) < 0.15)

    def random_ids(self, shape: Any) -> Tensor:
        return torch.randint(len(self.tokenizer), shape)

    def replace(self, ids: Tensor, selected: Tensor) -> Tensor:
        fate = self.rand(ids.shape)
        seen = torch.where(selected & (fate < 0.8), MASK, ids)
        return torch.where(selected & (fate >= 0.9), self.random_ids(ids.shape), seen)

    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        return batch


class SelectsCls(Right):
    def candidates(self, ids: Tensor) -> Tensor:
        return (ids != PAD) & (ids != SEP)


class SelectsPadding(Right):
    def candidates(self, ids: Tensor) -> Tensor:
        return (ids != CLS) & (ids != SEP)


class RandomFromASlice(Right):
    def random_ids(self, shape: Any) -> Tensor:
        return torch.randint(len(self.tokenizer) // 2, shape)


class OddRandomIds(Right):
    """Half of the vocabulary, in no one stretch."""

    def random_ids(self, shape: Any) -> Tensor:
        return torch.randint(len(self.tokenizer) // 2, shape) * 2 + 1


class RandomOutside(Right):
    def random_ids(self, shape: Any) -> Tensor:
        return torch.randint(len(self.tokenizer) + 20, shape)


class RandomFavourites(Right):
    """As if drawn by frequency: some words take most of the draws."""

    def random_ids(self, shape: Any) -> Tensor:
        return (self.rand(shape) ** 8 * len(self.tokenizer)).long()


class SameInEachEpoch(Right):
    """Its draws are decided by the row alone: masked once and for all."""

    def select(self, ids: Tensor, candidates: Tensor) -> Tensor:
        rows = [
            torch.rand(len(row), generator=torch.Generator().manual_seed(int((row * row).sum())))
            for row in ids
        ]
        return candidates & (torch.stack(rows) < 0.15)


class ReseedsEachCall(Right):
    def begin(self) -> None:
        torch.manual_seed(42)


class WorkersRepeat(Right):
    """A generator of numpy's in the collator: each worker gets a copy of it, in each epoch."""

    def __init__(self, tokenizer: BertTokenizer) -> None:
        super().__init__(tokenizer)
        self.generator = np.random.default_rng(0)

    def rand(self, shape: Any) -> Tensor:
        return torch.from_numpy(self.generator.random(tuple(shape), dtype=np.float32))


class WorkersRepeatInEachEpoch(WorkersRepeat):
    """As transformers' with a seed: workers differ, and each epoch starts them again."""

    seeded = False

    def begin(self) -> None:
        info = torch.utils.data.get_worker_info()
        if info is not None and not self.seeded:
            self.generator, self.seeded = np.random.default_rng(info.id), True


class TenthOfTheRest(Right):
    """A tenth of what is left after the masked 80% becomes random: 80, 2, 18."""

    def replace(self, ids: Tensor, selected: Tensor) -> Tensor:
        masked = selected & (self.rand(ids.shape) < 0.8)
        to_random = selected & ~masked & (self.rand(ids.shape) < 0.1)
        seen = torch.where(masked, MASK, ids)
        return torch.where(to_random, self.random_ids(ids.shape), seen)


class EightyOneTenNine(Right):
    """One draw after another: 81, 10, 9."""

    def replace(self, ids: Tensor, selected: Tensor) -> Tensor:
        to_random = selected & (self.rand(ids.shape) < 0.1)
        to_keep = selected & ~to_random & (self.rand(ids.shape) < 0.1)
        seen = torch.where(selected & ~to_random & ~to_keep, MASK, ids)
        return torch.where(to_random, self.random_ids(ids.shape), seen)


class SelectsAFifth(Right):
    def select(self, ids: Tensor, candidates: Tensor) -> Tensor:
        return candidates & (self.rand(ids.shape) < 0.2)


class LabelsOneOff(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        labels = torch.full_like(batch["labels"], -100)
        labels[:, 1:] = batch["labels"][:, :-1]
        return batch | {"labels": labels}


class LabelsAfterMasking(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        seen = torch.where(batch["labels"] >= 0, batch["input_ids"], -100)
        return batch | {"labels": seen}


class LabelsMinusOne(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        return batch | {"labels": batch["labels"].clamp(min=-1)}


class NoTargetInShortRows(Right):
    def select(self, ids: Tensor, candidates: Tensor) -> Tensor:
        long = candidates.sum(1, keepdim=True) >= 20
        return super().select(ids, candidates) & long


class WholeWordsTorn(Right):
    whole_word_mask = True


class ChangesItsInput(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        for row, seen in zip(features, batch["input_ids"], strict=True):
            row["input_ids"][:] = seen.tolist()[: len(row["input_ids"])]
        return batch


class LabelsInInt32(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        return {name: tensor.int() for name, tensor in batch.items()}


class ChangesWithoutALabel(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        mistaken = self.candidates(batch["input_ids"]) & (batch["labels"] < 0)
        mistaken &= self.rand(mistaken.shape) < 0.01
        return batch | {"input_ids": torch.where(mistaken, MASK, batch["input_ids"])}


class AttendsToPadding(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        return batch | {"attention_mask": torch.ones_like(batch["attention_mask"])}


class DropsARow(Right):
    def finish(self, batch: dict[str, Tensor], features: Any) -> dict[str, Tensor]:
        return {name: tensor[1:] for name, tensor in batch.items()}


# and what is right, in ways of its own


class ByItsCount(Right):
    """The same count in each row of a length, as the reference: rounded."""

    def select(self, ids: Tensor, candidates: Tensor) -> Tensor:
        tickets = torch.where(candidates, self.rand(ids.shape), 2.0)
        counts = ((ids != PAD).sum(1) * 0.15).round().clamp(min=1).long()
        last = tickets.sort(1).values.gather(1, counts[:, None] - 1)
        return candidates & (tickets <= last)


class Spans(Right):
    """Three neighbours at a time, about 15%."""

    def select(self, ids: Tensor, candidates: Tensor) -> Tensor:
        begins = self.rand(ids.shape) < 1 - 0.85 ** (1 / 3)
        chosen = begins.clone()
        chosen[:, 1:] |= begins[:, :-1]
        chosen[:, 2:] |= begins[:, :-2]
        chosen[:, 1] = self.rand(ids.shape)[:, 1] < 0.15  # few begin before the row
        chosen[:, 2] = self.rand(ids.shape)[:, 2] < 0.15
        return candidates & chosen


class OneFateForARow(Right):
    """The fate is drawn once for each row: dependent, and with the right shares."""

    def replace(self, ids: Tensor, selected: Tensor) -> Tensor:
        fate = self.rand((len(ids), 1)).expand(ids.shape)
        seen = torch.where(selected & (fate < 0.8), MASK, ids)
        return torch.where(selected & (fate >= 0.9), self.random_ids(ids.shape), seen)
