import assert from "node:assert/strict";
import { test } from "node:test";
import {
  argmax,
  decodeAnswer,
  decodeEntities,
  findWords,
  isForeign,
  ranking,
  readTags,
} from "../../../docs/assets/bert/decode.js";
import { Tokenizer } from "../../../docs/assets/bert/tokenizer.js";

const tokenizer = new Tokenizer("[UNK] [CLS] [SEP] who anna ##s went to paris x ##y .".split(" "));

test("the highest number is the first of several, and a ranking keeps their order", () => {
  assert.equal(argmax([1, 3, 3, 2]), 1);
  assert.equal(argmax(Float32Array.of(-2, -1)), 1);
  assert.deepEqual(ranking([1, 3, 3, 2]), [1, 2, 3, 0]);
});

test("pieces of a word are joined; structural tokens are no words", () => {
  const text = "Annas Paris";
  const words = findWords(tokenizer.encode(text).tokens);
  assert.deepEqual(
    words.map(({ at, start, end }) => [at, text.slice(start, end)]),
    [
      [1, "Annas"],
      [3, "Paris"],
    ],
  );
  assert.deepEqual(words[0].pieces, ["anna", "##s"]);
});

test("a word is foreign if it is spelled in letters, or unknown", () => {
  const foreign = findWords(tokenizer.tokenize("anna x xy ? paris")).map(isForeign);
  assert.deepEqual(foreign, [false, true, true, true, false]);
});

test("tags of any scheme spell entities", () => {
  /** @param {string} tags */
  const read = (tags) =>
    readTags(tags.split(" ")).map(({ first, after, kind }) => `${kind} ${first}-${after}`);
  assert.deepEqual(read("B-PER I-PER O B-LOC"), ["PER 0-2", "LOC 3-4"]);
  assert.deepEqual(read("B-PER B-PER"), ["PER 0-1", "PER 1-2"]);
  assert.deepEqual(read("I-PER I-LOC E-LOC"), ["PER 0-1", "LOC 1-3"]);
  assert.deepEqual(read("S-PER I-PER"), ["PER 0-1", "PER 1-2"]);
  assert.deepEqual(read("B-A-B L-A-B"), ["A-B 0-2"]);
  assert.deepEqual(read("B I"), ["_ 0-2"]);
  assert.throws(() => readTags(["X-PER"]), /"X-PER" fits no scheme/);
});

test("an entity is read at the first piece of each word", () => {
  const text = "Annas went to Paris.";
  const { tokens } = tokenizer.encode(text);
  const scores = tokens.map(({ piece }) => [
    1,
    piece === "anna" ? 2 : 0,
    piece === "paris" ? 2 : 0,
  ]);
  const found = decodeEntities(scores, findWords(tokens), ["O", "B-PER", "B-LOC"]);
  assert.deepEqual(
    found.map(({ start, end, kind }) => [text.slice(start, end), kind]),
    [
      ["Annas", "PER"],
      ["Paris", "LOC"],
    ],
  );
});

test("an answer is the best span of the context, unless [CLS] scores higher", () => {
  const context = "Anna went to Paris.";
  const { tokens } = tokenizer.encode("Who?", context);
  const at = tokens.findIndex(({ piece }) => piece === "went");
  /** @param {number} cls */
  const scores = (cls) => {
    const [start, end] = [tokens.map(() => 0), tokens.map(() => 0)];
    [start[0], start[1], end[1]] = [cls, 9, 9]; // the question itself is no answer
    [start[at], end[at + 1], end[at - 1]] = [2, 3, 8]; // nor is what ends before it starts
    return { start, end };
  };
  const { span, answered } = decodeAnswer(scores(4), tokens);
  assert.deepEqual(span && context.slice(span.start, span.end), "Anna");
  assert.equal(answered, true);
  assert.equal(decodeAnswer(scores(9), tokens).answered, false);
  const short = decodeAnswer(scores(4), tokens, { longest: 1 }).span;
  assert.deepEqual(short && context.slice(short.start, short.end), "Anna");
  assert.deepEqual(decodeAnswer(scores(0), tokenizer.encode("Who?", "").tokens).span, null);
});

test("an answer has at most so many pieces, and wins a tie with no answer", () => {
  const context = "Anna went to Paris.";
  const { tokens } = tokenizer.encode("Who?", context);
  const at = tokens.findIndex(({ segment, structural }) => segment === 1 && !structural);
  const [start, end] = [tokens.map(() => 0), tokens.map(() => 0)];
  [start[at], end[at + 1], end[at + 2]] = [4, 2, 3];
  /** @param {number} longest */
  const found = (longest) => decodeAnswer({ start, end }, tokens, { longest }).span?.score;
  assert.deepEqual([found(1), found(2), found(3)], [4, 6, 7]);
  start[0] = 7;
  assert.equal(decodeAnswer({ start, end }, tokens).answered, true);
  start[0] = 7.5;
  assert.equal(decodeAnswer({ start, end }, tokens).answered, false);
});
