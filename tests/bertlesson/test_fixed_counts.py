"""A fixed number of predictions a row: the same loss, and one compilation."""

from __future__ import annotations

import copy
import doctest
import inspect
import pickle
from pathlib import Path
from types import MethodType
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounter
from torch._dynamo.utils import counters
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    BartConfig,
    BartForConditionalGeneration,
    BertForMaskedLM,
    BertForPreTraining,
    BertModel,
    BertTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
)

from bertlesson import fixed_counts
from bertlesson.collating import MaskingCollator
from bertlesson.fixed_counts import FixedCountCollator, gather_predictions, score_at_positions
from bertlesson.heads import MaskedLMModel
from bertlesson.masking import MaskingRecipe
from bertlesson.packing import pool_each_text
from bertlesson.pretraining import PretrainingModel
from tests.bertlesson.masking_batches import FIRST_PIECE, PIECES, VOCAB
from tests.bertlesson.small_bert import small_config, with_random_weights

LENGTH, COUNT = 16, 5
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
SMALL_BART = BartConfig(
    vocab_size=VOCAB, d_model=8, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=8,
    decoder_ffn_dim=8, encoder_attention_heads=1, decoder_attention_heads=1, pad_token_id=0,
    bos_token_id=2, eos_token_id=3, decoder_start_token_id=2, forced_eos_token_id=3,
)  # fmt: skip
KINDS = [PretrainingModel, MaskedLMModel, BertForPreTraining, BertForMaskedLM]


@pytest.fixture(autouse=True)
def _compiles_from_scratch() -> None:
    torch._dynamo.reset()
    counters.clear()


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})


def model_of(kind: Any, **settings: Any) -> Any:
    """A small model in training mode, in float32."""
    config = small_config(vocab_size=VOCAB, num_hidden_layers=1, **NO_DROPOUT)
    return with_random_weights(kind(config, **settings)).float().train()


def masked(seed: int = 0, *, rows: int = 4, pairs: bool = False) -> dict[str, Tensor]:
    """Rows of all lengths with up to COUNT predictions each, the second without any."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, FIRST_PIECE, (rows, LENGTH), generator=generator)
    lengths = torch.randint(COUNT + 3, LENGTH + 1, (rows, 1), generator=generator)
    present = torch.arange(LENGTH) < lengths
    labels = torch.full_like(ids, -100)
    for row in range(rows):
        found = 0 if row == 1 else int(torch.randint(COUNT + 1, (), generator=generator))
        chosen = 1 + torch.randperm(int(lengths[row]) - 2, generator=generator)[:found]
        labels[row, chosen] = ids[row, chosen]
    batch = {
        "input_ids": ids.masked_fill(labels != -100, 4).masked_fill(~present, 0),
        "attention_mask": present.long(),
        "labels": labels,
    }
    if pairs:
        batch["next_sentence_label"] = torch.randint(2, (rows,), generator=generator)
    return batch


def unchanged(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """A collator for batches that are already masked."""
    return batch


def fixed(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(FixedCountCollator(unchanged, COUNT, LENGTH)(batch))


def reference_predictions(labels: list[int], count: int) -> tuple[Any, Any, Any]:
    """google-research/bert, create_pretraining_data.py, `write_instance_to_example_files`."""
    positions = [i for i, label in enumerate(labels) if label != -100]
    ids = [labels[i] for i in positions]
    weights = [1.0] * len(ids)
    while len(positions) < count:
        positions.append(0)
        ids.append(0)
        weights.append(0.0)
    return positions, ids, weights


def same(one: tuple[float, dict[str, Tensor]], other: tuple[float, dict[str, Tensor]]) -> bool:
    """Whether loss and gradients agree, to 1e-6 and 1e-5."""
    assert one[0] == pytest.approx(other[0], abs=1e-6)
    assert one[1].keys() == other[1].keys()
    return all((one[1][name] - other[1][name]).abs().max() < 1e-5 for name in one[1])


def loss_and_gradients(model: Any, batch: dict[str, Any], **more: Any) -> tuple[float, Any]:
    model.zero_grad()
    loss = model(**batch, **more).loss
    loss.backward()
    plain = getattr(model, "_orig_mod", model)
    found = {name: each.grad for name, each in plain.named_parameters() if each.grad is not None}
    return loss.item(), found


@pytest.mark.parametrize("seed", range(5))
def test_predictions_are_those_of_the_references_records(seed: int) -> None:
    labels = masked(seed)["labels"]
    expected = [reference_predictions(row, COUNT) for row in labels.tolist()]
    found = gather_predictions(labels, COUNT)
    assert list(zip(*(part.tolist() for part in found), strict=True)) == expected
    assert [part.dtype for part in found] == [torch.int64, torch.int64, torch.float32]


def test_there_may_be_more_predictions_than_positions_or_no_rows() -> None:
    found = gather_predictions(torch.tensor([[-100, 7]]), 4)
    assert found.positions.tolist() == [[1, 0, 0, 0]]
    assert gather_predictions(torch.zeros(0, 9, dtype=torch.int64), 4).ids.shape == (0, 4)


def test_id_zero_can_be_predicted() -> None:
    batch = fixed(masked() | {"labels": torch.tensor([[-100] * 3 + [0] + [-100] * 12])})
    assert batch["labels"].tolist() == [[0, -100, -100, -100, -100]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradients_are_those_of_all_positions(kind: Any, seed: int) -> None:
    batch = masked(seed, pairs=kind in (PretrainingModel, BertForPreTraining))
    model = model_of(kind)
    before = loss_and_gradients(model, batch)
    score_at_positions(model)
    assert same(loss_and_gradients(model, fixed(batch)), before)
    assert same(loss_and_gradients(model, batch), before)  # without positions


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_without_predictions_has_no_loss(kind: Any) -> None:
    batch = masked()
    batch["labels"].fill_(-100)
    loss, found = loss_and_gradients(score_at_positions(model_of(kind)), fixed(batch))
    assert loss == 0
    assert all((gradient == 0).all() for gradient in found.values())


def test_a_part_of_a_batch_has_its_share_of_the_loss() -> None:
    batch = masked(pairs=True)
    model = model_of(PretrainingModel, nsp_weight=0.25)
    before = loss_and_gradients(model, batch, num_items_in_batch=torch.tensor(30))
    score_at_positions(model)
    after = loss_and_gradients(model, fixed(batch), num_items_in_batch=torch.tensor(30))
    assert same(after, before)


def test_either_label_may_be_missing() -> None:
    batch = masked(pairs=True)
    model = model_of(PretrainingModel)
    for missing in ("labels", "next_sentence_label"):
        kept = {name: part for name, part in batch.items() if name != missing}
        before = loss_and_gradients(model, kept)
        given = {name: part for name, part in fixed(batch).items() if name != missing}
        assert same(loss_and_gradients(score_at_positions(copy.deepcopy(model)), given), before)
    both = {"labels", "next_sentence_label"}
    alone = {name: part for name, part in fixed(batch).items() if name not in both}
    output = score_at_positions(model)(**alone)
    assert output.loss is None
    assert output.prediction_logits.shape == (4, COUNT, VOCAB)


@pytest.mark.parametrize("items", [0, 1, 8])
def test_the_loss_is_divided_by_the_items_of_the_whole_batch(items: int) -> None:
    labels = torch.tensor([[-100, 7, *[-100] * (LENGTH - 2)]] * 2)
    batch = {"input_ids": torch.full_like(labels, 9), "labels": labels}
    gathered = dict(FixedCountCollator(unchanged, 1, LENGTH)(batch))
    assert gathered["labels"].tolist() == [[7], [7]]
    model = score_at_positions(model_of(PretrainingModel))
    whole = model(**gathered).loss.item()
    part = model(**gathered, num_items_in_batch=items).loss.item()
    assert part == pytest.approx(whole * 2 / max(items, 1))
    del gathered["labels"]  # without them, a row counts as an item
    gathered["next_sentence_label"] = torch.tensor([0, 1])
    whole = model(**gathered).loss.item()
    part = model(**gathered, num_items_in_batch=items).loss.item()
    assert part == pytest.approx(whole * 2 / max(items, 1))


def test_a_model_that_returns_tuples_by_default_is_scored_too() -> None:
    model = model_of(BertForMaskedLM)
    before = loss_and_gradients(model, masked())
    model.config.return_dict = False
    assert same(loss_and_gradients(score_at_positions(model), fixed(masked())), before)


def test_the_output_says_both_losses_where_it_has_them() -> None:
    output = score_at_positions(model_of(PretrainingModel))(**fixed(masked(pairs=True)))
    assert output.loss.item() == pytest.approx((output.mlm_loss + output.nsp_loss).item())
    assert next(iter(output)) == "loss"


@pytest.mark.parametrize(
    "kind",
    [
        *("albert", "distilbert", "electra", "modernbert", "roberta", "xlm-roberta"),
        *("deberta", "deberta-v2", "megatron-bert", "mpnet", "rembert"),  # which hide arguments
    ],
)
def test_other_encoders_have_the_same_loss(kind: str) -> None:
    size: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    size |= {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32} if "distil" in kind else {}
    config = AutoConfig.for_model(
        kind,
        vocab_size=VOCAB,
        intermediate_size=32,
        max_position_embeddings=40,
        pad_token_id=0,
        **size,
    )
    model = with_random_weights(AutoModelForMaskedLM.from_config(config)).float()
    batch = masked()
    before = loss_and_gradients(model, batch)
    assert same(loss_and_gradients(score_at_positions(model), fixed(batch)), before)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PretrainingModel, BertForPreTraining])
def test_fifty_batches_compile_once(kind: Any) -> None:
    counter = CompileCounter()
    model = score_at_positions(model_of(kind))
    compiled = torch.compile(model, backend=counter, fullgraph=True)
    for seed in range(50):
        batch = masked(seed, pairs=True)
        loss = compiled(**fixed(batch)).loss
        assert loss.item() == pytest.approx(model(**batch).loss.item(), abs=1e-6)
    assert counter.frame_count == 1
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]


@pytest.mark.slow
def test_selected_by_labels_it_compiles_more_than_once() -> None:
    counter = CompileCounter()
    compiled = torch.compile(model_of(PretrainingModel), backend=counter)
    compiled(**masked(pairs=True))
    assert counter.frame_count > 1
    assert counters["graph_break"]


@pytest.mark.slow
def test_a_compiled_step_has_the_same_gradients() -> None:
    model = score_at_positions(model_of(PretrainingModel))
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    for seed in range(2):
        batch = masked(seed, pairs=True)
        after = loss_and_gradients(compiled, fixed(batch))
        assert same(after, loss_and_gradients(model, batch))
    assert counters["stats"]["unique_graphs"] == 1


@pytest.mark.slow
def test_under_trainer_it_compiles_once(tokenizer: BertTokenizer, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(6, LENGTH + 1, (40,), generator=generator).tolist()
    rows = [
        {"input_ids": [2, *torch.randint(5, VOCAB, (n - 2,), generator=generator).tolist(), 3]}
        for n in lengths
    ]
    masking = MaskingCollator(
        tokenizer, seed=0, max_predictions_per_seq=COUNT, pad_to_multiple_of=LENGTH
    )

    def trained(kind: str | None) -> tuple[list[float], dict[str, Tensor]]:
        torch.manual_seed(0)
        model = model_of(PretrainingModel, nsp_weight=0)
        trainer = Trainer(
            score_at_positions(model) if kind else model,
            TrainingArguments(
                str(tmp_path / "run"),
                per_device_train_batch_size=4,
                per_device_eval_batch_size=4,
                gradient_accumulation_steps=2,
                num_train_epochs=2,
                logging_steps=1,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                prediction_loss_only=True,
                torch_compile=kind is not None,
                torch_compile_backend=kind,
            ),
            train_dataset=rows,
            eval_dataset=rows,
            data_collator=FixedCountCollator(masking, COUNT, LENGTH) if kind else masking,
        )
        trainer.train()
        logs = [*trainer.state.log_history, trainer.evaluate()]
        if kind:
            trainer.save_model(str(tmp_path / "model"))
            model = PretrainingModel.from_pretrained(tmp_path / "model")
        losses = [log[name] for log in logs for name in ("loss", "eval_loss") if name in log]
        return losses, model.state_dict()

    expected = trained(None)
    found = trained("aot_eager")
    assert found[0] == pytest.approx(expected[0], abs=1e-4)
    assert len(found[0]) == 11
    assert all((found[1][name] - part).abs().max() < 1e-5 for name, part in expected[1].items())
    assert counters["stats"]["unique_graphs"] == 1  # Trainer evaluates what is not compiled


def test_transformers_collator_can_be_wrapped(tokenizer: BertTokenizer) -> None:
    torch.manual_seed(0)
    masking = DataCollatorForLanguageModeling(tokenizer, pad_to_multiple_of=LENGTH)
    batch = FixedCountCollator(masking, LENGTH, LENGTH)([[2, *range(5, 15), 3], [2, 9, 3]])
    assert batch["labels"].shape == batch["masked_lm_positions"].shape == (2, LENGTH)
    assert batch["input_ids"].shape == (2, LENGTH)


def test_the_collators_count_never_exceeds_its_own(tokenizer: BertTokenizer) -> None:
    masking = MaskingCollator(
        tokenizer, MaskingRecipe(select=0.9), max_predictions_per_seq=3, pad_to_multiple_of=LENGTH
    )
    batch = FixedCountCollator(masking, 3, LENGTH)([[2, *range(5, 15), 3], [2, 9, 3]])
    assert (batch["labels"] != -100).sum(dim=1).tolist() == [3, 1]


def test_it_goes_with_the_model() -> None:
    batch = masked(pairs=True)
    for kind in KINDS[::2]:
        model = score_at_positions(score_at_positions(model_of(kind)))
        before = loss_and_gradients(model, batch)
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            with torch.no_grad():
                model.get_input_embeddings().weight += 1  # only the other is to be read
            assert same(loss_and_gradients(other, fixed(batch)), before)
            with torch.no_grad():
                model.get_input_embeddings().weight -= 1


class Wrapper(torch.nn.Module):
    """Around a model, as peft's are."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def get_base_model(self) -> Any:
        return self.inner

    def forward(self, **inputs: Any) -> Any:
        return self.inner(**inputs)


def test_the_model_may_be_wrapped_or_its_forward_bound_once_more() -> None:
    batch = masked()
    model = model_of(BertForMaskedLM)
    before = loss_and_gradients(model, batch)
    wrapped: Any = Wrapper(model)
    assert score_at_positions(wrapped) is wrapped
    assert wrapped(**fixed(batch)).loss.item() == pytest.approx(before[0], abs=1e-6)
    model.forward = MethodType(model.forward, model)  # as accelerate does with one in bf16
    assert same(loss_and_gradients(model, fixed(batch)), before)


def test_a_failed_batch_leaves_nothing_behind() -> None:
    model = score_at_positions(model_of(BertForMaskedLM))
    batch = masked()
    with pytest.raises(IndexError):
        model(**fixed(batch) | {"input_ids": batch["input_ids"] + VOCAB})
    assert model(input_ids=batch["input_ids"]).logits.shape == (*batch["input_ids"].shape, VOCAB)


def test_the_epoch_is_passed_on(tokenizer: BertTokenizer) -> None:
    masking = MaskingCollator(tokenizer, seed=0, max_predictions_per_seq=5)
    rows = [[2, *range(5, 25), 3]] * 4
    masking.set_epoch(7)
    expected = FixedCountCollator(masking, 5)(rows)
    collator = FixedCountCollator(MaskingCollator(tokenizer, seed=0, max_predictions_per_seq=5), 5)
    collator.set_epoch(7)
    assert torch.equal(collator(rows)["input_ids"], expected["input_ids"])
    FixedCountCollator(unchanged, 5).set_epoch(7)  # which has no epochs


@pytest.mark.parametrize("kind", KINDS)
def test_trainer_reads_the_same_signatures(kind: Any) -> None:
    model = model_of(kind)
    before = inspect.signature(model.forward), inspect.signature(type(model).forward)
    score_at_positions(model)
    after = inspect.signature(model.forward), inspect.signature(type(model).forward)
    assert after == before


def test_errors_say_what_to_do(tokenizer: BertTokenizer) -> None:
    labels = torch.full((2, 9), -100)
    labels[1, 2:6] = 7
    with pytest.raises(
        ValueError, match=r"row 1 .* has 4 predictions; expected at most 3: .*per_seq=3, or raise"
    ):
        gather_predictions(labels, 3)
    with pytest.raises(ValueError, match=r"labels are torch.float32 of shape \(2, 9\); expected"):
        gather_predictions(labels.float(), 3)
    with pytest.raises(ValueError, match=r"of shape \(9,\); expected torch.int64 of shape \(batch"):
        gather_predictions(labels[0], 3)
    with pytest.raises(ValueError, match=r"count .* 0"):
        gather_predictions(labels, 0)
    with pytest.raises(ValueError, match=r"count .* 0"):
        FixedCountCollator(unchanged, 0)
    with pytest.raises(ValueError, match=r"rows have 9 positions; expected 16: .*multiple_of=16"):
        FixedCountCollator(unchanged, 5, 16)({"labels": labels})
    with pytest.raises(ValueError, match=r"labels are NoneType; expected a tensor .*that masks"):
        FixedCountCollator(unchanged, 5)({"input_ids": labels})
    with pytest.raises(ValueError, match=r"labels are ndarray; expected a tensor"):
        FixedCountCollator(MaskingCollator(tokenizer, return_tensors="np"), 5)([[2, 7, 3]])
    with pytest.raises(ValueError, match=r"^BartFor.* decoder's inputs .*; expected an encoder"):
        score_at_positions(BartForConditionalGeneration(SMALL_BART))
    with pytest.raises(ValueError, match=r"BertModel has no head; expected .*AutoModelForMaskedLM"):
        score_at_positions(BertModel(small_config()))
    model = score_at_positions(model_of(MaskedLMModel))
    with pytest.raises(ValueError, match=r"given to a MaskedLMModel without an NSP head"):
        model(**fixed(masked(pairs=True)))
    with pytest.raises(ValueError, match=r"labels are torch.int64 of shape \(4, 16\); expected"):
        model(**fixed(masked()) | {"labels": masked()["labels"]})
    packed = score_at_positions(pool_each_text(model_of(PretrainingModel)))
    with pytest.raises(ValueError, match=r"cls_positions were given .*; expected one of them"):
        packed(**fixed(masked()), cls_positions=torch.zeros(4, 1, dtype=torch.int64))


def test_a_head_that_reads_something_else_is_refused() -> None:
    model = model_of(BertForMaskedLM)
    score_at_positions(model)
    model.cls.register_forward_hook(lambda head, given, scores: scores.new_zeros(4, LENGTH, VOCAB))
    with pytest.raises(ValueError, match=r"no scores for masked_lm_positions of shape \(4, 5\)"):
        model(**fixed(masked()))


def test_the_docstrings_examples_are_right() -> None:
    assert doctest.testmod(fixed_counts).failed == 0
