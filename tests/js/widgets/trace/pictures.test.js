import assert from "node:assert/strict";
import { test } from "node:test";
import { allOf, markup } from "../../page.js";

const { bars, calculation, chips, drawLine, fateLines, ladder, minus, sentenceCards, shares } =
  await import("../../../../docs/assets/widgets/trace/pictures.js");

/** @type {import("../../../../docs/assets/widgets/trace/walk.js").Input} */
const INPUT = {
  texts: ["The goat.", "It slept."],
  pieces: ["[CLS]", "the", "goat", "slept"],
  ids: [1, 7, 8, 9],
  segments: [0, 0, 0, 1],
  selectable: [false, true, true, true],
  select_draw: [0, 0.1, 0.5, 0.05],
  fate_draw: [0, 0.25, 0, 0.95],
  fates: ["", "masked", "", "kept"],
  seen: ["[CLS]", "[MASK]", "goat", "slept"],
  vocabulary: 10,
};

/** @type {(element: HTMLElement, kind: string) => string[]} */
const texts = (element, kind) => allOf(element, kind).map(({ textContent }) => textContent);

/** @type {(element: HTMLElement, kind: string) => (string | undefined)[][]} */
const places = (element, kind) =>
  allOf(element, kind).map(({ style }) => [style.left, style.width]);

test("bars start at zero, to the left for negative numbers", () => {
  const made = bars([
    { name: "a", value: -1 },
    { name: "b", value: 3, strong: true },
  ]);
  assert.deepEqual(places(made, "fill"), [
    ["0%", "25%"],
    ["25%", "75%"],
  ]);
  assert.deepEqual(places(made, "zero"), [
    ["25%", undefined],
    ["25%", undefined],
  ]);
  assert.deepEqual(texts(made, "number"), ["−1.00000", "3.00000"]);
  assert.deepEqual(texts(made, "name strong"), ["b"]);
});

test("a bar may start where another ends, and all have the mark", () => {
  const made = bars(
    [
      { name: "a", value: 1 },
      { name: "b", value: 2, from: 1 },
    ],
    { mark: 4 },
  );
  assert.deepEqual(places(made, "fill"), [
    ["0%", "25%"],
    ["25%", "50%"],
  ]);
  assert.deepEqual(places(made, "limit"), [
    ["100%", undefined],
    ["100%", undefined],
  ]);
  assert.deepEqual(places(made, "zero"), [], "nothing is left of it");
  const unmarked = bars([{ name: "a", value: 1, from: 3 }]);
  assert.deepEqual(places(unmarked, "fill"), [["75%", "25%"]]);
  assert.deepEqual(places(bars([{ name: "none", value: 0 }]), "fill"), [["0%", "0%"]]);
});

test("shares have a row each, and their sum if it is wanted", () => {
  const rows = [
    { name: "a", logit: 0, exp: 1, share: 0.25, strong: true },
    { name: "b", exp: 3, share: 0.75, derived: true },
  ];
  const made = shares(rows, { digits: 1, shareDigits: 2 });
  const numbers = ["0.00000", "1.0", "0.25", "", "3.0", "0.75", "", "4.0", "1"];
  assert.deepEqual(texts(made, "number"), numbers);
  assert.deepEqual(places(made, "fill"), [
    [undefined, "25%"],
    [undefined, "75%"],
  ]);
  assert.match(markup(made), /^<div class="grid shares">/);
  assert.match(markup(made), /<span class="number" data-derived="">0\.75</);
  assert.deepEqual(texts(shares(rows, { sum: false }), "sum"), []);
  assert.match(markup(shares([...rows, rows[0]])), /^<div class="grid shares long">/);
});

test("a difference is a calculation whose last number is the result", () => {
  assert.equal(minus([3, "a"], [1, "b"], [2, "c"]).textContent, "3.00000 a−1.00000 b=2.00000 c");
  assert.deepEqual(texts(calculation(["1", "a"], "=", ["1", "b"]), "result"), ["1 b"]);
});

test("chips show what the model sees, and what is below each", () => {
  assert.deepEqual(texts(chips(INPUT), "token"), INPUT.pieces);
  assert.equal(texts(chips(INPUT, { fates: true }), "masked")[0], "▢ [MASK] the");
  assert.equal(texts(chips(INPUT, { fates: true }), "kept")[0], "= slept");
  assert.deepEqual(texts(chips(INPUT), "structural"), ["[CLS]"]);
  assert.deepEqual(texts(chips(INPUT), "segment-b"), ["slept"]);
  const made = chips(INPUT, { selected: true, under: (n) => INPUT.ids[n] });
  assert.deepEqual(texts(made, "chosen"), ["7", "9"]);
  assert.deepEqual(texts(made, "stack"), ["[CLS]1", "the7", "goat8", "slept9"]);
});

test("draws are marked where they fall, the selected ones as such", () => {
  assert.deepEqual(places(drawLine(INPUT), "mark"), [
    ["10%", undefined],
    ["50%", undefined],
    ["5%", undefined],
  ]);
  assert.deepEqual(places(drawLine(INPUT), "chosen"), [
    ["10%", undefined],
    ["5%", undefined],
  ]);
  assert.deepEqual(
    places(drawLine(INPUT), "zone").map(([, width]) => width),
    ["15%", "85%"],
  );
  assert.deepEqual(texts(fateLines(INPUT), "name"), ["the", "slept"]);
  assert.deepEqual(texts(fateLines(INPUT), "fate"), ["▢ masked", "= kept"]);
  assert.deepEqual(places(fateLines(INPUT), "chosen"), [
    ["25%", undefined],
    ["95%", undefined],
  ]);
});

test("a long sentence is shortened", () => {
  const made = sentenceCards({ texts: ["a".repeat(500), "b"] });
  assert.deepEqual(texts(made, "card"), [`A ${"a".repeat(400)} …`, "B b"]);
  assert.deepEqual(texts(made, "second"), ["B b"]);
});

test("a ladder ends at the new weight", () => {
  const made = ladder([
    ["w", 0.5, "before"],
    ["w", -0.25, "after"],
  ]);
  assert.deepEqual(texts(made, "name"), ["w", "new w"]);
  assert.deepEqual(texts(made, "result"), ["new w −2.500000000e−01 after"]);
});
