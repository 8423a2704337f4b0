"""The pretraining model under transformers.Trainer: with pairs or none, on two processes too."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import default_data_collator

from bertlesson.pretraining import PretrainingModel
from tests.bertlesson import trainer_worker
from tests.bertlesson.small_bert import VOCAB, random_inputs, random_labels, small_config
from tests.bertlesson.trainer_worker import COUNTS, FORMS, make_rows, make_trainer, new_model
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

EACH_FORM = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def mean_loss_of_batches(model: PretrainingModel, rows: list[dict[str, Any]]) -> float:
    """What Trainer calls eval_loss: the mean over batches, each counted by its rows."""
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(rows), 2):
            part = rows[start : start + 2]
            total += model.eval()(**default_data_collator(part)).loss.item() * len(part)
    return total / len(rows)


# Loss and labels


@EACH_FORM
@pytest.mark.parametrize("remove_unused_columns", [True, False])
def test_it_trains_and_evaluates_with_and_without_pairs(
    form: dict[str, Any], remove_unused_columns: bool
) -> None:
    rows = make_rows(COUNTS["unequal"], pairs=form["pairs"])
    if remove_unused_columns:
        rows = [row | {"no argument of the model": 0} for row in rows]
    model = new_model(nsp_weight=form["nsp_weight"])
    trainer = make_trainer(
        model,
        train_dataset=rows,
        eval_dataset=rows,
        data_collator=default_data_collator,
        remove_unused_columns=remove_unused_columns,
        max_steps=2,
        logging_steps=1,
        eval_strategy="steps",
        eval_steps=1,
    )
    before = copy.deepcopy(model)
    trainer.train()
    found = trainer.evaluate()["eval_loss"]
    kept = [{n: v for n, v in row.items() if n != "no argument of the model"} for row in rows]
    assert found == pytest.approx(mean_loss_of_batches(model, kept), rel=1e-5)
    history = trainer.state.log_history
    assert [entry["step"] for entry in history if "eval_loss" in entry][:2] == [1, 2]
    # NSP is trained where, and only where, its labels are there: the column was not dropped
    moved = {
        name
        for name, each in model.named_parameters()
        if not torch.equal(each, before.get_parameter(name))
    }
    assert any("seq_relationship" in name for name in moved) == form["pairs"]
    assert any("predictions" in name for name in moved)


def test_the_labels_are_those_of_masked_words_by_default() -> None:
    rows = make_rows(COUNTS["unequal"])
    model = new_model()
    assert make_trainer(model).label_names == ["labels"]
    labels = torch.tensor([row["labels"] for row in rows])
    pairs = torch.tensor([row["next_sentence_label"] for row in rows])
    settings: dict[str, Any] = {"data_collator": default_data_collator}
    output = make_trainer(model, **settings).predict(rows)
    assert torch.equal(torch.from_numpy(output.label_ids), labels)
    assert torch.equal(torch.from_numpy(output.predictions[-1]), pairs)
    both = make_trainer(model, label_names=["labels", "next_sentence_label"], **settings)
    found_labels, found_pairs = both.predict(rows).label_ids
    assert torch.equal(torch.from_numpy(found_labels), labels)
    assert torch.equal(torch.from_numpy(found_pairs), pairs)


def test_predictions_come_in_the_stated_order() -> None:
    rows = make_rows(COUNTS["unequal"])
    batch = default_data_collator(rows)
    model = new_model().eval()
    with torch.no_grad():
        output = model(**batch)
    settings: dict[str, Any] = {"data_collator": default_data_collator}

    def shapes(model: Any, rows: list[dict[str, Any]]) -> Any:
        return [each.shape for each in make_trainer(model, **settings).predict(rows).predictions]

    predicted = make_trainer(model, **settings).predict(rows).predictions
    names = ("seq_relationship_logits", "predicted_ids", "mlm_row_losses", "next_sentence_label")
    for found, name in zip(predicted, names, strict=True):
        torch.testing.assert_close(torch.from_numpy(found), output[name], rtol=1e-5, atol=1e-5)
    bare = [{"input_ids": row["input_ids"]} for row in rows]
    length = len(rows[0]["input_ids"])
    assert shapes(model, bare) == [(5, length, VOCAB), (5, 2)]
    without_pairs = make_rows(COUNTS["unequal"], pairs=False)
    assert shapes(model, without_pairs) == [(5, 2), (5, length), (5,)]
    alone = new_model(nsp_weight=0)
    assert shapes(alone, without_pairs) == [(5, length), (5,)]
    model.config.output_hidden_states = True
    predicted = make_trainer(model, **settings).predict(rows).predictions
    assert [each.shape for each in predicted[1]] == [(5, length, 16)] * 3
    assert [each.shape for each in predicted[2:]] == [(5, length), (5,), (5,)]


def test_pairs_are_left_out_by_the_form_that_takes_none() -> None:
    rows = make_rows(COUNTS["unequal"])
    model = new_model(nsp_weight=0)
    settings: dict[str, Any] = {"eval_dataset": rows, "data_collator": default_data_collator}
    found = make_trainer(model, **settings).evaluate()["eval_loss"]
    assert found == pytest.approx(
        mean_loss_of_batches(model, make_rows(COUNTS["unequal"], pairs=False)), rel=1e-5
    )
    with pytest.raises(ValueError, match="next_sentence_label was given to a model without an NSP"):
        make_trainer(model, remove_unused_columns=False, **settings).evaluate()


@EACH_FORM
def test_label_smoothing_says_what_it_cannot_do(form: dict[str, Any]) -> None:
    rows = make_rows(COUNTS["unequal"], pairs=form["pairs"])
    trainer = make_trainer(
        new_model(nsp_weight=form["nsp_weight"]),
        train_dataset=rows,
        eval_dataset=rows,
        label_smoothing_factor=0.1,
        max_steps=1,
    )
    for run in (trainer.train, trainer.evaluate):
        with pytest.raises(ValueError, match=r"Set label_smoothing_factor=0, or take .*MaskedLM"):
            run()


# The signature


def optional_label_is_shown(forward: Any) -> bool:
    return "next_sentence_label" in inspect.signature(forward).parameters


@pytest.mark.parametrize("nsp_weight", [1, 0])
def test_the_signature_goes_along_with_the_model(nsp_weight: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = PretrainingModel(small_config(), nsp_weight).eval()
    model.save_pretrained(tmp_path)
    batch = random_inputs(2, 5) | {"labels": random_labels((2, 5), VOCAB)}
    if nsp_weight == 1:
        batch["next_sentence_label"] = torch.tensor([0, 1])

    class Descendant(PretrainingModel):
        pass

    expected = model(**batch).loss
    for each in (
        model,
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        PretrainingModel.from_pretrained(tmp_path).eval(),
        Descendant.from_pretrained(tmp_path).eval(),
    ):
        assert not optional_label_is_shown(type(each).forward)
        assert optional_label_is_shown(each.forward) == (nsp_weight == 1)
        assert torch.equal(each(**batch).loss, expected)
        assert torch.equal(each.forward(**batch).loss, expected)
        assert torch.equal(PretrainingModel.forward(each, **batch).loss, expected)


def test_a_descendant_may_have_a_forward_of_its_own() -> None:
    class Doubled(PretrainingModel):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            output = super().forward(*args, **kwargs)
            output.loss = 2 * output.loss
            return output

    torch.manual_seed(0)
    model = PretrainingModel(small_config()).eval()
    doubled = Doubled(model.config).eval()
    doubled.load_state_dict(model.state_dict())
    batch = random_inputs(2, 5) | {"labels": random_labels((2, 5), VOCAB)}
    torch.testing.assert_close(doubled(**batch).loss, 2 * model(**batch).loss)


@pytest.mark.parametrize(("nsp_weight", "fullgraph"), [(1, False), (0, True)])
def test_it_compiles(nsp_weight: Any, fullgraph: bool) -> None:
    import torch._dynamo  # takes long

    torch._dynamo.reset()
    model = new_model(nsp_weight=nsp_weight)
    batch = default_data_collator(make_rows([1, 2], pairs=nsp_weight == 1))
    compiled = torch.compile(model, backend="eager", fullgraph=fullgraph)
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=fullgraph):
        for training in (True, False):
            model.train(training)
            torch.testing.assert_close(compiled(**batch).loss, model(**batch).loss)


@pytest.mark.parametrize("name", FORMS)
def test_mixed_precision_keeps_the_pairs(name: str) -> None:
    form = FORMS[name]
    rows = make_rows(COUNTS["unequal"], pairs=form["pairs"])
    model = new_model(nsp_weight=form["nsp_weight"])
    trainer = make_trainer(
        model, train_dataset=rows, eval_dataset=rows, bf16=True, max_steps=2, logging_steps=1
    )
    trainer.train()
    assert trainer.evaluate()["eval_loss"] > 0
    predictions = trainer.predict(rows).predictions
    assert all(len(each) == 5 for each in predictions)
    expected = {"pairs": 4, "masked words": 3, "masked words, the form": 2}
    assert len(predictions) == expected[name]


# Two processes


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("two") / "found.pt"
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    subprocess.run(
        [sys.executable, "-m", *launcher, trainer_worker.__file__, str(path)],
        env=os.environ
        | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        check=True,
    )
    found: dict[str, Any] = torch.load(path, weights_only=False)
    return found


@pytest.mark.parametrize("counts", COUNTS)
def test_every_prediction_comes_back_from_two_processes(
    counts: str, two_processes: dict[str, Any]
) -> None:
    found, expected = two_processes["predict"][counts], trainer_worker.predict()[counts]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    *_, predicted_ids, row_losses, next_sentence, labels = found
    assert len(predicted_ids) == len(COUNTS[counts])
    assert torch.equal(predicted_ids != -100, labels != -100)
    assert torch.equal(row_losses > 0, (labels != -100).any(1))
    assert next_sentence.tolist() == [row % 2 for row in range(len(COUNTS[counts]))]


@pytest.mark.parametrize("counts", COUNTS)
def test_metrics_are_the_same_on_two_processes(counts: str, two_processes: dict[str, Any]) -> None:
    found, expected = two_processes["evaluate"][counts], trainer_worker.evaluate()[counts]
    assert found.keys() == expected.keys()
    for name in ("eval_mlm_loss", "eval_mlm_accuracy", "eval_nsp_accuracy", "eval_rows"):
        assert found[name] == pytest.approx(expected[name], rel=1e-5), name
    assert found["eval_rows"] == len(COUNTS[counts])
    assert found["eval_loss"] > 0


@pytest.mark.parametrize("form", FORMS)
def test_trainer_takes_three_steps_on_two_processes(
    form: str, two_processes: dict[str, Any]
) -> None:
    found = two_processes["train"][form]
    assert len(found["losses"]) == 3
    assert len(found["eval_loss"]) == 1


def test_two_processes_learn_what_one_does(two_processes: dict[str, Any]) -> None:
    alone = trainer_worker.plain_loop()
    assert two_processes["plain_loop"].keys() == alone.keys()
    for form, expected in alone.items():
        found = two_processes["plain_loop"][form]["weights"]
        assert found.keys() == expected["weights"].keys()
        for name, weight in expected["weights"].items():
            torch.testing.assert_close(found[name], weight, rtol=1e-4, atol=1e-5, msg=name)
