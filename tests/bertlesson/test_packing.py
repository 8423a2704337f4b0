"""Packed rows against the same texts padded: masks, loss and gradients, under each attention."""

from __future__ import annotations

import copy
import doctest
import gc
import inspect
import pickle
import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.data import DataLoader
from transformers import (
    AttentionInterface,
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    BertForMaskedLM,
    BertForPreTraining,
    BertTokenizer,
)
from transformers.utils import is_flash_attn_2_available

from bertlesson import packed_models, packing
from bertlesson.collating import MaskingCollator
from bertlesson.heads import MaskedLMModel
from bertlesson.masking import MaskingRecipe
from bertlesson.packed_models import KNOWN
from bertlesson.packing import PackingCollator, pack, pool_each_text
from bertlesson.pretraining import PretrainingModel
from tests.bertlesson.masking_batches import FIRST_PIECE, PIECES, VOCAB
from tests.bertlesson.small_bert import gradients, small_config, with_random_weights
from tests.bertlesson.trainer_worker import make_trainer

LENGTHS = (9, 4, 16, 5, 8, 7, 3, 12)  # special tokens included
ROW = 24  # more than the model's longest text
HALF = MaskingRecipe(select=0.5)
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def texts(lengths: Any = LENGTHS, *, pairs: bool = True, seed: int = 0) -> list[dict[str, Any]]:
    """Texts of words of two pieces, in two segments, with NSP labels."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, length in enumerate(lengths):
        ids = rng.integers(5, FIRST_PIECE, length - 2)
        ids[1::2] = rng.integers(FIRST_PIECE, VOCAB, len(ids[1::2]))
        row: dict[str, Any] = {
            "input_ids": [2, *ids.tolist(), 3],
            "token_type_ids": [0] * (length // 2) + [1] * (length - length // 2),
        }
        rows.append(row | ({"next_sentence_label": number % 2} if pairs else {}))
    return rows


def model_of(kind: Any = PretrainingModel, attention: str = "sdpa", **settings: Any) -> Any:
    config = small_config(vocab_size=VOCAB, **NO_DROPOUT)
    config._attn_implementation = attention
    model = with_random_weights(kind(config, **settings)).float()
    return pool_each_text(model) if model.base_model.pooler is not None else model


def packed_and_padded(
    tokenizer: BertTokenizer, model: Any, rows: Any, max_length: int | None = ROW, **options: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    settings: dict[str, Any] = {"seed": 0, "recipe": HALF} | options
    packer = PackingCollator(MaskingCollator(tokenizer, **settings), model, max_length)
    return dict(packer(rows)), dict(MaskingCollator(tokenizer, **settings)(rows))


def in_order(batch: dict[str, Any], key: str) -> list[list[int]]:
    """What each text of a packed batch has under a key, text by text as they are laid out."""
    found = []
    for row, starts in zip(batch[key].tolist(), batch["cls_positions"].tolist(), strict=True):
        starts = [start for start in starts if start >= 0]
        ends = [*starts[1:], len(row)]
        found += [row[start:end] for start, end in zip(starts, ends, strict=True)]
    return found


def assert_equal_training(model: Any, packed: dict[str, Any], padded: dict[str, Any]) -> None:
    """The same loss, and the same gradient of each weight, to 1e-5 of the largest."""
    ours = model(**packed)
    of_ours = gradients(model, ours.loss)
    theirs = model(**padded)
    of_theirs = gradients(model, theirs.loss)
    assert ours.loss.item() == pytest.approx(theirs.loss.item(), abs=1e-5)
    largest = max(float(each.abs().max()) for each in of_theirs.values())
    assert largest > 0
    for name, each in of_theirs.items():
        assert (of_ours[name] - each).abs().max() <= 1e-5 * max(largest, 1), name


# Packing


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(40, 70))
def test_rows_hold_each_text_once_and_no_row_is_too_long(lengths: list[int], longest: int) -> None:
    rows = pack(lengths, longest)
    assert sorted(number for row in rows for number in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[number] for number in row) <= longest for row in rows)
    assert rows == sorted(sorted(row) for row in rows) == pack(lengths, longest)
    # of two rows that are at most half full one is not needed
    assert sum(sum(lengths[n] for n in row) <= longest / 2 for row in rows) <= 1 or not rows
    assert len(rows) <= 11 / 9 * -(-sum(lengths) // longest) * 1.5 + 1


@pytest.mark.parametrize(
    ("name", "at_least"), [("uniform", 0.97), ("skewed", 0.99), ("halves and a bit", 0.5)]
)
def test_how_full_rows_get(name: str, at_least: float) -> None:
    rng = np.random.default_rng(0)
    lengths = {
        "uniform": rng.integers(1, 129, 2_000),
        "skewed": np.clip(rng.lognormal(3.2, 0.7, 2_000), 1, 128).astype(int),
        "halves and a bit": np.full(2_000, 65),
    }[name]
    rows = pack(lengths.tolist(), 128)
    assert lengths.sum() / (len(rows) * 128) >= at_least


def test_rows_are_filled_evenly_where_that_takes_no_more_of_them() -> None:
    assert [len(row) for row in pack([10] * 12, 100)] == [6, 6]
    assert pack([], 10) == []


@pytest.mark.slow
def test_the_time_grows_with_the_number_of_texts_and_not_with_its_square() -> None:
    lengths = np.random.default_rng(0).integers(1, 513, 4_000).tolist()
    seconds = []
    gc.disable()  # what other tests have left takes longer to go through than all of this
    for times in (1, 8):
        start = time.process_time()
        pack(lengths * times, 512)
        seconds.append(time.process_time() - start)
    gc.enable()
    assert seconds[1] < 24 * seconds[0] + 0.2


@pytest.mark.parametrize(
    ("lengths", "longest", "message"),
    [
        ([3, 12], 10, r"text 1 has 12 tokens; expected 1 to 10, .*: truncate"),
        ([3, 0], 10, r"text 1 has 0 tokens; expected 1 to 10, .*: leave it out"),
        ([3], 0, r"max_length is 0; expected a whole number, 1 or more"),
    ],
)
def test_what_fits_into_no_row_is_refused(lengths: Any, longest: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack(lengths, longest)


# The batch


@pytest.mark.parametrize("options", [{}, {"whole_word_mask": True}, {"max_predictions_per_seq": 3}])
def test_each_text_is_masked_as_without_packing(
    tokenizer: BertTokenizer, options: dict[str, Any]
) -> None:
    rows = texts()
    packed, padded = packed_and_padded(tokenizer, model_of(), rows, **options)
    order = [number for row in pack(LENGTHS, ROW) for number in row]
    assert order != sorted(order)
    assert len(packed["input_ids"]) == 3
    for key in ("input_ids", "labels", "token_type_ids"):
        for number, found in zip(order, in_order(packed, key), strict=True):
            expected = padded[key][number, : LENGTHS[number]].tolist()
            assert found[: LENGTHS[number]] == expected
            assert set(found[LENGTHS[number] :]) <= {-100 if key == "labels" else 0}
    labels = packed["next_sentence_label"]
    assert labels[labels != -100].tolist() == [number % 2 for number in order]
    assert (labels != -100).tolist() == (packed["cls_positions"] >= 0).tolist()


def test_positions_start_again_and_the_mask_ends_at_borders(tokenizer: BertTokenizer) -> None:
    packed, _ = packed_and_padded(tokenizer, model_of(), texts([3, 4, 5, 3]), 9)
    assert packed["position_ids"].tolist() == [
        [0, 1, 2, 0, 1, 2, 3, 0],
        [0, 1, 2, 3, 4, 0, 1, 2],
    ]
    text_of = torch.tensor([[0, 0, 0, 1, 1, 1, 1, -1], [0, 0, 0, 0, 0, 1, 1, 1]])
    mask = packed["attention_mask"]
    assert mask.shape == (2, 1, 8, 8)
    assert torch.equal(mask[:, 0], text_of[:, :, None] == text_of[:, None, :])


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_mask_is_of_the_kind_that_the_attention_takes(
    tokenizer: BertTokenizer, attention: str
) -> None:
    packed, _ = packed_and_padded(tokenizer, model_of(attention=attention), texts())
    mask = packed["attention_mask"]
    assert mask.dtype == (torch.bool if attention == "sdpa" else torch.float32)
    assert mask.shape == (3, 1, packed["input_ids"].shape[1], packed["input_ids"].shape[1])
    if attention == "eager":
        assert set(mask.unique().tolist()) == {0.0, torch.finfo(torch.float32).min}


def test_rows_are_no_wider_than_the_longest_text_by_default(tokenizer: BertTokenizer) -> None:
    packed, padded = packed_and_padded(tokenizer, model_of(), texts(), None)
    assert packed["input_ids"].shape[1] <= padded["input_ids"].shape[1] == 16
    assert packed["input_ids"].shape[0] == 4 < padded["input_ids"].shape[0]


def test_rows_that_cannot_be_shared_are_padded_as_ever(tokenizer: BertTokenizer) -> None:
    model = model_of()
    packed, padded = packed_and_padded(tokenizer, model, texts([12, 11, 12]), 16)
    for key in ("input_ids", "labels", "token_type_ids", "attention_mask"):
        assert torch.equal(packed[key], padded[key]), key
    assert packed["next_sentence_label"].tolist() == [[0], [1], [0]]
    assert_equal_training(model, packed, padded)


def test_padding_that_is_there_already_is_taken_out(tokenizer: BertTokenizer) -> None:
    rows = texts()
    for row in rows:
        missing = 16 - len(row["input_ids"])
        row["attention_mask"] = [1] * len(row["input_ids"]) + [0] * missing
        row["input_ids"] = row["input_ids"] + [0] * missing
        row["token_type_ids"] = row["token_type_ids"] + [0] * missing
    plain, _ = packed_and_padded(tokenizer, model_of(), texts())
    packed, _ = packed_and_padded(tokenizer, model_of(), rows)
    assert packed["cls_positions"].tolist() == plain["cls_positions"].tolist()
    assert packed["position_ids"].tolist() == plain["position_ids"].tolist()
    left = BertTokenizer(vocab={p: i for i, p in enumerate(PIECES)}, padding_side="left")
    assert in_order(packed_and_padded(left, model_of(), texts())[0], "position_ids") == in_order(
        plain, "position_ids"
    )


def test_widths_and_frameworks_are_those_of_the_masking_collator(tokenizer: BertTokenizer) -> None:
    masking = MaskingCollator(tokenizer, seed=0, pad_to_multiple_of=10, return_tensors="np")
    batch = PackingCollator(masking, model_of(), ROW)(texts())
    assert batch["input_ids"].shape == (3, 30)
    assert all(isinstance(each, np.ndarray) for each in batch.values())
    assert isinstance(PackingCollator(masking, model_of())(texts(), "pt")["labels"], Tensor)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attention_mask": [1, 1, 0, 1, 1]}, r"text 0 .* 4 tokens .*, in 5 positions; .* no gap"),
        ({"attention_mask": [0] * 5}, r"text 0 of the batch has 0 tokens .*: leave it out"),
        ({"length": 5}, r"the rows have \['length'\]; expected input_ids, .*: drop the others"),
        ({"next_sentence_label": [0, 1]}, r"next_sentence_label has shape \(1, 2\); expected one"),
    ],
)
def test_a_batch_that_cannot_be_packed_is_refused(
    tokenizer: BertTokenizer, change: dict[str, Any], message: str
) -> None:
    rows = [texts([5])[0] | change]
    with pytest.raises(ValueError, match=message):
        PackingCollator(MaskingCollator(tokenizer), model_of())(rows)


def test_a_text_longer_than_a_row_is_refused(tokenizer: BertTokenizer) -> None:
    message = (
        "text 2 has 16 tokens; expected 1 to 12, the length of a row: truncate it when you tokenize"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        PackingCollator(MaskingCollator(tokenizer), model_of(), 12)(texts())


def test_nsp_labels_need_a_model_that_reads_each_cls(tokenizer: BertTokenizer) -> None:
    model = PretrainingModel(small_config(vocab_size=VOCAB))
    packer = PackingCollator(MaskingCollator(tokenizer), model)
    packer(texts(pairs=False))
    message = (
        "the rows have next_sentence_label, and the model reads only the first [CLS] of a row; "
        "expected one that reads each: call pool_each_text(model) before you make the "
        "PackingCollator, or leave the labels out"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        packer(texts())


# Models


def test_a_model_that_would_mix_texts_is_refused(tokenizer: BertTokenizer) -> None:
    masking = MaskingCollator(tokenizer)
    size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    config = AutoConfig.for_model("convbert", vocab_size=VOCAB, **size)
    message = (
        "of type 'convbert'; expected one that is known to keep packed texts apart, albert, bert, "
        r"[\w ,-]*, xlm-roberta: use MaskingCollator, which pads$"
    )
    with pytest.raises(ValueError, match=message):
        PackingCollator(masking, AutoModelForMaskedLM.from_config(config))
    model = model_of(MaskedLMModel, attention="flex_attention")
    message = r"is 'flex_attention'; .* call model\.set_attn_implementation\('sdpa'\)$"
    with pytest.raises(ValueError, match=message):
        PackingCollator(masking, model)
    with pytest.raises(TypeError, match=r"model is dict; expected a model of transformers"):
        PackingCollator(masking, {})  # type: ignore[arg-type]
    message = (
        "masking is BertTokenizer; expected a MaskingCollator: "
        "PackingCollator(MaskingCollator(tokenizer), model)"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        PackingCollator(tokenizer, model_of())  # type: ignore[arg-type]


def test_a_model_without_a_pooler_is_refused() -> None:
    config = AutoConfig.for_model("distilbert", vocab_size=VOCAB, dim=8, n_heads=1, n_layers=1)
    distil = AutoModelForMaskedLM.from_config(config)  # its encoder has no such attribute at all
    for model in (MaskedLMModel(small_config()), distil):
        message = (
            rf"^{type(model).__name__} has no pooler; expected one, to score each text by its "
            r"\[CLS\]: without NSP, a model needs no change for packed rows$"
        )
        with pytest.raises(ValueError, match=message):
            pool_each_text(model)


@pytest.mark.parametrize("kind", ["albert", "megatron-bert"])
def test_a_pooler_that_is_called_otherwise_is_refused(kind: str) -> None:
    size: dict[str, Any] = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    model = AutoModel.from_config(AutoConfig.for_model(kind, vocab_size=VOCAB, **size))
    message = (
        f"^the model is of type '{kind}'; expected one whose pooler is known to read each text, "
        "bert or ernie: for others, use MaskingCollator, which pads$"
    )
    with pytest.raises(ValueError, match=message):
        pool_each_text(model)


def test_a_call_twice_is_one_call_and_models_can_be_copied() -> None:
    model = model_of()
    assert pool_each_text(model) is model
    assert len(model.bert._forward_hooks) == 1
    ids = torch.ones(2, 5, dtype=torch.int64)
    positions = torch.tensor([[0, 2], [0, -1]])
    expected = model(ids, cls_positions=positions).seq_relationship_logits
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(ids, cls_positions=positions).seq_relationship_logits, expected)
    # without positions it is the model that it was
    assert model(ids).seq_relationship_logits.shape == (2, 2)


# Loss and gradients


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("max_length", [None, ROW, 64])
@pytest.mark.parametrize("kind", [PretrainingModel, BertForPreTraining])
def test_both_objectives_are_those_of_the_texts_alone(
    tokenizer: BertTokenizer, kind: Any, max_length: int | None, attention: str
) -> None:
    model = model_of(kind, attention)
    packed, padded = packed_and_padded(tokenizer, model, texts(), max_length)
    assert packed["attention_mask"].dim() == 4
    assert_equal_training(model, packed, padded)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_batch_is_that_of_each_text_by_itself(tokenizer: BertTokenizer, attention: str) -> None:
    model = model_of(attention=attention)
    rows = texts()
    packed, padded = packed_and_padded(tokenizer, model, rows)
    mlm, nsp, selected = 0.0, 0.0, 0
    for number, length in enumerate(LENGTHS):
        ids, labels = padded["input_ids"][number, :length], padded["labels"][number, :length]
        alone = model(
            ids[None],
            token_type_ids=padded["token_type_ids"][number, None, :length],
            labels=labels[None],
            next_sentence_label=torch.tensor([number % 2]),
        )
        count = int((labels != -100).sum())
        mlm += alone.mlm_loss.item() * count
        nsp += alone.nsp_loss.item() / len(LENGTHS)
        selected += count
    output = model(**packed)
    assert output.mlm_loss.item() == pytest.approx(mlm / selected, abs=1e-5)
    assert output.nsp_loss.item() == pytest.approx(nsp, abs=1e-5)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", [MaskedLMModel, BertForMaskedLM])
def test_models_without_a_pooler_take_the_batch_as_it_is(
    tokenizer: BertTokenizer, kind: Any, attention: str
) -> None:
    model = model_of(kind, attention)
    assert_equal_training(model, *packed_and_padded(tokenizer, model, texts(pairs=False)))


def test_a_pooler_that_does_not_read_each_text_refuses_them() -> None:
    model = PretrainingModel(small_config(vocab_size=VOCAB))
    given = {"input_ids": torch.ones(1, 9, dtype=torch.int64), "cls_positions": torch.tensor([[0]])}
    with pytest.raises(
        TypeError, match=r"^forward\(\) got cls_positions, which BertModel takes and"
    ):
        model(**given)
    assert pool_each_text(model)(**given).seq_relationship_logits.shape == (1, 1, 2)


@pytest.mark.parametrize("kind", sorted(KNOWN))
def test_encoders_that_are_known_keep_texts_apart(tokenizer: BertTokenizer, kind: str) -> None:
    size: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    size["pad_token_id"] = 0
    size |= {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32} if "distil" in kind else {}
    config = AutoConfig.for_model(
        kind, vocab_size=VOCAB, intermediate_size=32, max_position_embeddings=40, **size
    )
    if kind == "modernbert":  # a window narrower than the texts
        size |= {"local_attention": 6, "global_attn_every_n_layers": 2}
        size |= {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 2, "sep_token_id": 3}
        config = AutoConfig.for_model(kind, vocab_size=VOCAB, intermediate_size=32, **size)
        assert config.sliding_window == 3
    rows = [{"input_ids": row["input_ids"]} for row in texts()]
    eager = AutoModelForMaskedLM.from_config(config, attn_implementation="eager")
    for attention in ("eager", "sdpa") if eager._supports_sdpa else ("eager",):
        model = AutoModelForMaskedLM.from_config(config, attn_implementation=attention)
        model = with_random_weights(model).float()
        packed, padded = packed_and_padded(tokenizer, model, rows, 32)
        with torch.no_grad():
            ours, theirs = model(**packed).loss, model(**padded).loss
        assert ours.item() == pytest.approx(theirs.item(), abs=2e-5)


def test_the_loss_is_that_of_the_texts_under_autocast(tokenizer: BertTokenizer) -> None:
    for attention in ("sdpa", "eager"):
        model = model_of(attention=attention)
        packed, padded = packed_and_padded(tokenizer, model, texts())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            ours, theirs = model(**packed).loss.item(), model(**padded).loss.item()
        assert ours == pytest.approx(theirs, abs=0.05)


def test_gradient_checkpointing_changes_nothing(tokenizer: BertTokenizer) -> None:
    model = model_of().train()
    packed, _ = packed_and_padded(tokenizer, model, texts())
    plain = gradients(model, model(**packed).loss)
    model.gradient_checkpointing_enable()
    for name, each in gradients(model, model(**packed).loss).items():
        torch.testing.assert_close(each, plain[name])


# Faults that a test of equal losses must see


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(
    "fault",
    ["no mask", "mask of ones", "positions go on", "boolean mask", "labels of one row", "one off"],
)
def test_a_fault_shows(tokenizer: BertTokenizer, attention: str, fault: str) -> None:
    model = model_of(attention=attention)
    packed, padded = packed_and_padded(tokenizer, model, texts())
    assert_equal_training(model, packed, padded)
    mask = packed["attention_mask"]
    if fault == "no mask":
        del packed["attention_mask"]
    elif fault == "mask of ones":
        packed["attention_mask"] = torch.ones_like(packed["input_ids"])
    elif fault == "positions go on":
        model.config.max_position_embeddings = ROW
        table = model.bert.embeddings.position_embeddings
        table.weight = torch.nn.Parameter(torch.cat([table.weight, table.weight]).detach())
        packed["position_ids"] = torch.arange(mask.shape[-1]).expand(len(mask), -1)
    elif fault == "boolean mask":
        if attention == "sdpa":
            pytest.skip("a boolean mask is what SDPA takes")
        packed["attention_mask"] = mask == 0
    elif fault == "labels of one row":
        packed["cls_positions"] = torch.zeros_like(packed["cls_positions"])
    else:
        packed["attention_mask"] = mask.roll((1, 1), dims=(2, 3))
    with pytest.raises(AssertionError):
        assert_equal_training(model, packed, padded)


# Flash attention


def varlen_attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, **given: Any
) -> tuple[Tensor, None]:
    """What a varlen kernel computes, text by text, from the arguments it is called with."""
    assert attention_mask is None
    borders = given["cu_seq_lens_q"]
    assert borders.dtype == torch.int32
    assert torch.equal(borders, given["cu_seq_lens_k"])
    assert given["max_length_q"] == given["max_length_k"] == int(borders.diff().max())
    assert borders[-1] == query.shape[2]
    parts = [
        scaled_dot_product_attention(*(each[:, :, start:end] for each in (query, key, value)))
        for start, end in pairwise(borders.tolist())
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def test_a_varlen_kernel_gets_the_borders_and_no_padding(tokenizer: BertTokenizer) -> None:
    AttentionInterface.register("flash_stand_in", varlen_attention)
    model = model_of()
    model.config._attn_implementation = "flash_stand_in"
    packed, _ = packed_and_padded(tokenizer, model, texts())
    assert packed["input_ids"].shape == (1, sum(LENGTHS))
    assert packed["cu_seq_lens_q"].tolist() == np.cumsum([0, *LENGTHS]).tolist()
    assert packed["max_length_q"] == 16
    assert "attention_mask" not in packed
    output = model(**packed)
    ours = gradients(model, output.loss)
    model.config._attn_implementation = "sdpa"
    expected = model(**packed_and_padded(tokenizer, model, texts())[1])
    assert output.loss.item() == pytest.approx(expected.loss.item(), abs=1e-5)
    for name, each in gradients(model, expected.loss).items():
        torch.testing.assert_close(ours[name], each, rtol=1e-4, atol=1e-4)


def test_the_arguments_of_a_varlen_kernel_are_those_of_transformers() -> None:
    flash = transformers.modeling_flash_attention_utils
    names = set(flash.FlashAttentionKwargs.__annotations__)
    assert names == {"cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k"}
    assert names <= set(inspect.signature(flash._flash_attention_forward).parameters)


@pytest.mark.skipif(
    not is_flash_attn_2_available(), reason="flash-attn and a GPU that it runs on are not here"
)
def test_flash_attention_gives_the_loss_of_sdpa(tokenizer: BertTokenizer) -> None:
    config = small_config(vocab_size=VOCAB, hidden_size=64, **NO_DROPOUT)
    model = pool_each_text(PretrainingModel(config)).to("cuda", torch.bfloat16)
    _, padded = packed_and_padded(tokenizer, model, texts())
    expected = model(**{key: each.cuda() for key, each in padded.items()}).loss.item()
    model.set_attn_implementation("flash_attention_2")
    packed, _ = packed_and_padded(tokenizer, model, texts())
    on_gpu = {k: each.cuda() if isinstance(each, Tensor) else each for k, each in packed.items()}
    assert model(**on_gpu).loss.item() == pytest.approx(expected, abs=0.05)


# In a loader and under Trainer


@pytest.mark.slow
def test_masks_in_a_loader_are_those_without_packing(tokenizer: BertTokenizer) -> None:
    rows = texts([5, 9, 4, 7, 16, 3, 8, 6])

    def labels(collator: Any, workers: int) -> list[list[int]]:
        collator.set_epoch(3)
        loader = DataLoader(rows, batch_size=4, collate_fn=collator, num_workers=workers)  # type: ignore[arg-type]
        return [sorted(batch["labels"][batch["labels"] != -100].tolist()) for batch in loader]

    settings: dict[str, Any] = {"seed": 5, "recipe": HALF}
    expected = labels(MaskingCollator(tokenizer, **settings), 0)
    for workers in (0, 2):
        packer = PackingCollator(MaskingCollator(tokenizer, **settings), model_of(), ROW)
        assert labels(packer, workers) == expected


@pytest.mark.slow
def test_a_run_of_trainer_ends_with_the_weights_of_one_that_pads(
    tokenizer: BertTokenizer, tmp_path: Path
) -> None:
    rows = [row | {"not an argument": 1} for row in texts(LENGTHS * 2)]
    ended = {}
    for form in ("packed", "padded"):
        model = model_of()
        collator: Any = MaskingCollator(tokenizer, HALF, seed=0)
        if form == "packed":
            collator = PackingCollator(collator, model, ROW)
        trainer = make_trainer(
            model,
            train_dataset=rows,
            eval_dataset=rows,
            data_collator=collator,
            per_device_train_batch_size=4,
            per_device_eval_batch_size=8,
            gradient_accumulation_steps=2,
            num_train_epochs=2,
            learning_rate=1e-3,
            optim="sgd",
        )
        trainer.train()
        found = trainer.evaluate()["eval_loss"]
        ended[form] = [*(each.detach() for each in model.parameters()), torch.tensor(found)]
    for ours, theirs in zip(ended["packed"], ended["padded"], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5)
    # what is saved is a checkpoint like any other
    model.save_pretrained(tmp_path)
    again = BertForPreTraining.from_pretrained(tmp_path)
    assert torch.equal(again.bert.pooler.dense.weight, model.bert.pooler.dense.weight)
    PretrainingModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("module", [packing, packed_models])
def test_the_docstrings_run(module: Any) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted
    assert not outcome.failed


def test_nothing_takes_no_row() -> None:
    assert pack([], 5) == []


def test_the_place_in_the_training_is_that_of_the_masking_collator(
    tokenizer: BertTokenizer,
) -> None:
    masking = MaskingCollator(tokenizer, seed=1)
    collator = PackingCollator(masking, model_of())
    collator.set_epoch(3, 2)
    assert masking._draws is not None
    assert masking._draws._announced.tolist() == [1, 3, 2, 0]
