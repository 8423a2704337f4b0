import assert from "node:assert/strict";
import { test } from "node:test";
import {
  adviceOn,
  afterChoice,
  isOver,
  lineAfterKey,
  nameOf,
  verdictOn,
  WORDS,
} from "../../../docs/assets/widgets/bugs/model.js";
import { sumOf } from "../../../docs/assets/widgets/score/model.js";

const FAULTY = 3;

/** @typedef {import("../../../docs/assets/widgets/score/model.js").Entry} Entry */

/** @type {(chosen: number[], done?: boolean, shown?: boolean) => Entry} */
const entry = (chosen, done = false, shown = false) => ({ chosen, done, shown });

test("each line counts once, and the faulty one ends the search", () => {
  assert.deepEqual(afterChoice(entry([]), 1, FAULTY), entry([1]));
  const tried = entry([1]);
  assert.equal(afterChoice(tried, 1, FAULTY), tried);
  assert.deepEqual(afterChoice(tried, FAULTY, FAULTY), entry([1, 3], true));
  assert.deepEqual([tried, entry([3], true), entry([], false, true)].map(isOver), [
    false,
    true,
    true,
  ]);
});

test("a verdict is known of the lines that were tried, of the faulty one when it is over", () => {
  /** @param {Entry} of */
  const verdicts = (of) => [0, 1, FAULTY].map((line) => verdictOn(of, line, FAULTY));
  assert.deepEqual(verdicts(entry([1])), ["", "innocent", ""]);
  assert.deepEqual(verdicts(entry([1, 3], true)), ["", "innocent", "faulty"]);
  assert.deepEqual(verdicts(entry([0], false, true)), ["innocent", "", "faulty"]);
});

test("a line has a name with its number, its verdict and its code", () => {
  assert.equal(nameOf(0, "", "  a = 1"), "line 1, a = 1");
  assert.equal(nameOf(1, "innocent", "b"), "line 2, not this one: b");
  assert.equal(nameOf(2, "faulty", "c"), "line 3, the faulty line: c");
});

test("what a reader is told, and where a button leads", () => {
  /** @type {(of: Entry, line: number | null, hasHint?: boolean) => (string | undefined)[]} */
  const told = (of, line, hasHint = true) => {
    const { text, next } = adviceOn(of, FAULTY, line, hasHint);
    return [text, next?.label, next?.to];
  };
  const nothing = ["Which line is wrong? Click it.", undefined, undefined];
  assert.deepEqual(told(entry([]), null), nothing);
  assert.deepEqual(told(entry([1]), null), nothing, "as after coming back to the page");
  const notThis = "✗ Not this one: it does what it should.";
  assert.deepEqual(told(entry([1]), 1), [notThis, "A hint", "hint"]);
  assert.deepEqual(told(entry([1]), 1, false), [notThis, "Show me", "answer"]);
  for (const line of [2, 4]) {
    assert.equal(told(entry([line]), line)[0], "✗ Not this one, but you are very close.");
  }
  const found = ["✓ Found at the second try.", "Why?", "answer"];
  assert.deepEqual(told(entry([1, 3], true), 3), found);
  assert.deepEqual(told(entry([1], false, true), null), ["→ This is the line.", "Why?", "answer"]);
});

test("keys stay within the lines", () => {
  const keys = ["ArrowDown", "ArrowUp", "Home", "End", "Enter"];
  /** @param {number} line */
  const from = (line) => keys.map((key) => lineAfterKey(key, line, 5));
  assert.deepEqual(from(2), [3, 1, 0, 4, undefined]);
  assert.deepEqual(from(0).slice(0, 2), [1, 0]);
  assert.deepEqual(from(4).slice(0, 2), [4, 3]);
});

test("the score in words", () => {
  assert.match(sumOf(WORDS, [entry([]), entry([])]), /^Click the line that is wrong\./);
  assert.equal(
    sumOf(WORDS, [entry([3], true), entry([1, 3], true), entry([2]), entry([])]),
    "Found 2 of 4, 1 at the first try; 4 tries in all.",
  );
  assert.equal(
    sumOf(WORDS, [entry([1], false, true)]),
    "Found 0 of 1, 0 at the first try, 1 looked up; 1 try in all.",
  );
});
