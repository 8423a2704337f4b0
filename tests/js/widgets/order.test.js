import assert from "node:assert/strict";
import { test } from "node:test";
import {
  afterCheck,
  departureOf,
  isOver,
  messageOn,
  moved,
  orderOf,
  orderToShow,
  rankOf,
  verdictOn,
  WORDS,
} from "../../../docs/assets/widgets/order/model.js";
import { sumOf } from "../../../docs/assets/widgets/score/model.js";

/** @type {(chosen: number[], done?: boolean, shown?: boolean) => import("../../../docs/assets/widgets/score/model.js").Entry} */
const entry = (chosen, done = false, shown = false) => ({ chosen, done, shown });

// three lines; 012 and 021 are right, 102 is a known mistake, 120 another result, 2.. stops
const PUZZLE = {
  shuffled: [2, 1, 0],
  results: [
    { text: "right", stops: null, word: null },
    { text: "late", stops: null, word: "The copy comes too late." },
    { text: "else", stops: null, word: null },
    { text: "NameError: name 'a' is not defined", stops: 0, word: null },
    { text: "NameError: name 'b' is not defined", stops: 3, word: null },
  ],
  of: [0, 0, 1, 2, 3, 4],
};

test("ranks are those of Python's permutations", () => {
  const all = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  assert.deepEqual(all.map(rankOf), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((rank) => orderOf(rank, 3)),
    all,
  );
  assert.equal(rankOf([6, 5, 4, 3, 2, 1, 0]), 5039);
  for (const rank of [0, 1, 719, 720, 3333, 5039]) assert.equal(rankOf(orderOf(rank, 7)), rank);
});

test("a line is moved up and down", () => {
  assert.deepEqual(moved([3, 1, 2], 0, 1), [1, 3, 2]);
  assert.deepEqual(moved([3, 1, 2], 2, 1), [3, 2, 1]);
  assert.deepEqual(moved([3, 1, 2], 0, 2), [1, 2, 3]);
});

test("an order leaves all right ones at a line", () => {
  assert.equal(departureOf(PUZZLE, [1, 2, 0]), 0);
  assert.equal(departureOf({ ...PUZZLE, of: [0, 2, 2, 2, 2, 2] }, [0, 2, 1]), 1);
});

test("what is said of each kind of order", () => {
  assert.deepEqual(verdictOn(PUZZLE, [0, 2, 1]), {
    right: true,
    text: "It computes what it should.",
    line: null,
    computes: "right",
  });
  assert.deepEqual(verdictOn(PUZZLE, [1, 0, 2]), {
    right: false,
    text: "It runs, but: The copy comes too late.",
    line: null,
    computes: "late",
  });
  assert.deepEqual(verdictOn(PUZZLE, [1, 2, 0]), {
    right: false,
    text: "It runs, but computes something else. No order that works begins with line 1.",
    line: 0,
    computes: "else",
  });
  assert.deepEqual(verdictOn(PUZZLE, [2, 0, 1]), {
    right: false,
    text: "Python stops at line 1. NameError: name 'a' is not defined.",
    line: 0,
    computes: null,
  });
  const last = verdictOn(PUZZLE, [2, 1, 0]);
  assert.match(last.text, /^Python stops at the last line\. /);
  assert.equal(last.line, null);
  const later = verdictOn({ ...PUZZLE, of: [0, 2, 2, 2, 2, 2] }, [0, 2, 1]);
  assert.match(later.text, /up to line 1; line 2 is out of place\.$/);
});

test("each order counts once, and a right one ends it", () => {
  assert.deepEqual(afterCheck(entry([]), 4, false), entry([4]));
  const tried = entry([4]);
  assert.equal(afterCheck(tried, 4, false), tried);
  assert.deepEqual(afterCheck(tried, 0, true), entry([4, 0], true));
  const over = [entry([0], true), entry([], false, true)];
  for (const each of over) assert.equal(afterCheck(each, 3, false), each);
  assert.deepEqual([tried, ...over].map(isOver), [false, true, true]);
});

test("a puzzle begins with the order that was checked last", () => {
  assert.deepEqual(orderToShow(PUZZLE, entry([])), [2, 1, 0]);
  assert.deepEqual(orderToShow(PUZZLE, entry([4, 3])), [1, 2, 0]);
  for (const nonsense of [-1, 6, 99]) {
    assert.deepEqual(orderToShow(PUZZLE, entry([nonsense])), [2, 1, 0]);
  }
});

test("the message above the lines, and the score", () => {
  assert.equal(messageOn(entry([]), null), "Put the lines in order.");
  assert.equal(messageOn(entry([4, 0], true), null), "✓ In order at the second try.");
  assert.equal(messageOn(entry([], false, true), null), "→ An order that works is below.");
  assert.match(messageOn(entry([4]), verdictOn(PUZZLE, [2, 0, 1])), /^✗ Python stops/);
  assert.match(sumOf(WORDS, [entry([]), entry([])]), /^Move the lines/);
  const some = [entry([0], true), entry([4]), entry([4, 0], true), entry([], false, true)];
  const sum = "In order: 2 of 4, 1 at the first try, 1 looked up; 4 tries in all.";
  assert.equal(sumOf(WORDS, some), sum);
});
