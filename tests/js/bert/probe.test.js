import assert from "node:assert/strict";
import { test } from "node:test";
import { fitProbe, score } from "../../../docs/assets/bert/probe.js";

test("a linear layer tells classes apart that a line divides", () => {
  // the first number decides; each vector ends with a 1
  const four = [-2, 0.3, 1, -1, -0.4, 1, 1, 0.2, 1, 3, -0.1, 1];
  const vectors = Float64Array.from(Array.from({ length: 50 }, () => four).flat());
  const numbers = Array.from({ length: 50 }, () => [0, 0, 1, 1]).flat();
  const weights = fitProbe(vectors, 3, numbers, 2);
  const scores = new Float64Array(2);
  const classes = [0, 3, 6, 9].map((begin) => {
    const [no, yes] = score(vectors, begin, 3, weights, scores);
    return Number(yes > no);
  });
  assert.deepEqual(classes, [0, 0, 1, 1]);
  assert.ok(
    Math.abs(weights[0] + weights[3]) < 1e-12,
    "what speaks for one speaks against the other",
  );
  assert.ok(weights[3] > Math.abs(weights[4]) && weights[3] > Math.abs(weights[5]));
});
