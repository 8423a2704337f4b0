#!/usr/bin/env bash
# peft 0.21.2 (transformers 5.23.0), prompt tuning and P-tuning of BERT
#
# Guess: virtual tokens stay inside. The classifier reads [CLS], and the positions of an answer
# count the tokens of the row, as they do without an adapter.
# Seen: virtual tokens stand before [CLS], and nothing allows for that. The classifier reads the
# first of them. There are more scores for an answer than tokens, and its positions are not shifted,
# so that another token is taught. A row of 8 tokens, an answer at 4, and 5 virtual tokens:
#
#     prompt tuning: 13 scores, taught the token at -1, classifier reads the token at -5
#     P-tuning: 13 scores, taught the token at -1, classifier reads the token at -5
#     prefix tuning: 8 scores, taught the token at 4, classifier reads the token at 0
#
# (-5 to -1 are the virtual ones.) Nothing is said. Prefix tuning adds keys and values only, and has
# none of this; else add the number of virtual tokens to both positions.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  peft==0.21.2 transformers==5.23.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/virtual.py" <<'PYTHON'
import torch
from peft import PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification

size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
config = BertConfig(vocab_size=30, initializer_range=0.5, **size)
ids = torch.tensor([[2, 7, 8, 3, 9, 10, 11, 3]])
row = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
answer = torch.tensor([4])


def tuned(model_class, adapter_class, task):
    torch.manual_seed(0)
    adapter = adapter_class(task_type=task, num_virtual_tokens=5)
    return get_peft_model(model_class(config), adapter).eval()


for name, adapter_class in {
    "prompt tuning": PromptTuningConfig,
    "P-tuning": PromptEncoderConfig,
    "prefix tuning": PrefixTuningConfig,
}.items():
    model = tuned(BertForQuestionAnswering, adapter_class, "QUESTION_ANS")
    output = model(**row, start_positions=answer, end_positions=answer)
    scores = torch.stack([output.start_logits, output.end_logits])
    losses = -scores.log_softmax(-1).mean(dim=(0, 1))  # (scores), each as if it were the answer
    (taught,) = torch.isclose(losses, output.loss).nonzero().flatten().tolist()

    model = tuned(BertForSequenceClassification, adapter_class, "SEQ_CLS")
    given = []
    pooler = model.get_base_model().bert.pooler
    for module in (pooler, pooler.dense):  # the states of all positions, and the one that is read
        module.register_forward_pre_hook(lambda module, args: given.append(args[0]))
    model(**row)
    states, state = given
    (read,) = (states[0] == state).all(dim=-1).nonzero().flatten().tolist()

    before = len(losses) - ids.shape[1]
    print(
        f"{name}: {len(losses)} scores, taught the token at {taught - before}, "
        f"classifier reads the token at {read - before}"
    )
PYTHON
seen=$("$folder/venv/bin/python" "$folder/virtual.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "prompt tuning: 13 scores, taught the token at -1, classifier reads the token at -5
P-tuning: 13 scores, taught the token at -1, classifier reads the token at -5
prefix tuning: 8 scores, taught the token at 4, classifier reads the token at 0" ]
