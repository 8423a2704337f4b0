#!/usr/bin/env bash
# simpletransformers 0.70.8 (transformers 4.53.3, torch 2.13.0), NERModel with a file in CoNLL format
#
# Guess: a word and its tag are apart by white space, a tab or a space, as CoNLL files have it. A file
# that is read otherwise is refused.
# Seen: lines are split at spaces. Of a line with a tab, all is the word, and a word without a tag counts
# as O, for files to predict. The tag becomes text that the model reads, and nothing is there to learn:
#
#     space: [CLS] Anna Berg lives in Oslo [SEP] | B-PER I-PER O O B-LOC
#     tab: [CLS] Anna B - PER Berg I - PER lives O in O Oslo B - LOC [SEP] | O O O O O
#
# Nothing is said, and the loss falls quickly. Write the file with one space in each line, or pass a data
# frame with sentence_id, words and labels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==4.53.3 torch==2.13.0 datasets==5.0.1 pandas==3.0.6 numpy==2.4.6 scipy==1.17.1 \
  scikit-learn==1.9.1 seqeval==1.2.2 tensorboardX==2.6.5 tensorboard==2.21.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps \
  simpletransformers==0.70.8
cat >"$folder/tags.py" <<'PYTHON'
from simpletransformers.ner import NERModel
from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] Anna Berg lives in Oslo B I O PER LOC -"
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
rows = [("Anna", "B-PER"), ("Berg", "I-PER"), ("lives", "O"), ("in", "O"), ("Oslo", "B-LOC")]
with open("vocab.txt", "w") as file:
    file.write("\n".join(PIECES.split()))
tokenizer = BertTokenizerFast("vocab.txt", do_lower_case=False, model_max_length=32)
size = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
}
config = BertConfig(len(tokenizer), num_labels=len(TAGS), **size)
BertForTokenClassification(config).save_pretrained("model")
tokenizer.save_pretrained("model")
options = {
    "max_seq_length": 32,
    "no_save": True,
    "overwrite_output_dir": True,
    "reprocess_input_data": True,
    "silent": True,
    "use_multiprocessing": False,
}
for name, separator in ("space", " "), ("tab", "\t"):
    with open(f"{name}.txt", "w") as file:
        file.writelines(f"{word}{separator}{tag}\n" for word, tag in rows)
    model = NERModel("bert", "model", labels=TAGS, args=dict(options), use_cuda=False)

    def watched(module, _, inputs):
        pieces = tokenizer.decode(inputs["input_ids"][0]).replace(" [PAD]", "")
        tags = [TAGS[label] for label in inputs["labels"][0] if label >= 0]
        print(f"{name}:", pieces, "|", *tags)

    model.model.register_forward_pre_hook(watched, with_kwargs=True)
    model.train_model(f"{name}.txt")
PYTHON
seen=$(cd "$folder" && venv/bin/python tags.py 2>log | grep "\[CLS\]")
echo "$seen"
[ "$seen" = "space: [CLS] Anna Berg lives in Oslo [SEP] | B-PER I-PER O O B-LOC
tab: [CLS] Anna B - PER Berg I - PER lives O in O Oslo B - LOC [SEP] | O O O O O" ]
