import assert from "node:assert/strict";
import { test } from "node:test";
import { logSumExp, softmax } from "../../../docs/assets/bert/scores.js";
import { close } from "../close.js";

test("softmax adds up to 1, keeps ratios, and survives scores that exp cannot take", () => {
  close(softmax([0, Math.log(3)]), [0.25, 0.75], 1e-12);
  close(softmax([1000, 1000]), [0.5, 0.5], 1e-12);
  close(softmax([-1000, 0]), [0, 1], 1e-12);
});

test("softmax gives what it was given: numbers of single or of double precision", () => {
  assert.ok(softmax(Float32Array.of(1, 2)) instanceof Float32Array);
  assert.ok(Array.isArray(softmax([1, 2])));
});

test("logSumExp is the log of the sum, also where the sum would overflow", () => {
  close([logSumExp([Math.log(2), Math.log(3)])], [Math.log(5)], 1e-12);
  close([logSumExp(Float32Array.of(1000, 1000))], [1000 + Math.LN2], 1e-9);
});
