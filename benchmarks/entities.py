"""Entity F1 and its report timed against seqeval.

Run it as `python benchmarks/entities.py`, with seqeval installed. Both sides get the tags of 10,000
sentences, true and predicted, as lists of strings. It fails unless each is at least 10 times as
fast, or if the two differ.
"""

import random
import sys
import warnings

from sides import Table

from bertlesson.entities import entity_f1
from bertlesson.report import entity_report

SENTENCES = 10_000
KINDS = ["PER", "LOC", "ORG", "MISC"]
BAR = 10
TURNS = 5


def draw(rng: random.Random) -> list[str]:
    """The tags of 5 to 35 words; about one in four is in a name."""
    tags: list[str] = []
    words = rng.randint(5, 35)
    while len(tags) < words:
        if rng.random() < 0.12:
            kind = rng.choice(KINDS)
            tags += [f"B-{kind}", *[f"I-{kind}"] * rng.randint(0, 2)]
        else:
            tags.append("O")
    return tags


def main() -> int:
    try:
        from seqeval.metrics import classification_report, f1_score
    except ImportError:
        print("seqeval is not installed; expected it: pip install seqeval==1.2.2", file=sys.stderr)
        return 1
    warnings.filterwarnings("ignore")
    rng = random.Random(0)
    truth = [draw(rng) for _ in range(SENTENCES)]
    wrong = ["O", "B-PER", "I-LOC"]
    predicted = [
        [tag if rng.random() < 0.97 else rng.choice(wrong) for tag in row] for row in truth
    ]

    table = Table("entities", "seqeval", ("seqeval",))
    for step, theirs, ours in (
        (
            "F1 of 10,000 sentences",
            lambda: f1_score(truth, predicted),
            lambda: entity_f1(truth, predicted),
        ),
        (
            "report on 10,000 sentences",
            lambda: classification_report(truth, predicted),
            lambda: str(entity_report(truth, predicted)),
        ),
    ):
        one, other = theirs(), ours()
        if one != other if isinstance(one, str) else abs(one - other) > 1e-12:
            print(f"{step}: {other}, expected {one}", file=sys.stderr)
            return 1
        table.compare(step, "ms", (theirs, ours), turns=TURNS, at_least=BAR)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
