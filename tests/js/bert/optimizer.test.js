import assert from "node:assert/strict";
import { test } from "node:test";
import { AdamW, clip, isSpared, PAPERS, scheduled } from "../../../docs/assets/bert/optimizer.js";
import { close } from "../close.js";

test("the learning rate rises in a line, then falls to zero and stays there", () => {
  // bertlesson.optimization.make_schedule, in its docstring
  const rates = [0, 1, 2, 4, 6, 8, 10, 12].map((step) => scheduled(step, 2, 10));
  close(rates, [0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0], 1e-12);
  assert.equal(scheduled(0, 0, 10), 1);
});

test("gradients that together are too long are shortened alike, others are left as they are", () => {
  const gradients = [Float32Array.of(3), Float32Array.of(0, 4)];
  assert.equal(clip(gradients, 10), 5);
  assert.deepEqual(gradients, [Float32Array.of(3), Float32Array.of(0, 4)]);
  assert.equal(clip(gradients, 1), 5);
  close([...gradients[0], ...gradients[1]], [0.6, 0, 0.8], 1e-6);
});

test("biases and norms are exempt from decay", () => {
  const names = ["a.dense.weight", "a.dense.bias", "a.LayerNorm.weight", "cls.predictions.bias"];
  assert.deepEqual(names.map(isSpared), [false, true, true, true]);
});

test("a step goes as far as the learning rate, whatever the gradient's size; decay comes on top", () => {
  const [weight, bias] = [Float32Array.of(1), Float32Array.of(1)];
  const tensors = new Map([
    ["dense.weight", { shape: [1], data: weight }],
    ["dense.bias", { shape: [1], data: bias }],
  ]);
  const optimizer = new AdamW(tensors, { ...PAPERS, weightDecay: 0.5 });
  const gradients = new Map([
    ["dense.weight", Float32Array.of(100)],
    ["dense.bias", Float32Array.of(-0.01)],
  ]);
  optimizer.step(gradients, 0.1);
  close([weight[0], bias[0]], [1 - 0.1 * 0.5 - 0.1, 1.1], 1e-4);
  assert.throws(() => optimizer.step(new Map(), 0.1), /there is no gradient of dense.weight/);
});
