import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isAccent,
  isChinese,
  isControl,
  isPunctuation,
  isSpace,
  takeApart,
} from "../../../docs/assets/bert/unicode.js";

test("kinds of characters", () => {
  assert.deepEqual(["\t", "\0", "\u200b", "a"].map(isControl), [false, true, true, false]);
  assert.deepEqual([" ", "\u00a0", "\u3000", "a"].map(isSpace), [true, true, true, false]);
  assert.deepEqual(["$", "“", "^", "a"].map(isPunctuation), [true, true, true, false]);
  assert.deepEqual(["中", "\u{20000}", "か", "a"].map(isChinese), [true, true, false, false]);
  assert.deepEqual(["\u0301", "e"].map(isAccent), [true, false]);
});

test("a letter is taken apart, unless its accents are newer than the tokenizer's tables", () => {
  assert.equal(takeApart("é"), "e\u0301");
  assert.equal(takeApart("\u{105c9}"), "\u{105c9}");
});

test("accents that are newer than the tokenizer's tables are kept, older ones are not", () => {
  for (const accent of ["\u1df6", "\u0afa", "\u{11a01}"]) assert.equal(isAccent(accent), false);
  for (const accent of ["\u0301", "\u1df5", "\u05b7"]) assert.equal(isAccent(accent), true);
});
