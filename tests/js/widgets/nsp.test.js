import assert from "node:assert/strict";
import { test } from "node:test";
import { IS_NEXT, IS_RANDOM } from "../../../docs/assets/bert/pairs.js";
import {
  addRound,
  byHead,
  byOneWord,
  clues,
  NOTHING,
  namesIn,
  pointsInWords,
  readStories,
  soundPoints,
} from "../../../docs/assets/widgets/nsp/model.js";

const GARDEN = "Thea saw the garden in Lucca.";

test("stories have the sizes of their sentences; anything else is damaged", () => {
  assert.deepEqual(
    readStories([["a", "bc"]], (text) => text.length),
    [
      [
        { text: "a", size: 1 },
        { text: "bc", size: 2 },
      ],
    ],
  );
  for (const damaged of [null, {}, [], [[1]], ["a"]]) {
    assert.throws(() => readStories(damaged, () => 0), /damaged/);
  }
});

test("the head says what is more likely, the rule of one word what both mention", () => {
  assert.deepEqual([0.51, 0.5].map(byHead), [IS_NEXT, IS_RANDOM]);
  assert.equal(byOneWord({ a: GARDEN, b: "A garden!" }), IS_NEXT);
  assert.equal(byOneWord({ a: GARDEN, b: "The gardener at the zoo." }), IS_RANDOM);
});

test("a round counts for everyone who was right", () => {
  const said = { label: IS_NEXT, guess: IS_NEXT, head: IS_RANDOM, word: IS_NEXT };
  const round = /** @type {Record<keyof typeof said, 0 | 1>} */ (said);
  const points = addRound(addRound(NOTHING, round), round);
  assert.deepEqual(points, { rounds: 2, reader: 2, head: 0, word: 2 });
  assert.equal(
    pointsInWords(points),
    "Right so far, of 2 pairs: you 2, the head 0, one word alone 2.",
  );
  assert.equal(pointsInWords(NOTHING), "");
});

test("points that cannot be are none", () => {
  const points = { rounds: 3, reader: 1, head: 2, word: 3 };
  assert.deepEqual(soundPoints(points), points);
  const rubbish = [null, "x", {}, { ...points, head: 4 }, { ...points, word: -1 }, { rounds: 1 }];
  for (const kept of rubbish) assert.equal(soundPoints(kept), NOTHING);
});

test("names are capitalized within a sentence, and no days", () => {
  const text = "Then Thea met Otto on Monday at the Copper Goose in Lucca, Petra said.";
  assert.deepEqual(namesIn(text), ["Thea", "Otto", "Copper Goose", "Lucca", "Petra"]);
});

test("clues tell what the words give away, and whether it is true", () => {
  /** @type {(a: string, b: string, label: 0 | 1 | null) => string} */
  const of = (a, b, label) => clues({ a, b, label }, ["Thea", "Lucca", "Copper Goose"]);
  assert.equal(
    of(GARDEN, "A garden.", IS_NEXT),
    "Both mention a garden. That one word settles it.",
  );
  assert.match(of(GARDEN, "A garden.", IS_RANDOM), /misleading here\.$/);
  assert.equal(of(GARDEN, "A garden.", null), "Both mention a garden.");
  assert.match(of(GARDEN, "A zoo.", IS_RANDOM), /^A mentions a garden, B a zoo. .* settles it\.$/);
  assert.equal(of(GARDEN, "A zoo.", IS_NEXT), "A mentions a garden, B a zoo.");
  assert.match(of(GARDEN, "She left.", null), /^B names no kind of place/);
  assert.match(of("She left.", "It rained.", null), /^Neither names a kind of place/);
  assert.match(
    of(GARDEN, "Thea left Lucca.", IS_RANDOM),
    /Both mention Thea and Lucca, by chance\.$/,
  );
});
