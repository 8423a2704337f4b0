import assert from "node:assert/strict";
import { test } from "node:test";
import {
  atTry,
  clean,
  isNew,
  statusOf,
  sumOf,
  triesInAll,
} from "../../../docs/assets/widgets/score/model.js";

/** @typedef {import("../../../docs/assets/widgets/score/model.js").Entry} Entry */

/** @type {(chosen: number[], done?: boolean, shown?: boolean) => Entry} */
const entry = (chosen, done = false, shown = false) => ({ chosen, done, shown });

test("the status of a piece", () => {
  assert.equal(statusOf(entry([])), "new");
  assert.equal(statusOf(entry([3])), "open");
  assert.equal(statusOf(entry([3], true)), "first");
  assert.equal(statusOf(entry([], true)), "first");
  assert.equal(statusOf(entry([3, 1], true)), "done");
  assert.equal(statusOf(entry([3], false, true)), "shown");
  assert.ok(isNew(entry([])));
});

test("an entry is sound, whatever the browser has kept", () => {
  for (const rubbish of [
    null,
    undefined,
    3,
    "x",
    [],
    {},
    { chosen: "no", done: 1, shown: "true" },
  ]) {
    assert.deepEqual(clean(rubbish), entry([]));
  }
  assert.deepEqual(clean({ chosen: [1, "2", 2.5, 3], done: true }), entry([1, 3], true));
});

test("tries in words", () => {
  assert.equal(triesInAll([entry([1]), entry([])]), "1 try in all");
  assert.equal(triesInAll([entry([1, 2]), entry([0])]), "3 tries in all");
  assert.deepEqual([1, 6, 7].map(atTry), [
    "at the first try",
    "at the sixth try",
    "at the 7th try",
  ]);
});

test("a sum counts how many pieces have a status", () => {
  /** @type {import("../../../docs/assets/widgets/score/model.js").Words} */
  const words = {
    status: {},
    sum: (entries, count) => `${count("first")} and ${count("open")} of ${entries.length}`,
  };
  assert.equal(sumOf(words, [entry([1], true), entry([2]), entry([3])]), "1 and 2 of 3");
});
