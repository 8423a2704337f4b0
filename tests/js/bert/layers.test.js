import { test } from "node:test";
import { gelu, layerNorm, linear, softmaxRows } from "../../../docs/assets/bert/layers.js";
import { transpose } from "../../../docs/assets/bert/products.js";
import { close } from "../close.js";

test("gelu is 0 far below zero, the number itself far above, and x Φ(x) between", () => {
  const made = gelu(Float32Array.of(-40, -1, 0, 1, 2, 40));
  // from Python: 0.5 * x * (1 + math.erf(x / math.sqrt(2)))
  close(made, [0, -0.15865525, 0, 0.84134475, 1.95449974, 40], 1e-6);
});

test("a layer norm has mean 0 and variance 1 before scale and shift, for each vector", () => {
  const [scale, shift] = [Float32Array.of(1, 1, 2), Float32Array.of(0, 0, 10)];
  const unit = Math.sqrt(1.5);
  const made = layerNorm(Float32Array.of(1, 2, 3, 30, 20, 10), scale, shift, 0);
  close(made, [-unit, 0, 2 * unit + 10, unit, 0, -2 * unit + 10], 1e-5);
  // a vector of equal numbers has no variance
  close(layerNorm(Float32Array.of(5, 5, 5), scale, shift, 1e-12), [0, 0, 10], 1e-5);
});

test("linear gives x Wᵀ + b for one vector, for four at once, and for the rest", () => {
  const [weight, bias] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(0.5, 0, -1)];
  for (const count of [1, 4, 7]) {
    const vectors = Float32Array.from({ length: 2 * count }, (_, n) => n - 3);
    const expected = Array.from({ length: count }, (_, n) => {
      const [x, y] = vectors.subarray(2 * n, 2 * n + 2);
      return [x + 2 * y + 0.5, 3 * x + 4 * y, 5 * x + 6 * y - 1];
    });
    close(linear(vectors, transpose(weight, 2), bias), expected.flat(), 1e-5);
  }
});

test("shares add up to 1 in each row, also of scores that exp cannot take", () => {
  const scores = Float32Array.of(0, Math.log(3), 1000, 1000, -1000, 0);
  close(softmaxRows(scores, 2), [0.25, 0.75, 0.5, 0.5, 0, 1], 1e-6);
});
