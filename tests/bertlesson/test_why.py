"""What a guess rests on, in any family's model: against passes and heads of its own."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from transformers import BertConfig, BertModel

from bertlesson.why import ROWS, cover, log_odds, read_layers

SIZE: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "initializer_range": 0.3,  # so that attention differs between tokens
}
NARROW = SIZE | {"embedding_size": 8}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
DISTIL = {"dim": 16, "hidden_dim": 32, "n_heads": 2, "n_layers": 2, "initializer_range": 0.3}
FAMILIES: dict[str, dict[str, Any]] = {
    "Albert": NARROW,
    "Bert": SIZE,
    "DebertaV2": SIZE,
    "DistilBert": {"vocab_size": 60} | DISTIL,
    "Electra": NARROW,
    "ModernBert": SIZE | ENDS,
    "Roberta": SIZE,
}
MASK, PLACE = 4, 5


def made(family: str) -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    return getattr(transformers, f"{family}ForMaskedLM")(config).eval()


def text(length: int = 9) -> dict[str, Tensor]:
    ids = torch.arange(10, 10 + length)[None]
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def scores_of(model: Any, ids: Tensor, place: int) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(input_ids=ids).logits
    return logits[0, place].double().softmax(-1).logit()


def test_log_odds_are_the_logit_of_the_probability() -> None:
    logits = torch.randn(3, 4, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(log_odds(logits), logits.double().softmax(-1).logit())


def test_log_odds_stay_exact_where_probabilities_round_to_one() -> None:
    found = log_odds(torch.tensor([30.0, 0.0]))
    assert found.tolist() == pytest.approx([30.0, -30.0])
    assert torch.tensor(30.0).sigmoid().item() == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_is_the_text_with_that_token_covered(family: str) -> None:
    model, inputs = made(family), text()
    changes = cover(model, inputs, PLACE, MASK)
    hidden = inputs["input_ids"].clone()
    hidden[0, PLACE] = MASK
    whole = scores_of(model, hidden, PLACE)
    guess = whole.argmax()
    for place in range(hidden.shape[1]):
        covered = hidden.clone()
        covered[0, place] = MASK
        wanted = scores_of(model, covered, PLACE)[guess] - whole[guess]
        assert changes[place].item() == pytest.approx(wanted.item(), abs=1e-4)
    assert changes[PLACE] == 0
    assert changes.abs().max() > 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_the_last_layer_gives_the_models_guess(family: str) -> None:
    model, inputs = made(family), text()
    found = read_layers(model, inputs, PLACE)
    assert found.shape == (3, 60)
    wanted = scores_of(model, inputs["input_ids"], PLACE)
    torch.testing.assert_close(found[-1], wanted, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(found[1], found[2], atol=1e-2)


def test_the_head_reads_each_layers_vector() -> None:
    model, inputs = made("Bert"), text()
    with torch.no_grad():
        layers = model.bert(**inputs, output_hidden_states=True).hidden_states
        wanted = torch.stack([model.cls(vectors[0, PLACE]) for vectors in layers])
    found = read_layers(model, inputs, PLACE)
    torch.testing.assert_close(found, log_odds(wanted), atol=1e-5, rtol=1e-5)


def test_a_long_text_is_covered_in_parts() -> None:
    model, inputs = made("Bert"), text(2 * ROWS + 3)
    seen: list[int] = []
    model.bert.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    assert cover(model, inputs, PLACE, MASK).shape == (2 * ROWS + 3,)
    assert seen == [ROWS, ROWS, 3]


def test_another_guess_can_be_asked_about() -> None:
    model, inputs = made("Bert"), text()
    best, other = (cover(model, inputs, PLACE, MASK, token_id=n) for n in (None, 7))
    assert not torch.allclose(best, other)
    assert other[PLACE] == 0


def test_the_callers_tensors_and_the_model_stay_as_they_are() -> None:
    model, inputs = made("Bert"), text()
    before = inputs["input_ids"].clone()
    cover(model, inputs, PLACE, MASK)
    read_layers(model, inputs, PLACE)
    assert torch.equal(inputs["input_ids"], before)
    assert not model.bert._forward_hooks
    with pytest.raises(IndexError):
        cover(model, {"input_ids": before + 1_000}, PLACE, MASK)
    assert not model.bert._forward_hooks, "also after an error"


@pytest.mark.parametrize("function", [lambda *a: cover(*a, MASK), read_layers])
@pytest.mark.parametrize(
    ("inputs", "place", "message"),
    [
        ({"input_ids": torch.ones(2, 9, dtype=torch.int64)}, 1, "2 rows; expected one text"),
        (text(), 9, "position is 9, and the text has 9 tokens; expected a position from 0 to 8"),
        (text(), -1, "position is -1"),
    ],
)
def test_other_input_is_refused(function: Any, inputs: Any, place: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(made("Bert"), inputs, place)


@pytest.mark.parametrize("place", [0, 8])
def test_the_first_token_and_the_last_can_be_asked_about(place: int) -> None:
    model, inputs = made("Bert"), text()
    assert cover(model, inputs, place, MASK)[place] == 0
    wanted = scores_of(model, inputs["input_ids"], place)
    torch.testing.assert_close(read_layers(model, inputs, place)[-1], wanted, atol=1e-4, rtol=1e-4)


def test_a_model_that_returns_tuples_by_default_is_read_too() -> None:
    model, inputs = made("Bert"), text()
    covered, layers = cover(model, inputs, PLACE, MASK), read_layers(model, inputs, PLACE)
    model.config.return_dict = False
    assert isinstance(model(**inputs), tuple)
    assert torch.equal(cover(model, inputs, PLACE, MASK), covered)
    assert torch.equal(read_layers(model, inputs, PLACE), layers)


def test_an_encoder_without_a_head_is_refused() -> None:
    message = "BertModel is an encoder without a head; expected a model of AutoModelForMaskedLM$"
    with pytest.raises(ValueError, match=message):
        cover(BertModel(BertConfig(**SIZE)), text(), PLACE, MASK)


def test_a_certain_guess_has_no_infinite_change() -> None:
    model, inputs = made("Bert"), text()
    with torch.no_grad():
        model.cls.predictions.bias[11] += 40
    changes = cover(model, inputs, PLACE, MASK)
    assert all(math.isfinite(change) for change in changes.tolist())
