import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attendBackward,
  crossEntropy,
  geluBackward,
  layerNormBackward,
  linearBackward,
  softmaxBackward,
  tableBackward,
  tanhBackward,
} from "../../../docs/assets/bert/backward.js";
import { attend, gelu, layerNorm, linear, softmaxRows } from "../../../docs/assets/bert/layers.js";
import { transpose } from "../../../docs/assets/bert/products.js";
import { close } from "../close.js";

const STEP = 1e-2; // numbers have single precision, so a smaller one would drown in rounding

/**
 * @param {number} size
 * @param {number} seed
 */
const numbers = (size, seed) =>
  Float32Array.from({ length: size }, (_, n) => Math.sin((n + 1) * (n + seed) * 1.7));

/**
 * How a weighted sum of what a function makes changes with each number that it is given.
 * @param {Float32Array} given
 * @param {Float32Array} weights Of what is made: the `dMade` of the backward pass.
 * @param {() => Float32Array} make
 */
const slopes = (given, weights, make) =>
  Array.from(given, (number, n) => {
    const sums = [STEP, -STEP].map((step) => {
      given[n] = number + step;
      return make().reduce((sum, made, k) => sum + made * weights[k], 0);
    });
    given[n] = number;
    return (sums[0] - sums[1]) / (2 * STEP);
  });

test("linear: for vectors, weights and biases, added to what is there", () => {
  const [x, w, b, d] = [numbers(15, 1), numbers(12, 2), numbers(4, 3), numbers(20, 4)];
  const make = () => linear(x, transpose(w, 3), b);
  const [dX, dW, dB] = [x, w, b].map(({ length }) => new Float32Array(length).fill(1));
  linearBackward(d, x, w, dX, dW, dB);
  for (const [given, gradient] of [
    [x, dX],
    [w, dW],
    [b, dB],
  ]) {
    close(
      gradient,
      slopes(given, d, make).map((slope) => 1 + slope),
      1e-3,
    );
  }
  linearBackward(d, x, w, null, dW, dB);
});

test("layer norm: for vectors, scale and shift, in place too", () => {
  const [x, scale, shift, d] = [numbers(12, 1), numbers(4, 2), numbers(4, 3), numbers(12, 4)];
  const make = () => layerNorm(x, scale, shift, 1e-3);
  const expected = [x, scale, shift].map((given) => slopes(given, d, make));
  const [dScale, dShift] = [new Float32Array(4), new Float32Array(4)];
  layerNormBackward(d, x, scale, 1e-3, d, dScale, dShift);
  close(d, expected[0], 2e-2);
  close(dScale, expected[1], 1e-3);
  close(dShift, expected[2], 1e-3);
});

test("gelu and tanh: the slope, also far from zero", () => {
  const x = Float32Array.of(-30, -2, -0.5, 0, 0.5, 2, 30);
  const ones = new Float32Array(7).fill(1);
  const expected = slopes(x, ones, () => gelu(x).slice()).map((_, n) => {
    const one = Float32Array.of(x[n]);
    return slopes(one, Float32Array.of(1), () => gelu(one))[0];
  });
  geluBackward(ones, x);
  close(ones, expected, 1e-3);
  const made = Float32Array.of(-0.5, 0, 0.9);
  const d = Float32Array.of(2, 2, 2);
  tanhBackward(d, made);
  close(d, [1.5, 2, 0.38], 1e-6);
});

test("softmax: raising all scores alike changes nothing", () => {
  const [x, d] = [numbers(6, 1), numbers(6, 2)];
  const expected = slopes(x, d, () => softmaxRows(x.slice(), 3));
  softmaxBackward(d, softmaxRows(x.slice(), 3), 3);
  close(d, expected, 1e-3);
  close([d[0] + d[1] + d[2]], [0], 1e-6);
});

test("attention: for query, key and value of all heads", () => {
  const given = [numbers(20, 1), numbers(20, 2), numbers(20, 3)]; // five tokens, width 4
  const d = numbers(20, 4);
  const shares = new Float32Array(2 * 25);
  const make = () => {
    const context = new Float32Array(20);
    attend(given[0], given[1], given[2], 4, 2, context, shares);
    return context;
  };
  const expected = given.map((part) => slopes(part, d, make));
  make();
  const dGiven = given.map(({ length }) => new Float32Array(length).fill(9));
  attendBackward(d, given, shares, 4, 2, dGiven);
  for (const [n, gradient] of dGiven.entries()) close(gradient, expected[n], 1e-3);
});

test("tables: a row that is taken twice gets both gradients, others none", () => {
  const table = new Float32Array(6);
  tableBackward(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 0, 2], 2, table);
  close(table, [3, 4, 0, 0, 6, 8], 0);
});

test("cross-entropy: mean and gradient over the labels that count", () => {
  const scores = Float32Array.of(0, Math.log(3), 5, 5, 1000, 0);
  const { loss, right, count } = crossEntropy(scores, 2, [0, -100, 0]);
  close([loss], [Math.log(4) / 2], 1e-6);
  assert.deepEqual([right, count], [1, 2]);
  close(scores, [-0.375, 0.375, 0, 0, 0, 0], 1e-6);
});

test("cross-entropy: without labels the loss is zero; a label that is no class is refused", () => {
  const scores = Float32Array.of(1, 2);
  assert.deepEqual(crossEntropy(scores, 2, [-100]), { loss: 0, right: 0, count: 0 });
  close(scores, [0, 0], 0);
  assert.throws(
    () => crossEntropy(Float32Array.of(1, 2), 2, [2]),
    /label 2 of 2 classes; expected/,
  );
});

test("cross-entropy: of classes with the highest score, the first one is the guess", () => {
  const scores = () => Float32Array.of(1, 1, 0, 1, 1, 0);
  assert.equal(crossEntropy(scores(), 3, [0, 0]).right, 2);
  assert.equal(crossEntropy(scores(), 3, [1, 1]).right, 0);
});
