import assert from "node:assert/strict";
import { test } from "node:test";
import { decimal, plain, scientific } from "../../../../docs/assets/widgets/trace/numbers.js";

test("a fixed number of digits, with a minus sign", () => {
  assert.equal(decimal(-1.234567), "−1.23457");
  assert.equal(decimal(0.5, 3), "0.500");
});

test("digits exactly between two numbers are rounded to the even one, as in Python", () => {
  assert.equal(scientific(0.086181640625), "8.618164062e−02");
  assert.equal(scientific(0.0361328125), "3.613281250e−02");
  assert.equal(scientific(3.5, 0), "4e+00");
  assert.equal(scientific(0.15625, 3), "1.562e−01");
  assert.equal(scientific(0.46875, 3), "4.688e−01");
  assert.equal(scientific(0.1250001, 1), "1.3e−01", "a little more than between");
});

test("an exponent has a sign and two digits", () => {
  assert.equal(scientific(-1.5e-9), "−1.500000000e−09");
  assert.equal(scientific(123456.7), "1.234567000e+05");
  assert.equal(scientific(2.5e-112, 1), "2.5e−112");
  assert.equal(scientific(9.9999999999e-3), "1.000000000e−02");
});

test("a learning rate has no digits that mean nothing", () => {
  assert.deepEqual([0.0001, 5e-5, 2.5e-12, 1].map(plain), ["0.0001", "5e−05", "2.5e−12", "1"]);
});
