import assert from "node:assert/strict";
import { test } from "node:test";
import { seededDraws } from "../../../docs/assets/bert/masking.js";
import { drawPair, IS_NEXT, IS_RANDOM, labelOf } from "../../../docs/assets/bert/pairs.js";

const STORIES = ["abcd", "efgh", "ijkl"].map((story) =>
  [...story].map((text) => ({ text, size: 5 })),
);

test("half of the drawn pairs follow each other, and the others come from two stories", () => {
  const draw = seededDraws(3);
  const pairs = Array.from({ length: 400 }, () => drawPair(STORIES, 20, draw));
  for (const { a, b, label } of pairs) {
    const [from, to] = [a, b].map((passage) =>
      STORIES.findIndex((story) => story.some(({ text }) => passage.includes(text))),
    );
    assert.equal(from === to, label === IS_NEXT, `${a} | ${b}`);
    assert.equal(labelOf(STORIES, a, b), label);
    assert.ok(a.split(" ").length + b.split(" ").length <= 4, "it fits the room");
  }
  const next = pairs.filter(({ label }) => label === IS_NEXT).length;
  assert.ok(next > 160 && next < 240, `${next} of 400`);
});

test("a pair of the stories has a label, any other has none", () => {
  assert.equal(labelOf(STORIES, "a b", "c"), IS_NEXT);
  assert.equal(labelOf(STORIES, "a", "f g"), IS_RANDOM);
  assert.equal(labelOf(STORIES, "a", "c"), null, "of one story, but not one after the other");
  assert.equal(labelOf(STORIES, "a", "unheard"), null);
});

test("stories that give no pair are an error, not an endless search", () => {
  assert.throws(() => drawPair([], 20, Math.random), /no pair can be drawn/);
  assert.throws(() => drawPair(STORIES, 5, Math.random), /no pair can be drawn/);
});

test("neither its first nor its last sentence tells a random B from a true one", () => {
  const draw = seededDraws(4);
  const seen = new Set();
  for (let time = 0; time < 400; time++) {
    const { a, b, label } = drawPair(STORIES, 15, draw); // three of the four sentences of a story
    const opens = (/** @type {string} */ text) => "aei".includes(text[0]);
    const closes = (/** @type {string} */ text) => "dhl".includes(text.at(-1) ?? "");
    assert.ok(!opens(b), `${a} | ${b}`);
    // what begins with the first sentence stops before the last
    assert.equal(closes(b), !opens(a), `${a} | ${b}`);
    assert.equal(labelOf(STORIES, a, b), label, "a random one is from another story");
    seen.add(`${label} ${closes(b)}`);
  }
  assert.equal(seen.size, 4);
});

test("both passages fit the room to the token", () => {
  const draw = seededDraws(5);
  for (let time = 0; time < 200; time++) {
    const { a, b } = drawPair(STORIES, 14, draw); // sentences have 5 tokens
    assert.equal(`${a} ${b}`.split(" ").length, 2);
  }
});

test("a random B follows A in no story", () => {
  const draw = seededDraws(6);
  const stories = [...STORIES, [..."xbyz"].map((text) => ({ text, size: 5 }))];
  let random = 0;
  for (let time = 0; time < 400; time++) {
    const { a, b, label } = drawPair(stories, 20, draw);
    if (label !== IS_RANDOM) continue;
    random++;
    assert.ok(!(a.endsWith("a") && b.startsWith("b")), `${a} | ${b}`);
  }
  assert.ok(random > 100);
});
