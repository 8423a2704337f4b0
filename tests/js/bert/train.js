/**
 * Trains as test_training.py asks: `node train.js FOLDER`, where request.json says what, and
 * model.safetensors has the weights. Leaves result.json and gradients.safetensors there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Bert } from "../../../docs/assets/bert/bert.js";
import { useSimd } from "../../../docs/assets/bert/products.js";
import { parseSafetensors } from "../../../docs/assets/bert/safetensors.js";
import { Trainer } from "../../../docs/assets/bert/trainer.js";

/** @param {Map<string, Float32Array>} arrays */
function safetensors(arrays) {
  /** @type {Record<string, unknown>} */
  const header = {};
  let at = 0;
  for (const [name, { length }] of arrays) {
    header[name] = { dtype: "F32", shape: [length], data_offsets: [at, at + 4 * length] };
    at += 4 * length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const data = [...arrays.values()].map((array) =>
    Buffer.from(new Uint8Array(array.slice().buffer)),
  );
  return Buffer.concat([size, text, ...data]);
}

const folder = process.argv[2];
const request = JSON.parse(readFileSync(`${folder}/request.json`, "utf8"));
const { buffer } = new Uint8Array(readFileSync(`${folder}/model.safetensors`));
const { tensors } = parseSafetensors(buffer);
if (request.simd && !(await useSimd())) throw new Error("WebAssembly was refused");
const bert = new Bert(tensors, request.config);

const once = new Trainer(bert, request.head, { learningRate: 1, steps: 1 });
const { loss } = once.gradients(request.batches[0]);
writeFileSync(`${folder}/gradients.safetensors`, safetensors(once.network.gradients));

const trainer = new Trainer(bert, request.head, request.options);
const steps = request.batches.map((/** @type {any} */ batch) => trainer.step(batch));
const weights = new Map([...trainer.tensors].map(([name, { data }]) => [name, data]));
writeFileSync(`${folder}/weights.safetensors`, safetensors(weights));
writeFileSync(`${folder}/result.json`, JSON.stringify({ loss, steps }));
