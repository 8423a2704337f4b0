"""Questions encoded and answers decoded, timed against the way of transformers' example scripts.

Run it as `python benchmarks/answers.py`. It fails unless `encode_questions` and `decode_answers`
together are at least 3 times as fast, and hold at most a tenth of the memory. The other side does
what `run_qa.py` and `utils_qa.py` of transformers' examples do: rows of one length as lists, a loop
over the 20 best starts and ends of each row, and a list of the 20 best answers. Both get the same
random logits, made beforehand.

Each side runs alone in a process of its own, in turns, so that its peak memory can be read. Both
work through the questions in parts of a thousand, as `datasets` does with `map`; ours also decodes
each part before the next, which the other cannot, since its decoding asks for all rows.
"""

import argparse
import random
import resource
import subprocess
import sys
from time import process_time

import numpy as np
import torch
from sides import Table, row_of
from transformers import BertTokenizer

from bertlesson.answers import decode_answers
from bertlesson.spans import encode_questions

LENGTH, STRIDE = 384, 128  # pieces
BEST, LONGEST = 20, 30
PART = 1000
PER_CONTEXT = 5  # questions, about as many as in SQuAD
BARS = {"s": 3.0, "MB": 10.0}


def make_data(count):
    """A tokenizer, and questions of SQuAD's length: about 11 words, 120 in a context."""
    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(8000)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *",.?"]
    pieces += [f"##{letter}" for letter in letters] + words[:6000]
    vocab = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    contexts = []
    for _ in range(-(-count // PER_CONTEXT)):
        length = int(rng.lognormvariate(4.75, 0.4))
        text = rng.choices(words[:6100], k=length)
        contexts.append(" ".join(word + rng.choice(["", "", "", ",", "."]) for word in text))
    questions = [" ".join(rng.choices(words[:6000], k=11)) + "?" for _ in range(count)]
    tokenizer = BertTokenizer(vocab=vocab, model_max_length=LENGTH)
    return tokenizer, questions, [contexts[number // PER_CONTEXT] for number in range(count)]


def our_way(tokenizer, questions, contexts, logits):
    found, row = [], 0
    for begin in range(0, len(questions), PART):
        part = slice(begin, begin + PART)
        made = encode_questions(tokenizer, questions[part], contexts[part], stride=STRIDE)
        rows, length = made.features["input_ids"].shape
        starts, ends = (torch.from_numpy(each[row : row + rows, :length]) for each in logits)
        found += decode_answers(starts, ends, made, max_answer_length=LONGEST)
        row += rows
    return found


def their_way(tokenizer, questions, contexts, logits):
    features = []
    for begin in range(0, len(questions), PART):
        part = slice(begin, begin + PART)
        encoded = tokenizer(
            questions[part],
            contexts[part],
            truncation="only_second",
            max_length=LENGTH,
            stride=STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding="max_length",
        )
        numbers = encoded["overflow_to_sample_mapping"]
        for row, number in enumerate(numbers):
            sequences = encoded.sequence_ids(row)
            offsets = encoded["offset_mapping"][row]
            kept = [
                place if of == 1 else None for place, of in zip(offsets, sequences, strict=True)
            ]
            names = ("input_ids", "token_type_ids", "attention_mask")
            feature = {name: encoded[name][row] for name in names}
            features.append(feature | {"offset_mapping": kept, "example": begin + number})
    of_question = [[] for _ in questions]
    for row, feature in enumerate(features):
        of_question[feature["example"]].append(row)
    found, all_best = [], []
    for rows, context in zip(of_question, contexts, strict=True):
        spans = []
        for row in rows:
            starts, ends = logits[0][row], logits[1][row]
            offsets = features[row]["offset_mapping"]
            for first in np.argsort(starts)[: -BEST - 1 : -1].tolist():
                for last in np.argsort(ends)[: -BEST - 1 : -1].tolist():
                    if offsets[first] is None or offsets[last] is None:
                        continue
                    if last < first or last - first + 1 > LONGEST:
                        continue
                    spans.append(
                        {
                            "offsets": (offsets[first][0], offsets[last][1]),
                            "score": starts[first] + ends[last],
                            "start_logit": starts[first],
                            "end_logit": ends[last],
                        }
                    )
        best = sorted(spans, key=lambda span: span["score"], reverse=True)[:BEST]
        best = best or [{"offsets": (0, 0), "score": 0.0}]
        scores = np.array([span["score"] for span in best])
        weights = np.exp(scores - np.max(scores))
        for span, share in zip(best, weights / weights.sum(), strict=True):
            span["text"] = context[slice(*span["offsets"])]
            span["probability"] = share
        all_best.append([{name: as_float(each) for name, each in span.items()} for span in best])
        found.append(best[0]["offsets"])
    return found


def as_float(value):
    return float(value) if isinstance(value, np.float32) else value


def measure(way, count):
    """Print the seconds of a core it took, and the memory that it added at its peak, in MB."""
    torch.set_num_threads(1)
    tokenizer, questions, contexts = make_data(count)
    draw = np.random.default_rng(0).standard_normal
    logits = [draw((2 * count, LENGTH), dtype=np.float32) for _ in range(2)]  # more than rows
    run = WAYS[way]
    run(tokenizer, questions[:50], contexts[:50], logits)  # once for what is loaded and kept
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = process_time()
    run(tokenizer, questions, contexts, logits)
    seconds = process_time() - start
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(seconds, added / (1024**2 if sys.platform == "darwin" else 1024))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="for the page")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        measure(options.way, options.questions)
        return 0
    results = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way, kept in results.items():
            command = [sys.executable, __file__, "--way", way]
            command += ["--questions", str(options.questions)]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            kept.append([float(number) for number in run.stdout.split()])
    table = Table("answers", "transformers", ("torch", "transformers", "tokenizers"))
    for column, (unit, bar) in enumerate(BARS.items()):
        sides = [[kept[column] for kept in results[way]] for way in WAYS]
        what = {"s": f"{options.questions:,} questions", "MB": "memory held for them"}[unit]
        table.add(row_of(what, unit, *sides), bar)
    return table.end()


WAYS = {"theirs": their_way, "ours": our_way}

if __name__ == "__main__":
    sys.exit(main())
