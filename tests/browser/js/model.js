/** For test_model.py. Many numbers come back as base64, which is quick. */
import { seededDraws } from "/assets/bert/masking.js";
import { beforeFineTuning, loadModel } from "/assets/bert/model.js";
import { FileError, fromHalf, parseSafetensors } from "/assets/bert/safetensors.js";
import { words } from "/assets/bert/tokenizer.js";

/** @typedef {Parameters<import("/assets/bert/tokenizer.js").Tokenizer["encode"]>} Given */

// Tokens

/** @param {string[]} texts */
export async function tokensOf(texts) {
  const { tokenizer } = await loadModel("pretrained");
  return texts.map((text) =>
    tokenizer.tokenize(text).map(({ piece, id, start, end }) => [piece, id, start, end]),
  );
}

/**
 * The words of the texts "a?b", with each character in the middle, line by line.
 * @param {[first: number, last: number]} codes Of the characters; surrogates are left out.
 */
export function wordsWithCharacters([first, last]) {
  const lines = [];
  for (let code = first; code <= last; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const found = [...words(`a${String.fromCodePoint(code)}b`)];
    lines.push(found.map(({ chars }) => chars.join("")).join(" "));
  }
  return lines.join("\n");
}

/**
 * Inputs as they are encoded: pieces, segments, which tokens are structural, whether it was cut.
 * @param {Given[]} inputs
 */
export async function encoded(inputs) {
  const { tokenizer } = await loadModel("pretrained");
  return inputs.map((given) => {
    const { tokens, ids, segments, cut } = tokenizer.encode(...given);
    const structural = tokens.map((token) => (token.structural ? 1 : 0)).join("");
    const pieces = tokens.map((token) => token.piece).join(" ");
    return [pieces, segments.join(""), structural, cut, ids.length];
  });
}

// Scores

/**
 * What a model's heads say of inputs: their ids and segments, and all scores, packed.
 * @param {[name: string, inputs: [string, string | null][], before: boolean]} given
 */
export async function scoresOf([name, inputs, before]) {
  const tuned = await loadModel(name);
  const model = before ? beforeFineTuning(await loadModel("pretrained"), tuned) : tuned;
  const { bert, tokenizer, longest } = model;
  /** @type {ArrayLike<number>[]} */
  const scores = [];
  const all = [];
  for (const [a, b] of inputs) {
    const { ids, segments } = tokenizer.encode(a, b, { longest });
    const vectors = bert.encode(ids, segments);
    all.push([ids, segments]);
    if (name === "pretrained") {
      scores.push(...bert.maskedLM(vectors, [...ids.keys()]), bert.nextSentence(vectors));
    } else if (name === "sentiment") {
      scores.push(bert.classify(vectors));
    } else if (name === "entities") {
      scores.push(...bert.labelTokens(vectors));
    } else {
      const { start, end } = bert.spans(vectors);
      scores.push(start, end);
    }
  }
  return [all, packed(scores)];
}

/** @param {string} name */
export const labelsOf = async (name) => (await loadModel(name)).labels;

/** How many milliseconds it takes to load the model, and to predict, each of 36 times. */
export async function timesOfPredictions() {
  const before = performance.now();
  const { bert } = await loadModel("pretrained");
  const loaded = performance.now() - before;
  const ids = Array.from({ length: 32 }, (_, i) => 5 + i);
  const segments = ids.map(() => 0);
  const times = Array.from({ length: 36 }, () => {
    const begin = performance.now();
    bert.maskedLM(bert.encode(ids, segments), [3, 9, 20]);
    return performance.now() - begin;
  });
  return [loaded, ...times];
}

// Files

/** All numbers of half precision, packed as numbers of single precision. */
export const allHalves = () =>
  packed([fromHalf(Uint16Array.from({ length: 65536 }, (_, bits) => bits))]);

/** @param {number[]} bytes */
export function contentOf(bytes) {
  const { tensors, metadata } = parseSafetensors(Uint8Array.from(bytes).buffer);
  const plain = [...tensors].map(([name, { shape, data }]) => [name, shape, [...data]]);
  return [plain.sort(), metadata];
}

/**
 * "read", or why a file was refused; what is no error with words of its own ends with "!!".
 * @param {number[] | Uint8Array} bytes
 */
export function verdictOn(bytes) {
  try {
    parseSafetensors(Uint8Array.from(bytes).buffer);
    return "read";
  } catch (error) {
    return error instanceof FileError ? error.message : `${error}!!`;
  }
}

/**
 * The verdicts on a file that broke off after 0 bytes, 1 byte, …
 * @param {number[]} bytes
 */
export const verdictsOnBeginnings = (bytes) =>
  bytes.map((_, length) => verdictOn(bytes.slice(0, length)));

/**
 * The verdicts on a file with random damages, and how often each was given.
 * @param {number[]} bytes
 */
export function verdictsOnDamages(bytes) {
  const draw = seededDraws(7);
  const below = (/** @type {number} */ n) => Math.floor(draw() * n);
  const meaning = '0123456789-.,:[]{}" eEn';
  /** @type {Record<string, number>} */
  const said = {};
  for (let round = 0; round < 20000; round++) {
    const damaged = Uint8Array.from(bytes);
    for (let n = 1 + below(3); n > 0; n--) {
      // mostly within the header's text; often by what has a meaning there
      const place = draw() < 0.1 ? below(8) : below(bytes.length);
      const any = draw() < 0.5;
      damaged[place] = any ? below(256) : meaning.charCodeAt(below(meaning.length));
    }
    const what = verdictOn(damaged);
    said[what] = (said[what] ?? 0) + 1;
  }
  return said;
}

/**
 * What a reader is told when this model is loaded.
 * @param {string} name
 */
export const saidOfLoading = (name) =>
  loadModel(name).then(
    () => "it came",
    (error) => error.message,
  );

/** @param {ArrayLike<number>[]} arrays */
function packed(arrays) {
  const all = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  const bytes = new Uint8Array(all.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}
