import "../page.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clean,
  missOf,
  numberIn,
  summaryOf,
  verdictOn,
} from "../../../docs/assets/widgets/guess/model.js";

/** @type {(guess: number | null, measured?: number, bound?: number) => import("../../../docs/assets/widgets/guess/model.js").Kept} */
const kept = (guess, measured = 0.75, bound = 0.5) => ({ guess, measured, bound });

test("a number is read however it is written", () => {
  const read = {
    0.5: 0.5,
    ".5": 0.5,
    "50%": 0.5,
    " 93.5 % ": 0.935,
    "1,000": 1000,
    "1,234,567.5": 1234567.5,
    "2e6": 2e6,
    "-1": -1,
    "−0.5": -0.5,
    "7.": 7,
  };
  for (const [text, number] of Object.entries(read)) assert.equal(numberIn(text), number, text);
});

test("what is no number is none", () => {
  for (const text of [
    "",
    " ",
    "%",
    "half",
    "1 2",
    "0.5.5",
    "0,5",
    "1e999",
    "--1",
    "<b>1</b>",
    ".",
  ]) {
    assert.equal(numberIn(text), null, text);
  }
});

test("a guess is off by a share of the larger side", () => {
  assert.equal(missOf(kept(0.75)), 0);
  assert.equal(missOf(kept(0.6, 0.75, 0.5)), (0.75 - 0.6) / 0.75);
  assert.equal(missOf(kept(0.05, 0.002, 0.15)), 0.048 / 0.15);
});

test("what is said of a guess", () => {
  assert.equal(verdictOn(kept(0.7, 0.7462)), "you guessed 0.7: 0.046 too low");
  assert.equal(verdictOn(kept(0.8, 0.75)), "you guessed 0.8: 0.05 too high");
  assert.equal(verdictOn(kept(0.75, 0.7502)), "you guessed 0.75: right");
  assert.equal(verdictOn(kept(1_000_000, 724_310)), "you guessed 1,000,000: 276,000 too high");
  assert.equal(verdictOn(kept(0, 0.002)), "you guessed 0: 0.002 too low");
  assert.equal(verdictOn(kept(null)), "you looked it up");
});

test("all guesses in a sentence", () => {
  assert.equal(
    summaryOf([kept(0.6)], 50),
    "You have guessed 1 of 50 numbers. It was within 20% of the larger side of the claim.",
  );
  const three = [kept(0.6), kept(0.75), kept(null), kept(0.3)];
  assert.equal(
    summaryOf(three, 50),
    "You have guessed 3 of 50 numbers, and looked up 1. Half of your guesses were within 20% of " +
      "the larger side of the claim.",
  );
  assert.equal(summaryOf([kept(null)], 9), "You have guessed 0 of 9 numbers, and looked up 1.");
});

test("whatever the browser has kept, only sound guesses are read", () => {
  const sound = kept(0.5);
  const read = clean({
    a: sound,
    b: { guess: null, measured: 1, bound: 2 },
    c: { guess: "0.5", measured: 1, bound: 2 },
    d: { guess: 1, measured: "x", bound: 2 },
    e: null,
    f: 7,
  });
  assert.deepEqual([...read.keys()], ["a", "b"]);
  assert.deepEqual(read.get("a"), sound);
  for (const rubbish of [null, undefined, 3, "x", [1, 2]]) assert.equal(clean(rubbish).size, 0);
});
