#!/usr/bin/env bash
# happytransformer 3.0.1 (transformers 4.53.3, torch 2.13.0), HappyQuestionAnswering
#
# Guess: a model that was fine-tuned with train is asked in the form in which it was trained, question
# first and then the text, as models for SQuAD are.
# Seen: train and eval put the text first and the question second. answer_question, and test, go through
# the pipeline of transformers, which puts the question first. The segments are exchanged, too, and so is
# what BERT learned of them. A checkpoint for SQuAD unlearns its own order:
#
#     train: [CLS] anna won in oslo . [SEP] who won ? [SEP] | segments 0 0 0 0 0 0 0 1 1 1 1
#     eval: [CLS] anna won in oslo . [SEP] who won ? [SEP] | segments 0 0 0 0 0 0 0 1 1 1 1
#     answer_question: [CLS] who won ? [SEP] anna won in oslo . [SEP] | segments 0 0 0 0 0 1 1 1 1 1 1
#
# eval reports a loss in the order of train, so it shows nothing. Train with the Trainer of transformers
# and rows of question and text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  happytransformer==3.0.1 torch==2.13.0 transformers==4.53.3 datasets==2.21.0 numpy==2.4.6
cat >"$folder/order.py" <<'PYTHON'
import sys

from happytransformer import HappyQuestionAnswering, QATrainArgs
from transformers import BertConfig, BertForQuestionAnswering, BertTokenizerFast

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] who won ? anna in oslo ."
folder = sys.argv[1]
with open(f"{folder}/vocab.txt", "w") as file:
    file.write("\n".join(PIECES.split()))
tokenizer = BertTokenizerFast(f"{folder}/vocab.txt", model_max_length=32)
size = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
}
BertForQuestionAnswering(BertConfig(len(tokenizer), **size)).save_pretrained(folder)
tokenizer.save_pretrained(folder)
rows = f"{folder}/rows.csv"
with open(rows, "w") as file:
    file.write("context,question,answer_text,answer_start\n")
    file.write("anna won in oslo .,who won ?,anna,0\n")

happy = HappyQuestionAnswering("BERT", folder)
seen = []


def watched(model, _, inputs):
    seen.append((inputs["input_ids"][0], inputs["token_type_ids"][0].tolist()))


happy.model.register_forward_pre_hook(watched, with_kwargs=True)
arguments = QATrainArgs(num_train_epochs=1, eval_steps=0, output_dir=f"{folder}/out")
for name, step in (
    ("train", lambda: happy.train(rows, arguments, eval_filepath=rows)),
    ("eval", lambda: happy.eval(rows)),
    ("answer_question", lambda: happy.answer_question("anna won in oslo .", "who won ?")),
):
    seen.clear()
    step()
    pieces = {" ".join(tokenizer.convert_ids_to_tokens(ids)) for ids, _ in seen}
    print(f"{name}:", *pieces, "| segments", *seen[0][1], file=sys.stderr)
PYTHON
"$folder/venv/bin/python" "$folder/order.py" "$folder" >"$folder/log" 2>&1
seen=$(grep -o "^[a-z_]*: \[CLS\].*" "$folder/log")
echo "$seen"
[ "$seen" = "train: [CLS] anna won in oslo . [SEP] who won ? [SEP] | segments 0 0 0 0 0 0 0 1 1 1 1
eval: [CLS] anna won in oslo . [SEP] who won ? [SEP] | segments 0 0 0 0 0 0 0 1 1 1 1
answer_question: [CLS] who won ? [SEP] anna won in oslo . [SEP] | segments 0 0 0 0 0 1 1 1 1 1 1" ]
