/**
 * Fetches a model that the build has trained, once, when something first needs it.
 *
 * A file holds weights, configuration and vocabulary (`bertlesson.lesson.export.write_model`).
 */
import { crc32 } from "./crc32.js";
import { FileError, parseSafetensors, readHeader } from "./safetensors.js";
import { Tokenizer } from "./tokenizer.js";

const FOLDER = new URL("../../downloads/", import.meta.url);
/**
 * What each fine-tuned model is for.
 * @type {Record<string, (bert: Bert, vectors: Float32Array) => unknown>}
 */
const HEADS = {
  sentiment: (bert, vectors) => bert.classify(vectors),
  entities: (bert, vectors) => bert.labelTokens(vectors),
  spans: (bert, vectors) => bert.spans(vectors),
};
/** The pretrained model's, as it is now and at earlier moments.
 * @type {(bert: Bert, vectors: Float32Array) => unknown} */
const BOTH = (bert, vectors) => [bert.maskedLM(vectors, [0]), bert.nextSentence(vectors)];
const BEGINNING = 32_768; // bytes, of which a header with its vocabulary takes a third
/** @type {Map<string, Promise<Model>>} By name. */
const loading = new Map();
/** @type {Map<string, Set<Listener>>} By name. */
const listeners = new Map();

/** @typedef {import("./bert.js").Bert} Bert */
/** @typedef {(share: number) => void} Listener Is told the share that has come, from 0 to 1. */

/**
 * @typedef {object} Model
 * @property {Bert} bert
 * @property {Tokenizer} tokenizer
 * @property {string[]} labels The names of its classes.
 * @property {number} longest The most tokens that it reads.
 */

/**
 * A model by its name: "pretrained", "sentiment", "entities", "spans", or a moment's, "step-50".
 *
 * @param {string} name
 * @param {Listener} onProgress
 * @returns {Promise<Model>}
 * @throws {Error} With a message for the reader, if it cannot be loaded; the next call retries.
 */
export function loadModel(name, onProgress = () => {}) {
  let model = loading.get(name);
  if (!model) {
    /** @type {Set<Listener>} */
    const waiting = new Set();
    listeners.set(name, waiting);
    /** @param {number} share */
    const tell = (share) => {
      for (const listener of waiting) listener(share);
    };
    const bytes = fetchBytes(new URL(`${name}.safetensors`, FOLDER), tell);
    model = Promise.all([bytes, loadBert()]).then(([found, Made]) => readModel(found, name, Made));
    model.catch(() => loading.delete(name));
    loading.set(name, model);
  }
  listeners.get(name)?.add(onProgress);
  return model;
}

/** The forward pass: no page needs it before it needs a model. */
async function loadBert() {
  try {
    const [{ Bert }, { useSimd }] = await Promise.all([
      import("./bert.js"),
      import("./products.js"),
    ]);
    await useSimd();
    return Bert;
  } catch {
    throw new Error("The file bert.js could not be fetched. Are you online?");
  }
}

/**
 * How a model reads, without the model: the beginning of its file is enough.
 * @param {string} name Of the model.
 * @param {Listener} onProgress
 * @returns {Promise<{tokenizer: Tokenizer, longest: number}>}
 * @throws {Error} With a message for the reader, if it cannot be loaded.
 */
export async function loadTokenizer(name, onProgress) {
  const url = new URL(`${name}.safetensors`, FOLDER);
  const bytes = await fetchBytes(url, onProgress, BEGINNING);
  try {
    const metadata = /** @type {{model: string}} */ (readHeader(bytes).header.__metadata__);
    const { config, vocab } = JSON.parse(metadata.model);
    return { tokenizer: new Tokenizer(vocab), longest: config.max_position_embeddings };
  } catch {
    throw new Error(`The file ${name}.safetensors is damaged.`);
  }
}

/**
 * The pretrained encoder under the head that this fine-tuned model began with.
 * @param {Model} pretrained
 * @param {Model} tuned
 * @returns {Model}
 */
export function beforeFineTuning(pretrained, tuned) {
  const tensors = new Map(pretrained.bert.tensors);
  for (const [name, tensor] of tuned.bert.tensors) {
    if (name.startsWith("before.")) tensors.set(name.slice("before.".length), tensor);
  }
  return { ...tuned, bert: pretrained.bert.withWeights(tensors) };
}

/**
 * A file that an example has left, such as "stories.json".
 * @param {string} name
 * @param {Listener} onProgress
 * @returns {Promise<unknown>}
 */
export async function fetchJSON(name, onProgress = () => {}) {
  const bytes = await fetchBytes(new URL(name, FOLDER), onProgress);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error(`The file ${name} is damaged.`);
  }
}

/**
 * @param {ArrayBuffer} bytes
 * @param {string} name
 * @param {typeof import("./bert.js").Bert} Made
 * @returns {Model}
 */
function readModel(bytes, name, Made) {
  try {
    const { tensors, metadata } = parseSafetensors(bytes);
    const { config, vocab, labels, crc32: written } = JSON.parse(metadata.model);
    if (checksum(bytes, written) !== written) {
      throw new FileError("its checksum does not match");
    }
    const bert = new Made(tensors, config);
    tryOut(bert, name);
    return {
      bert,
      tokenizer: new Tokenizer(vocab),
      labels,
      longest: config.max_position_embeddings,
    };
  } catch (error) {
    const how = error instanceof FileError ? error.message : "it does not contain the whole model";
    throw new Error(`The file ${name}.safetensors is damaged: ${how}.`);
  }
}

/**
 * The checksum of a whole file, with zeros in place of its own digits. They come first in the
 * header, so no others are mistaken for them.
 * @param {ArrayBuffer} buffer
 * @param {string} written
 */
function checksum(buffer, written) {
  const bytes = new Uint8Array(buffer);
  const at = new TextDecoder("latin1").decode(bytes.subarray(0, 100)).indexOf(written);
  if (at < 0) throw new FileError("its checksum is missing");
  const zeros = new TextEncoder().encode("0".repeat(written.length));
  const parts = [bytes.subarray(0, at), zeros, bytes.subarray(at + written.length)];
  return parts
    .reduce((sum, part) => crc32(part, sum), 0)
    .toString(16)
    .padStart(8, "0");
}

/**
 * Run all of it, so that anything missing shows now, and the browser is warm for the reader.
 * @param {Bert} bert
 * @param {string} name
 */
function tryOut(bert, name) {
  const ids = new Array(bert.config.max_position_embeddings).fill(0);
  const run = HEADS[name] ?? BOTH;
  run(bert, bert.encode(ids, ids));
}

/**
 * All bytes of a file, or the first ones; `tell` is called with the share that has arrived.
 * @param {URL} url
 * @param {Listener} tell
 */
async function fetchBytes(url, tell, enough = Infinity) {
  const name = url.pathname.split("/").at(-1);
  let response;
  try {
    /** @type {Record<string, string>} */
    const headers = enough < Infinity ? { Range: `bytes=0-${enough - 1}` } : {};
    response = await fetch(url, { headers });
  } catch {
    throw new Error(`The file ${name} could not be fetched. Are you online?`);
  }
  if (!response.ok) throw new Error(`The file ${name} could not be fetched: ${response.status}.`);
  // Content-Length counts compressed bytes, so it only serves for the bar
  const expected = Number(response.headers.get("Content-Length")) || 1_000_000;
  const chunks = [];
  let size = 0;
  try {
    if (!response.body) throw new Error("no body");
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.length;
      tell(Math.min(1, size / expected));
      if (size >= enough) {
        reader.cancel(); // a host that ignores ranges would send the whole file
        break;
      }
    }
  } catch {
    throw new Error(`The download of ${name} was interrupted. Try again.`);
  }
  return new Blob(chunks).arrayBuffer();
}
