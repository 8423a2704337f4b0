"""The heads against transformers' own: scores, losses, gradients, and what becomes of weights."""

from __future__ import annotations

import copy
import importlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, load_model, save_model
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel, Trainer, TrainingArguments

from bertlesson import cross_entropy, heads, mlm_head
from bertlesson.finetuning import with_encoder
from bertlesson.heads import (
    BertWithHead,
    MaskedLMModel,
    NextSentencePredictionModel,
    NSPHead,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
    let_hooks_read,
    mean_loss,
)
from bertlesson.mlm_head import MLMHead
from bertlesson.pretraining import PretrainingModel
from tests.bertlesson.small_bert import (
    CONFIGS,
    LENGTH,
    VOCAB,
    gradients,
    random_inputs,
    random_labels,
    small_config,
    with_random_weights,
)

COUNTERPARTS: dict[type[BertWithHead], type[PreTrainedModel]] = {
    MaskedLMModel: transformers.BertForMaskedLM,
    NextSentencePredictionModel: transformers.BertForNextSentencePrediction,
    SequenceClassificationModel: transformers.BertForSequenceClassification,
    TokenClassificationModel: transformers.BertForTokenClassification,
    QuestionAnsweringModel: transformers.BertForQuestionAnswering,
}
ALL = [*COUNTERPARTS.items(), (PretrainingModel, transformers.BertForPreTraining)]
TIED = [(MaskedLMModel, transformers.BertForMaskedLM), ALL[-1]]

each_pair = pytest.mark.parametrize(
    ("ours", "theirs"), ALL, ids=lambda each: each.__name__.removesuffix("Model")
)
each_tied_pair = pytest.mark.parametrize(
    ("ours", "theirs"), TIED, ids=lambda each: each.__name__.removesuffix("Model")
)
each_config = pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS.keys())


def labels_for(model: type[BertWithHead], config: Any, rows: int, length: int) -> dict[str, Tensor]:
    """Labels of the shape and the name that the model wants."""
    if model is MaskedLMModel:
        return {"labels": random_labels((rows, length), VOCAB)}
    if model is TokenClassificationModel:
        return {"labels": random_labels((rows, length), config.num_labels)}
    if model is QuestionAnsweringModel:
        # Up to two positions past the end: the answer was cut off. The first row's was not.
        starts, ends = torch.randint(length + 2, (2, rows))
        starts[0] = ends[0] = length - 1
        return {"start_positions": starts, "end_positions": ends}
    classes = 2 if model is NextSentencePredictionModel else config.num_labels
    return {"labels": random_labels((rows,), classes)}


def config_for(model: type[BertWithHead], **changes: Any) -> Any:
    """A configuration with as many labels as the model's counterpart takes."""
    if model is QuestionAnsweringModel:
        changes["num_labels"] = 2  # a start and an end
    return small_config(**changes)


def without_decoder(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state_dict.items() if ".decoder." not in name}


def is_tied(model: nn.Module) -> bool:
    head = model.get_submodule("cls.predictions")
    embeddings = model.get_submodule("bert.embeddings.word_embeddings")
    return head.decoder.weight is embeddings.weight and head.decoder.bias is head.bias


# Scores, losses and gradients


@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs"), COUNTERPARTS.items())
@each_config
@settings(max_examples=6)
@given(rows=st.integers(1, 5), length=st.integers(1, LENGTH), seed=st.integers(0, 999))
def test_scores_losses_and_gradients_are_those_of_transformers(
    ours: Any, theirs: Any, changes: dict[str, Any], rows: int, length: int, seed: int
) -> None:
    config = config_for(ours, **changes)
    reference = with_random_weights(theirs(config), seed)
    model = ours(config).double().eval()
    model.load_state_dict(reference.state_dict())
    inputs = random_inputs(rows, length, seed) | labels_for(ours, config, rows, length)

    output, expected = model(**inputs), reference(**inputs)

    assert type(output) is type(expected)
    assert output.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(output[name], expected[name], rtol=1e-10, atol=1e-10)
    found, wanted = gradients(model, output.loss), gradients(reference, expected.loss)
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-9, atol=1e-10, msg=name)


@pytest.mark.parametrize(("ours", "theirs"), COUNTERPARTS.items())
def test_single_precision_agrees_to_a_millionth(ours: Any, theirs: Any) -> None:
    config = config_for(ours)
    torch.manual_seed(0)
    reference = theirs(config).eval()
    model = ours(config).eval()
    model.load_state_dict(reference.state_dict())
    inputs = random_inputs(4, LENGTH) | labels_for(ours, config, 4, LENGTH)
    output, expected = model(**inputs), reference(**inputs)
    for name in expected:
        torch.testing.assert_close(output[name], expected[name], rtol=0, atol=1e-6)


@each_pair
@each_config
def test_dropout_draws_where_that_of_transformers_does(
    ours: Any, theirs: Any, changes: dict[str, Any]
) -> None:
    config = config_for(ours, **changes)
    reference = with_random_weights(theirs(config)).train()
    model = ours(config).double().train()
    model.load_state_dict(reference.state_dict())
    inputs = random_inputs(4, LENGTH)
    torch.manual_seed(1)
    output = model(**inputs)
    torch.manual_seed(1)
    expected = reference(**inputs)
    for name in expected:
        torch.testing.assert_close(output[name], expected[name], rtol=1e-10, atol=1e-10)


@each_pair
def test_hidden_states_and_attentions_come_on_request(ours: Any, theirs: Any) -> None:
    config = small_config(attn_implementation="eager")
    model = ours(config)
    inputs = random_inputs(2, 5)
    assert {"hidden_states", "attentions"}.isdisjoint(model(**inputs).keys())
    output = model(**inputs, output_hidden_states=True, output_attentions=True)
    assert [tuple(each.shape) for each in output.hidden_states] == [(2, 5, 16)] * 3
    assert [tuple(each.shape) for each in output.attentions] == [(2, 2, 5, 5)] * 2


@each_pair
@pytest.mark.parametrize("name", ["head_mask", "attn_mask", "offset_mapping"])
def test_what_the_encoder_would_ignore_is_refused(ours: Any, theirs: Any, name: str) -> None:
    """`BertModel` of transformers 5 takes any name, and never reads it."""
    with pytest.raises(
        TypeError,
        match=rf"^forward\(\) got {name}, which BertModel takes and ignores; expected the model's "
        r"arguments or one of .*cu_seq_lens_k, .*, inputs_embeds, .*, position_ids, ",
    ):
        ours(small_config())(**random_inputs(2, 5), **{name: torch.ones(2, 5)})


def test_what_hooks_of_the_encoder_read_is_passed_on_to_them() -> None:
    model = SequenceClassificationModel(small_config())
    names, read = ("one", "another"), {}

    def hook(encoder: nn.Module, arguments: Any, keywords: dict[str, Any]) -> Any:
        read.update({name: keywords.pop(name) for name in names})
        return arguments, keywords

    model.bert.register_forward_pre_hook(hook, with_kwargs=True)
    for name in names:
        let_hooks_read(model.bert, name)
    model(**random_inputs(2, 5), one=1, another=2)
    assert read == {"one": 1, "another": 2}
    with pytest.raises(TypeError, match="got a_third, which BertModel takes and ignores"):
        model(**random_inputs(2, 5), one=1, another=2, a_third=3)


def test_where_packed_texts_begin_is_for_a_pooler_alone() -> None:
    inputs, begins = random_inputs(2, 5), torch.tensor([[0], [0]])
    model = MaskedLMModel(small_config()).eval()
    assert torch.equal(model(**inputs, cls_positions=begins).logits, model(**inputs).logits)
    hint = r"got cls_positions, which BertModel takes and ignores; .*: for packed rows, pool_each"
    with pytest.raises(TypeError, match=hint):
        SequenceClassificationModel(small_config())(**inputs, cls_positions=begins)


@each_pair
def test_what_the_encoder_reads_is_passed_on(ours: Any, theirs: Any) -> None:
    model = ours(small_config()).eval()
    inputs = random_inputs(2, 5)
    there = model(**inputs, position_ids=torch.arange(5)).to_tuple()[0]
    torch.testing.assert_close(there, model(**inputs).to_tuple()[0])
    assert not there.equal(model(**inputs, position_ids=torch.arange(5).flip(0)).to_tuple()[0])
    embedded = model.bert.embeddings.word_embeddings(inputs.pop("input_ids"))
    torch.testing.assert_close(model(**inputs, inputs_embeds=embedded).to_tuple()[0], there)


@each_pair
@pytest.mark.parametrize("way", ["argument", "config"])
def test_a_tuple_comes_on_request(ours: Any, theirs: Any, way: str) -> None:
    config = config_for(ours, return_dict=way == "argument")
    asked = {"return_dict": False} if way == "argument" else {}
    reference = with_random_weights(theirs(config))
    model = ours(config).double().eval()
    model.load_state_dict(reference.state_dict())
    inputs = random_inputs(2, 5)
    output, expected = model(**inputs, **asked), reference(**inputs, **asked)
    assert type(output) is tuple
    for one, other in zip(output, expected, strict=True):
        torch.testing.assert_close(one, other)
    assert model(**inputs, return_dict=True).to_tuple()[0].equal(output[0])
    if ours is not PretrainingModel:
        loss, *_ = model(**inputs, **labels_for(ours, config, 2, 5), **asked)
        assert loss.ndim == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"num_labels": 1},
        {"problem_type": "regression"},
        {"problem_type": "multi_label_classification"},
    ],
)
def test_a_classifier_takes_one_of_several_classes_alone(changes: dict[str, Any]) -> None:
    given = {"num_labels": small_config().num_labels, "problem_type": None} | changes
    message = (
        f"num_labels is {given['num_labels']} and problem_type is {given['problem_type']!r}; "
        "expected 2 classes or more, and one class per input: for regression and for several "
        "labels at once take transformers.BertForSequenceClassification"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SequenceClassificationModel(small_config(**changes))
    SequenceClassificationModel(small_config(problem_type="single_label_classification"))


def test_single_heads_are_parts_of_the_models() -> None:
    config = small_config()
    reference = with_random_weights(transformers.BertForPreTraining(config))
    hidden = torch.randn(2, 5, 16, dtype=torch.float64)
    mlm, nsp = MLMHead(config).double(), NSPHead(config).double()
    mlm.load_state_dict(reference.cls.predictions.state_dict())
    nsp.load_state_dict(reference.cls.seq_relationship.state_dict())
    assert mlm.bias is not mlm.decoder.bias, "a model ties them, as in transformers"
    torch.testing.assert_close(mlm(hidden), reference.cls.predictions(hidden))
    torch.testing.assert_close(nsp(hidden[:, 0]), reference.cls.seq_relationship(hidden[:, 0]))


# The loss


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    classes=st.integers(1, 6),
    seed=st.integers(0, 999),
)
def test_mean_loss_is_the_mean_over_what_is_not_ignored(
    shape: list[int], classes: int, seed: int
) -> None:
    labels = random_labels(tuple(shape), classes, seed)
    logits = torch.randn(*shape, classes, dtype=torch.float64)
    kept = labels != -100
    expected = -logits[kept].log_softmax(-1).gather(-1, labels[kept][:, None]).mean()
    torch.testing.assert_close(mean_loss(logits, labels), expected)
    count = int(kept.sum())
    for items in (7 * count, torch.tensor(7 * count)):
        torch.testing.assert_close(mean_loss(logits, labels, items), expected / 7)


@pytest.mark.parametrize("num_items_in_batch", [None, 0, torch.tensor(0), 5])
def test_nothing_to_learn_from_is_a_loss_of_zero(num_items_in_batch: Any) -> None:
    logits = torch.randn(2, 3, 4, requires_grad=True)
    loss = mean_loss(logits, torch.full((2, 3), -100), num_items_in_batch)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros(2, 3, 4))


@pytest.mark.parametrize("model", COUNTERPARTS)
def test_a_batch_of_ignored_labels_moves_nothing(model: Any) -> None:
    config = small_config()
    labels = labels_for(model, config, 2, 5)
    ignored = {name: torch.full_like(each, -100) for name, each in labels.items()}
    bert = with_random_weights(model(config))
    loss = bert(**random_inputs(2, 5), **ignored).loss
    assert loss.item() == 0
    assert all(not each.any() for each in gradients(bert, loss).values())


def test_an_unknown_answer_span_is_left_out() -> None:
    model = with_random_weights(QuestionAnsweringModel(small_config()))
    inputs = random_inputs(3, 6)
    output = model(
        **inputs,
        start_positions=torch.tensor([2, -100, 6]),
        end_positions=torch.tensor([3, 5, -100]),
    )
    start = F.cross_entropy(output.start_logits[:1], torch.tensor([2]))
    end = F.cross_entropy(output.end_logits[:2], torch.tensor([3, 5]))
    torch.testing.assert_close(output.loss, (start + end) / 2)


@pytest.mark.parametrize("unknown", [-100, -1, -7, 6, 99])
def test_a_position_outside_the_input_is_no_position(unknown: int) -> None:
    model = with_random_weights(QuestionAnsweringModel(small_config()))
    output = model(
        **random_inputs(2, 6),
        start_positions=torch.tensor([1, unknown]),
        end_positions=torch.tensor([2, unknown]),
    )
    start = F.cross_entropy(output.start_logits[:1], torch.tensor([1]))
    end = F.cross_entropy(output.end_logits[:1], torch.tensor([2]))
    torch.testing.assert_close(output.loss, (start + end) / 2)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (torch.zeros(2, 3), "labels are torch.float32 of shape (2, 3)"),
        (torch.zeros(2, 3, dtype=torch.int32), "labels are torch.int32 of shape (2, 3)"),
        (torch.zeros(3, 2, dtype=torch.int64), "labels are torch.int64 of shape (3, 2)"),
        (torch.zeros(6, dtype=torch.int64), "labels are torch.int64 of shape (6,)"),
    ],
)
def test_wrong_labels_are_refused(labels: Tensor, complaint: str) -> None:
    expected = (
        "expected class numbers, torch.int64, of shape (2, 3): put -100 where there is nothing to "
        "learn"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(f'{complaint}; {expected}')}$"):
        mean_loss(torch.zeros(2, 3, 4), labels)


# State dicts


@each_pair
def test_state_dicts_load_both_ways(ours: Any, theirs: Any) -> None:
    config = config_for(ours)
    model, reference = with_random_weights(ours(config)), theirs(config).double()
    reference.load_state_dict(model.state_dict())
    assert list(reference.state_dict()) == list(model.state_dict())
    other = ours(config).double()
    other.load_state_dict(reference.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


@each_tied_pair
@pytest.mark.parametrize("assign", [False, True])
def test_a_state_dict_may_leave_out_the_decoder(ours: Any, theirs: Any, assign: bool) -> None:
    reference = with_random_weights(theirs(small_config()))
    given = without_decoder(reference.state_dict())
    names = list(given)
    model = ours(small_config()).double().eval()
    model.load_state_dict(given, assign=assign)
    assert list(given) == names, "the caller's dict was changed"
    assert is_tied(model)
    inputs = random_inputs(2, 5)
    torch.testing.assert_close(model(**inputs)[0], reference(**inputs)[0])


@each_tied_pair
def test_weights_are_copied_unless_they_are_to_be_assigned(ours: Any, theirs: Any) -> None:
    given = theirs(small_config()).state_dict()
    name = "cls.predictions.transform.dense.weight"
    for how, shared in (({}, False), ({"assign": False}, False), ({"assign": True}, True)):
        model = ours(small_config())
        model.load_state_dict(given, **how)
        loaded = model.state_dict()[name]
        assert torch.equal(loaded, given[name])
        assert (loaded.data_ptr() == given[name].data_ptr()) == shared


@each_tied_pair
@pytest.mark.parametrize("lost", ["bias", "transform.dense.weight", "transform.LayerNorm.bias"])
def test_a_state_dict_may_not_leave_out_anything_else(ours: Any, theirs: Any, lost: str) -> None:
    given = without_decoder(theirs(small_config()).state_dict())
    del given[f"cls.predictions.{lost}"]
    with pytest.raises(RuntimeError, match=f"Missing key.*{lost}"):
        ours(small_config()).load_state_dict(given)


@each_pair
def test_saved_models_load_both_ways(ours: Any, theirs: Any, tmp_path: Path) -> None:
    model = with_random_weights(ours(config_for(ours)))
    model.save_pretrained(tmp_path / "ours")
    reference, report = theirs.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(report.values()), report
    reference.save_pretrained(tmp_path / "theirs")
    again, report = ours.from_pretrained(tmp_path / "theirs", output_loading_info=True)
    assert not any(report.values()), report
    inputs = random_inputs(2, 5)
    expected = model(**inputs)
    for each in (reference, again):
        torch.testing.assert_close(each.eval()(**inputs)[0], expected[0])


@pytest.mark.parametrize(
    ("model", "new"),
    [
        (SequenceClassificationModel, {"classifier.weight", "classifier.bias"}),
        (TokenClassificationModel, {"classifier.weight", "classifier.bias"}),
        (QuestionAnsweringModel, {"qa_outputs.weight", "qa_outputs.bias"}),
    ],
)
def test_fine_tuning_starts_from_the_pretrained_encoder(
    model: Any, new: set[str], tmp_path: Path
) -> None:
    pretrained = with_random_weights(PretrainingModel(small_config()))
    pretrained.save_pretrained(tmp_path)
    tuned, report = model.from_pretrained(tmp_path, output_loading_info=True)
    assert report["missing_keys"] == new
    for name, value in tuned.bert.state_dict().items():
        assert torch.equal(value, pretrained.bert.state_dict()[name]), name


@each_pair
def test_a_new_model_draws_the_weights_that_transformers_draws(ours: Any, theirs: Any) -> None:
    torch.manual_seed(3)
    model = ours(config_for(ours))
    torch.manual_seed(3)
    reference = theirs(config_for(ours))
    for name, value in reference.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


# Tying


def save_and_load_pretrained(model: Any, folder: Path) -> Any:
    model.save_pretrained(folder)
    return type(model).from_pretrained(folder).eval()


def save_and_load_whole(model: Any, folder: Path) -> Any:
    torch.save(model, folder / "model.pt")
    return torch.load(folder / "model.pt", weights_only=False)


def save_and_load_state_dict(model: Any, folder: Path) -> Any:
    torch.save(model.state_dict(), folder / "weights.pt")
    again = type(model)(model.config).double().eval()
    again.load_state_dict(torch.load(folder / "weights.pt"), assign=True)
    return again


def save_and_load_safetensors(model: Any, folder: Path) -> Any:
    save_model(model, str(folder / "weights.safetensors"))
    again = type(model)(model.config).double().eval()
    load_model(again, folder / "weights.safetensors")
    return again


def grow(model: Any, folder: Path) -> Any:
    model.resize_token_embeddings(VOCAB + 9)
    return model


def shrink(model: Any, folder: Path) -> Any:
    model.resize_token_embeddings(VOCAB - 9)
    return model


def grow_and_save(model: Any, folder: Path) -> Any:
    return save_and_load_pretrained(grow(model, folder), folder)


OPERATIONS = [
    save_and_load_pretrained,
    save_and_load_whole,
    save_and_load_state_dict,
    save_and_load_safetensors,
    lambda model, folder: copy.deepcopy(model),
    grow,
    shrink,
    grow_and_save,
]
NAMES = ["pretrained", "whole", "state dict", "safetensors", "copy", "grow", "shrink", "grow+save"]


@each_tied_pair
@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_the_decoder_stays_tied(
    ours: Any, theirs: Any, operation: Callable[[Any, Path], Any], tmp_path: Path
) -> None:
    model = with_random_weights(ours(small_config()))
    assert is_tied(model)
    inputs = random_inputs(2, 5)
    inputs["input_ids"] %= VOCAB - 9
    with torch.no_grad():
        before = model(**inputs)[0]

    after = operation(model, tmp_path)

    assert is_tied(after)
    size = after.config.vocab_size
    logits = after(**inputs)[0]
    assert logits.shape == (2, 5, size)
    words = min(size, VOCAB)  # those that were there and still are score as they did
    torch.testing.assert_close(logits[..., :words], before[..., :words])
    reference = theirs(after.config).double().eval()
    reference.load_state_dict(after.state_dict())
    torch.testing.assert_close(logits, reference(**inputs)[0])
    logits.sum().backward()
    assert after.bert.embeddings.word_embeddings.weight.grad.shape == (size, 16)


@each_tied_pair
def test_a_decoder_may_be_untied(ours: Any, theirs: Any) -> None:
    model = with_random_weights(ours(small_config(tie_word_embeddings=False)))
    assert model.get_output_embeddings() is model.cls["predictions"].decoder
    assert model.get_output_embeddings().weight is not model.get_input_embeddings().weight
    with pytest.raises(RuntimeError, match=r"Missing key.*decoder\.weight"):
        model.load_state_dict(without_decoder(model.state_dict()))
    inputs = random_inputs(2, 5)
    with torch.no_grad():
        before = model(**inputs)[0]
    model.resize_token_embeddings(VOCAB + 9)
    after = model(**inputs)[0]
    assert after.shape == (2, 5, VOCAB + 9)
    torch.testing.assert_close(after[..., :VOCAB], before)
    reference = theirs(model.config).double().eval()
    reference.load_state_dict(model.state_dict())
    torch.testing.assert_close(after, reference(**inputs)[0])


def test_an_untied_decoder_keeps_its_bias_through_a_file(tmp_path: Path) -> None:
    for kind in (MaskedLMModel, PretrainingModel):
        model = with_random_weights(kind(small_config(tie_word_embeddings=False)))
        for size, resized in ((VOCAB, False), (VOCAB + 9, True)):
            if resized:
                model.resize_token_embeddings(size)
            with torch.no_grad():
                model.get_output_embeddings().bias.normal_()
            again = save_and_load_pretrained(model, tmp_path)
            torch.testing.assert_close(
                again(**random_inputs(2, 5))[0], model(**random_inputs(2, 5))[0]
            )
            head = again.cls["predictions"]
            assert head.decoder.bias.shape == head.bias.shape == (size,)
            assert head.decoder.bias.requires_grad
            assert not head.bias.requires_grad, "nothing reads it"


def test_a_decoder_that_is_tied_later_is_trained_and_one_that_is_frozen_stays_so() -> None:
    model = MaskedLMModel(small_config(tie_word_embeddings=False))
    model.config.tie_word_embeddings = True
    model.tie_weights()
    assert is_tied(model)
    assert model.cls["predictions"].bias.requires_grad
    model.requires_grad_(False)
    model.load_state_dict(model.state_dict(), assign=True)
    assert not any(each.requires_grad for each in model.parameters())


@each_tied_pair
def test_a_checkpoint_with_two_tables_is_not_tied_against_it(
    ours: Any, theirs: Any, tmp_path: Path
) -> None:
    """Said to be tied, but not: transformers warns, and keeps them apart."""
    untied = with_random_weights(theirs(small_config(tie_word_embeddings=False)))
    untied.save_pretrained(tmp_path)
    model = ours.from_pretrained(tmp_path, tie_word_embeddings=True).eval()
    inputs = random_inputs(2, 5)
    expected = untied(**inputs)[0]
    torch.testing.assert_close(model(**inputs)[0], expected)
    model.load_state_dict(untied.state_dict())
    torch.testing.assert_close(model(**inputs)[0], expected)


@each_tied_pair
def test_a_decoder_may_be_set(ours: Any, theirs: Any) -> None:
    for tied in (True, False):
        model = with_random_weights(ours(small_config(tie_word_embeddings=tied)))
        given = nn.Linear(16, VOCAB).double()
        model.set_output_embeddings(given)
        assert model.get_output_embeddings() is given
        head = model.cls["predictions"]
        assert (head.bias is given.bias) == tied
        model(**random_inputs(2, 5))[0].sum().backward()
        trained = {n for n, p in model.named_parameters() if p.requires_grad and p.grad is None}
        assert not {name for name in trained if "predictions" in name}


@each_tied_pair
def test_a_pretrained_encoder_may_be_put_in(ours: Any, theirs: Any) -> None:
    model = ours(small_config())
    encoder = with_random_weights(transformers.BertModel(small_config())).float()
    with_encoder(model, encoder)
    assert is_tied(model)
    words = model.cls["predictions"].decoder.weight
    assert torch.equal(words, encoder.embeddings.word_embeddings.weight)


# From any checkpoint

KINDS: dict[str, Callable[[], PreTrainedModel]] = {
    "encoder": lambda: transformers.BertModel(small_config()),
    "encoder without pooler": lambda: transformers.BertModel(small_config(), False),
    "classifier": lambda: transformers.BertForSequenceClassification(small_config()),
    "question answering": lambda: transformers.BertForQuestionAnswering(
        config_for(QuestionAnsweringModel)
    ),
    "masked words": lambda: transformers.BertForMaskedLM(small_config()),
    "both objectives": lambda: transformers.BertForPreTraining(small_config()),
    "masked words, untied": lambda: transformers.BertForMaskedLM(
        small_config(tie_word_embeddings=False)
    ),
    "our masked words": lambda: MaskedLMModel(small_config()),
    "our both objectives": lambda: PretrainingModel(small_config()),
    "our both objectives, untied": lambda: PretrainingModel(
        small_config(tie_word_embeddings=False)
    ),
    "our form without NSP": lambda: PretrainingModel(small_config(), nsp_weight=0),
}
# classes, and what from_pretrained is given beside the folder
LOADED: list[tuple[Any, Any, dict[str, Any]]] = [(*pair, {}) for pair in ALL]
LOADED.append((PretrainingModel, transformers.BertForMaskedLM, {"nsp_weight": 0}))


each_load = pytest.mark.parametrize(
    ("ours", "theirs", "given"),
    LOADED,
    ids=[*(ours.__name__ for ours, _, _ in LOADED[:-1]), "without NSP"],
)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each kind."""
    folders = {}
    for seed, (kind, make) in enumerate(KINDS.items()):
        folders[kind] = tmp_path_factory.mktemp("checkpoint")
        with_random_weights(make(), seed).float().save_pretrained(folders[kind])
    return folders


@pytest.fixture
def unfilled_memory_is_nan() -> Iterator[None]:
    """So that what from_pretrained does not fill shows."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def load_soundly(ours: Any, folder: Path, kind: str, **given: Any) -> tuple[Any, set[str]]:
    """The model, and the names of what its file lacked, all weights and the tying looked at."""
    if ours is PretrainingModel:  # whatever the checkpoint says
        given = {"nsp_weight": 1.0} | given
    model, report = ours.from_pretrained(folder, output_loading_info=True, **given)
    missing: set[str] = report["missing_keys"]
    assert not report["mismatched_keys"]
    tied = isinstance(model, heads.TiedDecoderModel) and "untied" not in kind
    sources = heads.TiedDecoderModel._tied_weights_keys if tied else {}
    held = {
        name if name.startswith(("bert.", "cls.", "classifier.", "qa_")) else f"bert.{name}": value
        for name, value in load_file(folder / "model.safetensors").items()
    }
    for name, each in model.named_parameters(remove_duplicate=False):
        assert not each.is_meta, name
        assert each.isfinite().all(), name
        stored = sources.get(name, name)
        assert (stored in held) == (stored not in missing), name
        if stored in held:
            assert torch.equal(each, held[stored].to(each.dtype)), name
        elif name.endswith("bias"):
            assert not each.any(), name
    if isinstance(model, heads.TiedDecoderModel):
        assert is_tied(model) == tied
        assert model.get_output_embeddings().bias.requires_grad
    return model.eval(), missing


@pytest.mark.usefixtures("unfilled_memory_is_nan")
@pytest.mark.parametrize("kind", KINDS)
@each_load
def test_every_model_loads_from_every_kind_of_checkpoint(
    ours: Any,
    theirs: Any,
    given: dict[str, Any],
    kind: str,
    checkpoints: dict[str, Path],
    tmp_path: Path,
) -> None:
    model, missing = load_soundly(ours, checkpoints[kind], kind, **given)
    reference, report = theirs.from_pretrained(checkpoints[kind], output_loading_info=True)
    # what is missing is said, as transformers says it
    assert missing == report["missing_keys"]
    inputs = random_inputs(2, 5)
    before = model(**inputs)[0]
    if not missing:
        assert torch.equal(before, reference.eval()(**inputs)[0])
    again = save_and_load_pretrained(model, tmp_path)
    assert torch.equal(again(**inputs)[0], before)
    model.resize_token_embeddings(VOCAB + 3, mean_resizing=False)
    resized = model(**inputs)[0]
    if isinstance(model, heads.TiedDecoderModel):
        assert resized.shape == (2, 5, VOCAB + 3)
        resized = resized[..., :VOCAB]
    torch.testing.assert_close(resized, before)


@pytest.mark.slow
@pytest.mark.usefixtures("unfilled_memory_is_nan")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@each_load
def test_every_model_loads_in_half_precision(
    ours: Any,
    theirs: Any,
    given: dict[str, Any],
    dtype: torch.dtype,
    checkpoints: dict[str, Path],
) -> None:
    for kind, folder in checkpoints.items():
        model, _ = load_soundly(ours, folder, kind, dtype=dtype, **given)
        assert {each.dtype for each in model.parameters()} == {dtype}, kind
        scores = model(**random_inputs(2, 5))[0]
        assert scores.dtype == dtype, kind
        assert scores.isfinite().all(), kind


# transformers.Trainer


def trained(
    model: Any,
    data: list[dict[str, Any]],
    folder: Path,
    rows: int,
    parts: int,
    **settings: Any,
) -> Any:
    """The model after one update by `Trainer`, from all the data in the given number of parts."""
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=parts,
        max_steps=1,
        learning_rate=1.0,
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        optim="sgd",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
        **settings,
    )
    model = copy.deepcopy(model)
    Trainer(model, arguments, train_dataset=data).train()
    return model


@pytest.mark.slow
@pytest.mark.parametrize("model", COUNTERPARTS)
def test_accumulated_batches_are_one_large_batch(model: Any, tmp_path: Path) -> None:
    config = small_config(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    batch = random_inputs(8, 6) | labels_for(model, config, 8, 6)
    if model is QuestionAnsweringModel:  # Trainer counts no positions: every part weighs the same
        batch["start_positions"] %= 6
        batch["end_positions"] %= 6
    batch["a column that the model does not know"] = torch.zeros(8)
    data = [{name: each[row] for name, each in batch.items()} for row in range(8)]
    torch.manual_seed(0)
    start = model(config)
    whole = trained(start, data, tmp_path, rows=8, parts=1)
    parts = trained(start, data, tmp_path, rows=2, parts=4)
    moved = 0.0
    for name, expected in whole.named_parameters():
        moved = max(moved, (expected - start.get_parameter(name)).abs().max().item())
        torch.testing.assert_close(
            parts.get_parameter(name), expected, rtol=1e-4, atol=1e-6, msg=name
        )
    assert moved > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs"), COUNTERPARTS.items())
def test_label_smoothing_is_that_of_transformers(ours: Any, theirs: Any, tmp_path: Path) -> None:
    config = config_for(ours, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    batch = random_inputs(8, 6) | labels_for(ours, config, 8, 6)
    if ours is QuestionAnsweringModel:
        batch["start_positions"] %= 6
        batch["end_positions"] %= 6
    data = [{name: each[row] for name, each in batch.items()} for row in range(8)]
    torch.manual_seed(0)
    start = ours(config)
    reference = theirs(config)
    reference.load_state_dict(start.state_dict())
    found, expected, plain = (
        trained(model, data, tmp_path, rows=8, parts=1, label_smoothing_factor=factor)
        for model, factor in ((start, 0.5), (reference, 0.5), (start, 0.0))
    )
    moved = 0.0
    for name, wanted in expected.named_parameters():
        value = found.get_parameter(name)
        torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-6, msg=name)
        moved = max(moved, (value - plain.get_parameter(name)).abs().max().item())
    # its positions are no `labels` to the Trainer, which smooths nothing: in either library
    assert (moved > 1e-3) == (ours is not QuestionAnsweringModel)


@pytest.mark.parametrize("model", COUNTERPARTS)
def test_trainer_finds_the_labels(model: Any, tmp_path: Path) -> None:
    config = small_config()
    batch = random_inputs(4, 6) | labels_for(model, config, 4, 6)
    data = [{name: each[row] for name, each in batch.items()} for row in range(4)]
    arguments = TrainingArguments(str(tmp_path), report_to="none", use_cpu=True, disable_tqdm=True)
    bert = model(config).eval()
    found = Trainer(bert, arguments, eval_dataset=data).evaluate()["eval_loss"]
    assert found == pytest.approx(bert(**batch).loss.item(), rel=1e-5)


# The file and the two that it needs, without the rest


def test_the_file_and_the_two_it_needs_need_nothing_else_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bertlesson"]:
        monkeypatch.setitem(sys.modules, name, None)  # to import it now is an ImportError
    monkeypatch.setitem(sys.modules, "bertlesson", None)
    folder = tmp_path / "copied"
    folder.mkdir()
    for each in (heads, mlm_head, cross_entropy):
        shutil.copy(each.__file__, folder)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("copied.heads")
    assert Path(str(module.__file__)).parent == folder
    model = module.TokenClassificationModel(small_config())
    assert model(**random_inputs(2, 5)).logits.shape == (2, 5, 3)
