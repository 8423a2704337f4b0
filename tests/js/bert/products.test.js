import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addProduct,
  addTurnedProduct,
  transpose,
  usePlain,
  useSimd,
} from "../../../docs/assets/bert/products.js";
import { close } from "../close.js";

// rows, columns, inner: whole tiles, all kinds of rests, and none at all
const SIZES = [
  [1, 1, 1],
  [3, 5, 2],
  [2, 8, 4],
  [17, 33, 65],
  [20, 20, 32],
  [64, 128, 64],
  [5, 389, 128],
  [9, 40, 0],
];

/** @param {number} size */
const numbers = (size) => Float32Array.from({ length: size }, (_, n) => Math.sin(n * n + 1));

/** Both products, for all sizes; each is added to 1. */
function assertRight() {
  for (const [rows, columns, inner] of SIZES) {
    const [a, b] = [numbers(rows * inner), numbers(inner * columns)];
    const expected = Array.from({ length: rows * columns }, (_, n) => {
      let sum = 1;
      for (let k = 0; k < inner; k++) {
        sum += a[Math.floor(n / columns) * inner + k] * b[k * columns + (n % columns)];
      }
      return sum;
    });
    const made = new Float32Array(rows * columns).fill(1);
    addProduct(made, a, b, columns);
    close(made, expected, 1e-4);
    made.fill(1);
    addTurnedProduct(made, inner ? transpose(a, inner) : a, b, columns);
    close(made, expected, 1e-4);
  }
}

test("products are right in plain JavaScript", () => {
  usePlain();
  assertRight();
});

test("products are right in WebAssembly, also after its memory has grown", async () => {
  assert.equal(await useSimd(), true);
  assertRight();
  assertRight();
  usePlain();
});

test("where WebAssembly is refused, JavaScript computes the same", async (t) => {
  const refuse = () => {
    throw new WebAssembly.CompileError("unsafe-eval is not an allowed source");
  };
  t.mock.method(WebAssembly, "Module", refuse);
  assert.equal(await useSimd(), false);
  assertRight();
});

test("a transpose has rows for columns", () => {
  close(transpose(Float32Array.of(1, 2, 3, 4, 5, 6), 3), [1, 4, 2, 5, 3, 6], 0);
});

test("matrices that do not fit are refused", () => {
  const [made, a, b] = [new Float32Array(6), new Float32Array(5), new Float32Array(6)];
  assert.throws(() => addProduct(made, a, b, 3), /5 numbers in the first matrix, expected 2 × 2/);
});
