"""Entity F1 timed against seqeval: in ms, and as a ratio.

Run it as `python benchmarks/entities.py`, with seqeval installed. Both sides get the tags of 10,000
sentences, true and predicted, as lists of strings. It fails unless F1 is at least 10 times as fast,
or if the two differ. Only the fastest turn of each counts, so short loads of the machine affect
neither.
"""

import random
import sys
import warnings
from time import perf_counter

from bertlesson.entities import entity_f1
from bertlesson.report import entity_report

SENTENCES = 10_000
KINDS = ["PER", "LOC", "ORG", "MISC"]
BAR = 10
ROUNDS = {"ours": 15, "seqeval": 3}  # a turn of seqeval's takes far longer


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


def fastest(run, rounds: int) -> tuple[float, object]:
    """The time of the fastest turn, in ms, and what it returned."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        result = run()
        times.append(perf_counter() - start)
    return min(times) * 1e3, result


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

    missed = []
    print("step     seqeval   ours  ratio")
    for step, ours, theirs in (
        ("F1", lambda: entity_f1(truth, predicted), lambda: f1_score(truth, predicted)),
        (
            "report",
            lambda: str(entity_report(truth, predicted)),
            lambda: classification_report(truth, predicted),
        ),
    ):
        their_time, theirs_is = fastest(theirs, ROUNDS["seqeval"])
        our_time, ours_is = fastest(ours, ROUNDS["ours"])
        ratio = their_time / our_time
        print(f"{step:8} {their_time:7.0f} {our_time:6.1f} {ratio:6.1f}  (at least {BAR})")
        same = ours_is == theirs_is if step == "report" else abs(ours_is - theirs_is) < 1e-12
        if not same:
            missed.append(f"{step}: {ours_is}, expected {theirs_is}")
        if ratio < BAR:
            missed.append(f"{step}: {ratio:.1f} times as fast, expected {BAR}")
    for line in missed:
        print(line, file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
