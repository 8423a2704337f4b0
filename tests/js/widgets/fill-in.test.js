import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer } from "../../../docs/assets/bert/tokenizer.js";
import {
  askWhy,
  canBeHidden,
  EXAMPLES,
  follow,
  inWords,
  list,
  MASK,
  remarksOn,
  wordsAsTokens,
} from "../../../docs/assets/widgets/fill-in/model.js";

const tokenizer = new Tokenizer("[UNK] [CLS] [SEP] [MASK] the goat x ##y slept .".split(" "));

/** @param {string} text */
const pieces = (text) => text.split(" ").map((piece) => ({ piece }));

test("before the model has loaded, words are tokens at the same places", () => {
  const tokens = wordsAsTokens("The goat.");
  assert.deepEqual(
    tokens.map(({ piece }) => piece),
    ["[CLS]", "the", "goat", ".", "[SEP]"],
  );
  assert.deepEqual([tokens[2].start, tokens[2].end], [4, 8]);
  assert.deepEqual([...tokens, undefined].map(canBeHidden), [
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
});

test("a [MASK] that was typed cannot be hidden", () => {
  assert.equal(canBeHidden(tokenizer.tokenize(MASK)[0]), false);
});

test("each example hides tokens that can be hidden", () => {
  for (const { text, hidden } of EXAMPLES) {
    const tokens = wordsAsTokens(text);
    assert.ok(
      hidden.every((place) => canBeHidden(tokens[place])),
      text,
    );
  }
});

test("hidden tokens stay hidden while the text around them changes", () => {
  /** @type {(hidden: number[], before: string, now: string) => number[]} */
  const after = (hidden, before, now) => follow(new Set(hidden), pieces(before), pieces(now));
  assert.deepEqual(after([1, 3], "[ a b c ]", "[ a x y b c ]"), [1, 5]);
  assert.deepEqual(after([1, 3], "[ a b c ]", "[ a c ]"), [1, 2]);
  assert.deepEqual(after([2], "[ a b c ]", "[ a x c ]"), [], "the hidden one itself was changed");
  assert.deepEqual(after([1, 2], "[ a a ]", "[ a a a ]"), [1, 2]);
});

test("remarks say what is missing, cut off, or unknown", () => {
  /** @type {(text: string, cutAt?: number) => string[]} */
  const of = (text, cutAt = 0) => remarksOn(text, tokenizer.encode(text).tokens, 10, cutAt);
  assert.deepEqual(of("The goat slept."), []);
  assert.match(of("")[0], /^There is no token yet/);
  assert.match(of("The goat slept.", 5)[0], /at most 5 tokens, .* after “…The goat slept\.”/);
  assert.match(of("xy §")[0], /“xy” is split into single letters; “§” is read as \[UNK\]/);
});

test("a list of names is short", () => {
  assert.equal(list(["a"]), "“a” is");
  assert.equal(list(["a", "b"]), "“a” and “b” are");
  assert.equal(list([..."abcdefg"]), "“a”, “b”, “c”, “d” and 3 more are");
  assert.equal(list(["x".repeat(30)]), `“${"x".repeat(19)}…” is`);
});

test("a guess is read aloud with the truth, if there is one", () => {
  const ranked = [
    { piece: "goat", share: 0.5 },
    { piece: "the", share: 0.25 },
  ];
  assert.equal(inWords({ place: 1, ranked, truth: 1 }), "the hidden: the model says goat, 50.0%");
  assert.equal(inWords({ place: 1, ranked, truth: null }), "[MASK]: the model says goat, 50.0%");
});

test("a guess is asked about in the text as the model sees it", () => {
  const text = "The  goat slept.";
  const { tokens } = tokenizer.encode(text);
  assert.deepEqual(askWhy(text, tokens, [2, 3], 3), { text: "The  [MASK] [MASK].", which: 1 });
  assert.deepEqual(askWhy(`${MASK}.`, tokenizer.encode(`${MASK}.`).tokens, [1], 1), {
    text: "[MASK].",
    which: 0,
  });
});

test("half a word cannot be asked about", () => {
  const { tokens } = tokenizer.encode("The xy.");
  assert.equal(askWhy("The xy.", tokens, [2], 2), null);
  assert.deepEqual(askWhy("The xy.", tokens, [3], 3), { text: "The x[MASK].", which: 0 });
});
