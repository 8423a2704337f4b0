import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHalf, parseSafetensors, readHeader } from "../../../docs/assets/bert/safetensors.js";

/**
 * @param {unknown} header
 * @param {number[]} data
 */
function file(header, data) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const whole = new Uint8Array(8 + text.length + data.length);
  new DataView(whole.buffer).setBigUint64(0, BigInt(text.length), true);
  whole.set(text, 8);
  whole.set(data, 8 + text.length);
  return whole.buffer;
}

test("half precision: signs, the smallest numbers, the largest, and what is no number", () => {
  const halves = [0x3c00, 0xc000, 0x3555, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00];
  assert.deepEqual(
    [...fromHalf(halves)],
    [1, -2, 0.333251953125, 65504, 2 ** -14, 2 ** -24, -0, Infinity, -Infinity, NaN],
  );
});

test("tensors of both precisions come with their shapes", () => {
  const header = {
    __metadata__: { model: "{}" },
    half: { dtype: "F16", shape: [2], data_offsets: [0, 4] },
    single: { dtype: "F32", shape: [1, 1], data_offsets: [4, 8] },
  };
  const { tensors, metadata } = parseSafetensors(
    file(header, [0, 0x3c, 0, 0xc0, 0, 0, 0xc0, 0x3f]),
  );
  assert.deepEqual(metadata, { model: "{}" });
  assert.deepEqual(tensors.get("half"), { shape: [2], data: Float32Array.of(1, -2) });
  assert.deepEqual(tensors.get("single"), { shape: [1, 1], data: Float32Array.of(1.5) });
});

test("a damaged file says what is wrong with it", () => {
  const about = { dtype: "F16", shape: [2], data_offsets: [0, 4] };
  /** @type {[ArrayBuffer, RegExp][]} */
  const damaged = [
    [new ArrayBuffer(3), /it has 3 bytes, expected more/],
    [file({ x: about }, [0, 0, 0, 0]).slice(0, 20), /its header is cut off, or damaged/],
    [file("text", []), /its header is damaged/],
    [file({ x: null }, []), /x is undefined, expected F16 or F32/],
    [file({ x: { ...about, dtype: "I64" } }, []), /x is "I64", expected F16 or F32/],
    [file({ x: { ...about, shape: [-2] } }, []), /it does not say where x is/],
    [file({ x: { ...about, shape: [3] } }, []), /as many numbers as its shape says/],
    [file({ x: about }, [0, 0]), /it is cut off/],
    [file({ x: about }, [0, 0, 0, 0x7c]), /x has values that are not finite/],
  ];
  for (const [buffer, message] of damaged) assert.throws(() => parseSafetensors(buffer), message);
});

test("the header can be read from the beginning of a file", () => {
  const whole = file({ a: 1 }, new Array(100).fill(0));
  assert.deepEqual(readHeader(whole.slice(0, 20)), { header: { a: 1 }, end: 15 });
});
