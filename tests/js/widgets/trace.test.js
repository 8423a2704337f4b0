import assert from "node:assert/strict";
import { test } from "node:test";
import {
  inWords,
  readState,
  START,
  stateForLink,
  stepAfterKey,
  turnOf,
} from "../../../docs/assets/widgets/trace/model.js";
import "../page.js";

const { findLines } = await import("../../../docs/assets/widgets/trace/code.js");

/** @param {string} parameters */
const read = (parameters, before = START) => readState(new URLSearchParams(parameters), before, 25);

test("a link brings a step, and a text with its draw", () => {
  assert.deepEqual(read("step=3"), { ...START, step: 2 });
  assert.deepEqual(read("step=25&text=A.&seed=7"), { step: 24, own: true, text: "A.", seed: 7 });
  assert.deepEqual(read("text="), { ...START, own: true, text: "", seed: 0 });
});

test("what a link lacks, or has wrong, stays as it is", () => {
  const before = { step: 4, own: true, text: "A.", seed: 9 };
  for (const step of ["", "0", "26", "-1", "1.5", "NaN", "<b>"]) {
    assert.deepEqual(read(`step=${step}`, before), { ...before, own: false });
  }
  for (const seed of ["-1", "1.5", "x", "1e400", "4294967296"]) {
    assert.equal(read(`text=A&seed=${seed}`, before).seed, 1);
  }
  assert.equal(read("text=A&seed=4294967295").seed, 2 ** 32 - 1);
});

test("a link has the text only if it is shown, and not more than a link can hold", () => {
  assert.deepEqual(stateForLink(START), { step: 1 });
  const own = { step: 1, own: true, text: "a".repeat(3000), seed: 4 };
  assert.deepEqual(stateForLink(own), { step: 2, text: "a".repeat(2000), seed: 4 });
});

test("keys lead to the next step, and to the first and last one", () => {
  const keys = ["ArrowLeft", "ArrowRight", "Home", "End", "Enter"];
  assert.deepEqual(
    keys.map((key) => stepAfterKey(key, 3, 25)),
    [2, 4, 0, 24, undefined],
  );
});

test("a finger turns the page if it moves to the side, and far enough", () => {
  assert.equal(turnOf(-41, 10), 1);
  assert.equal(turnOf(41, -10), -1);
  assert.equal(turnOf(-40, 0), 0, "too short");
  assert.equal(turnOf(-60, 41), 0, "it scrolls");
  assert.equal(turnOf(-60, 39), 1);
});

test("what a draw has selected, in words", () => {
  const input = { fates: /** @type {any} */ (["", "masked", "kept", ""]), selectable: [false] };
  assert.equal(
    inWords({ ...input, selectable: [false, true, true, true] }, 4),
    "Draw 4: selected 2 of 3.",
  );
});

test("a line of code is found by its beginning, with all that its brackets hold", () => {
  const lines = ["a = 1", "  b = f(", "    [1,", "    2],", "  )", "c = 3", "d = ("].map(
    (textContent) => ({ textContent }),
  );
  /** @param {string[]} beginnings */
  const found = (...beginnings) => findLines(lines, beginnings).map((line) => lines.indexOf(line));
  assert.deepEqual(found("b ="), [1, 2, 3, 4]);
  assert.deepEqual(found("c =", "a ="), [5, 0]);
  assert.deepEqual(found("x ="), []);
  assert.deepEqual(found("d ="), [], "it does not end");
});
