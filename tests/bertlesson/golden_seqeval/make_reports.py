"""Makes reports.json: run it where seqeval 1.2.2 is installed."""

import json
import random
import warnings
from pathlib import Path

from seqeval.metrics import classification_report
from seqeval.scheme import BILOU, IOB2, IOBES, IOE2

SCHEMES = {"IOB2": ("BI", IOB2), "IOE2": ("IE", IOE2), "IOBES": ("BIES", IOBES)}
SCHEMES |= {"BILOU": ("BILU", BILOU)}


def draw(rng, letters, kinds, words):
    outside = (rng.random() < 0.35 for _ in range(words))
    return ["O" if out else f"{rng.choice(letters)}-{rng.choice(kinds)}" for out in outside]


def main():
    warnings.filterwarnings("ignore")
    rng = random.Random(0)
    cases = []
    while len(cases) < 120:
        name = rng.choice(list(SCHEMES))
        letters, scheme = SCHEMES[name]
        kinds = ["PER", "LOC", "work-of-art", "_"][: rng.randint(1, 4)]
        truth = [draw(rng, letters, kinds, rng.randint(1, 9)) for _ in range(rng.randint(1, 5))]
        predicted = [
            [tag if rng.random() < 0.7 else draw(rng, letters, kinds, 1)[0] for tag in row]
            for row in truth
        ]
        # by default it does not know BILOU's letters
        strict = name == "BILOU" or rng.random() < 0.5
        settings = {"mode": "strict", "scheme": scheme} if strict else {}
        zero = rng.choice([0, 1])
        try:
            text = classification_report(truth, predicted, zero_division=zero, **settings)
        except ValueError:  # there is no entity
            continue
        rows = classification_report(
            truth, predicted, zero_division=zero, output_dict=True, **settings
        )
        cases.append(
            {
                "truth": [" ".join(row) for row in truth],
                "predicted": [" ".join(row) for row in predicted],
                "scheme": name if strict else None,
                "zero_division": zero,
                "rows": {key: [float(x) for x in row.values()] for key, row in rows.items()},
                "text": text,
            }
        )
    text = json.dumps({"version": "seqeval 1.2.2", "reports": cases}, indent=0)
    Path(__file__).with_suffix(".json").write_text(text + "\n", "utf-8")


main()
