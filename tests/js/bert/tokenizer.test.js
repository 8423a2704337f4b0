import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer, words } from "../../../docs/assets/bert/tokenizer.js";

const VOCAB = "[PAD] [UNK] [CLS] [SEP] [MASK] un ##afford ##able cafe the . , ##s a b 中".split(
  " ",
);
const tokenizer = new Tokenizer(VOCAB);

/** @param {string} text */
const pieces = (text) => tokenizer.tokenize(text).map(({ piece }) => piece);

test("a word becomes its longest pieces from left to right", () => {
  assert.deepEqual(pieces("Unaffordable cafes."), ["un", "##afford", "##able", "cafe", "##s", "."]);
});

test("a word with a part that no piece fits is unknown as a whole", () => {
  assert.deepEqual(pieces("the unknown a"), ["the", "[UNK]", "a"]);
  assert.equal(pieces(`a${"s".repeat(99)}`).length, 100);
  assert.deepEqual(pieces(`a${"s".repeat(100)}`), ["[UNK]"]);
});

test("offsets lead to the text, accents belong to their letter", () => {
  const text = "The cafe\u0301, caf\u00e9";
  const found = tokenizer.tokenize(text);
  assert.deepEqual(
    found.map(({ start, reach }) => text.slice(start, reach)),
    ["The", "cafe\u0301", ",", "caf\u00e9"],
  );
  assert.deepEqual(
    found.map(({ id }) => VOCAB[id]),
    ["the", "cafe", ",", "cafe"],
  );
});

test("a structural token that is written out stays one", () => {
  assert.deepEqual(pieces("the [MASK]."), ["the", "[MASK]", "."]);
});

test("Chinese characters, punctuation and spaces end a word; control characters do not", () => {
  const found = [...words("a中b\u00a0c.\u0000d")].map(({ chars }) => chars.join(""));
  assert.deepEqual(found, ["a", "中", "b", "c", ".", "d"]);
});

test("an input of two texts has segments and structural tokens", () => {
  const { tokens, ids, segments, cut } = tokenizer.encode("a b", "the");
  assert.deepEqual(
    tokens.map(({ piece }) => piece),
    ["[CLS]", "a", "b", "[SEP]", "the", "[SEP]"],
  );
  assert.deepEqual(ids, [2, 13, 14, 3, 9, 3]);
  assert.deepEqual(segments, [0, 0, 0, 0, 1, 1]);
  assert.deepEqual(
    tokens.map(({ structural }) => Boolean(structural)),
    [true, false, false, true, false, true],
  );
  assert.equal(cut, false);
});

test("a long input loses the end of the longer text, or of B where A has to stay", () => {
  /** @param {{keepA?: boolean}} options */
  const cutTo = (options) => {
    const { tokens, cut } = tokenizer.encode("a a a a", "b b", { longest: 7, ...options });
    assert.ok(cut);
    return tokens.map(({ piece }) => piece).join(" ");
  };
  assert.equal(cutTo({}), "[CLS] a a [SEP] b b [SEP]");
  assert.equal(cutTo({ keepA: true }), "[CLS] a a a a [SEP] [SEP]");
});

test("of two texts as long as each other, B loses its end first", () => {
  const { tokens } = tokenizer.encode("a a a", "b b b", { longest: 8 });
  assert.equal(tokens.map(({ piece }) => piece).join(" "), "[CLS] a a a [SEP] b b [SEP]");
  const { tokens: one } = tokenizer.encode("a a a", null, { longest: 4 });
  assert.equal(one.map(({ piece }) => piece).join(" "), "[CLS] a a [SEP]");
});
