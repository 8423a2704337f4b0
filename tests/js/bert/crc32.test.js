import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "../../../docs/assets/bert/crc32.js";

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text);

test("the checksum is the one of zlib", () => {
  assert.equal(crc32(bytes("")), 0);
  assert.equal(crc32(bytes("123456789")), 0xcbf43926); // the check value of CRC-32
});

test("parts one after the other give the checksum of the whole", () => {
  assert.equal(crc32(bytes("6789"), crc32(bytes("12345"))), 0xcbf43926);
});
