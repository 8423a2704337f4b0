import assert from "node:assert/strict";
import { test } from "node:test";
import { spread } from "../../../docs/assets/widgets/chart.js";

test("names at the ends of curves never cover each other, and keep their order", () => {
  assert.deepEqual(spread([]), []);
  assert.deepEqual(spread([10, 50]), [10, 50]);
  assert.deepEqual(spread([10, 10]), [3.5, 16.5]);
  assert.deepEqual(spread([12, 10]), [17.5, 4.5]);
  assert.deepEqual(spread([40, 80, 44, 42]), [29, 80, 55, 42]);
  // the two that touch push the third one, which touches what they have become
  assert.deepEqual(spread([20, 20, 32]), [11, 24, 37]);
});
