import assert from "node:assert/strict";

/**
 * As many numbers, each as near as this.
 * @param {ArrayLike<number>} found
 * @param {number[]} expected
 * @param {number} tolerance
 */
export function close(found, expected, tolerance) {
  const numbers = Array.from(found);
  const near = numbers.every((number, n) => Math.abs(number - expected[n]) <= tolerance);
  assert.ok(numbers.length === expected.length && near, `${numbers}, expected ${expected}`);
}
