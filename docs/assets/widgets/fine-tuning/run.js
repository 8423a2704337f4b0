/** Fine-tunes both starts side by side. No page is needed, but workers are. */
import { decodeEntities, findWords } from "../../bert/decode.js";
import { randomBert, withNewHead } from "../../bert/initial.js";
import { seededDraws } from "../../bert/masking.js";
import { softmax } from "../../bert/scores.js";
import { train } from "../../bert/training.js";
import { setAside, wordsOf } from "./sets.js";

/** @typedef {import("../../bert/bert.js").Bert} Bert */
/** @typedef {import("../../bert/course.js").Progress} Progress */
/** @typedef {import("../../bert/model.js").Model} Model */
/** @typedef {import("./sets.js").LabelledSet} LabelledSet */
/** @typedef {import("./sets.js").Material} Material */
/** @typedef {import("./sets.js").Row} Row */
/** @typedef {import("./sets.js").Task} Task */

/** @typedef {{classes: number[]} | {entities: import("../../bert/decode.js").Span[]}} Reading */

export const STARTS = ["pretrained", "random"];
export const EVERY = 4; // steps from one measurement to the next
// Of the new weights and of the order of the examples. From 0, the new head is right on 98% of
// sentences with labels by chance, before the first step; from 1, on half of them.
const SEED = 1;
const TAGS = ["O", "B", "I"];
const BATCH = 16;

/**
 * A sentence as the model takes it, with its labels.
 * @param {Task} task
 * @param {Pick<Model, "tokenizer" | "longest">} model
 * @param {Row} row
 */
export function encode(task, { tokenizer, longest }, { text, label, marks }) {
  const { ids, segments, tokens } = tokenizer.encode(text, null, { longest });
  if (task === "sentences") return { ids, segments, label };
  const own = wordsOf(text);
  const starts = new Set(marks.map((n) => own[n].start));
  /** @type {number[]} */
  const labels = ids.map(() => -100); // also for the later pieces of a word
  let before = false; // whether the word before is marked
  for (const { at, start } of findWords(tokens)) {
    const marked = starts.has(start);
    labels[at] = marked ? (before ? 2 : 1) : 0;
    before = marked;
  }
  return { ids, segments, labels };
}

/**
 * What is learned from, and what is measured on.
 * @param {Task} task
 * @param {LabelledSet} set
 * @param {Material} material
 */
export function split(task, set, material) {
  if (set.ready) return { learned: set.rows, heldOut: material[task].heldOut };
  const aside = setAside(task, set);
  return { learned: set.rows.filter((row) => !aside.has(row)), heldOut: [...aside] };
}

/**
 * @param {Task} task
 * @param {LabelledSet} set
 * @param {{model: Model, material: Material}} given
 * @param {{onProgress: (start: number, progress: Progress) => void, signal: AbortSignal}} listening
 * @returns {Promise<{bert: Bert, taken: number}[]>} The pretrained and the random start, tuned.
 */
export function trainBoth(task, set, { model, material }, { onProgress, signal }) {
  const { learned, heldOut } = split(task, set, material);
  const examples = learned.map((row) => encode(task, model, row));
  const head = task === "words" ? "labelTokens" : "classify";
  const classes = task === "words" ? TAGS.length : set.kinds.length;
  const { steps, range } = material;
  const sizes = /** @type {import("../../bert/initial.js").Sizes} */ (model.bert.config);
  const begins = [
    withNewHead(model.bert, head, classes, seededDraws(SEED), range),
    randomBert(sizes, head, classes, seededDraws(SEED), range),
  ];
  const ending = new AbortController(); // if one fails, the other need not go on
  signal.addEventListener("abort", () => ending.abort());
  const runs = begins.map((bert, start) =>
    train(
      bert,
      {
        head,
        options: { learningRate: material[task].rates[start], steps },
        examples,
        batchSize: Math.min(BATCH, examples.length),
        seed: SEED,
        heldOut: heldOut.map((row) => encode(task, model, row)),
        wholeTexts: true,
        every: EVERY,
        atStart: true,
      },
      {
        onProgress: (progress) => onProgress(start, progress),
        signal: ending.signal,
      },
    ),
  );
  return Promise.all(runs).catch((error) => {
    ending.abort();
    throw error;
  });
}

/**
 * What a tuned model makes of a text.
 * @param {Task} task
 * @param {Bert} bert
 * @param {Pick<Model, "tokenizer" | "longest">} model
 * @param {string} text
 * @returns {Reading}
 */
export function read(task, bert, { tokenizer, longest }, text) {
  const { ids, segments, tokens } = tokenizer.encode(text, null, { longest });
  const vectors = bert.encode(ids, segments);
  if (task === "sentences") return { classes: [...softmax(bert.classify(vectors))] };
  return { entities: decodeEntities(bert.labelTokens(vectors), findWords(tokens), TAGS) };
}

/**
 * A reading as a word that can be compared: of a sentence its class, of words the marked ones.
 * @param {Reading} reading
 * @param {string} text
 * @param {string[]} kinds
 */
export function inWords(reading, text, kinds) {
  if ("classes" in reading) {
    const { classes } = reading;
    return kinds[classes.indexOf(Math.max(...classes))];
  }
  return reading.entities.map(({ start, end }) => text.slice(start, end)).join(", ") || "none";
}

/**
 * What the labels of a row say, in the same words.
 * @param {Task} task
 * @param {Row} row
 * @param {string[]} kinds
 */
export function truthOf(task, { text, label, marks }, kinds) {
  if (task === "sentences") return kinds[label];
  const own = wordsOf(text);
  /** @type {import("../../bert/decode.js").Span[]} */
  const entities = [];
  for (const n of marks) {
    const last = entities.at(-1);
    // side by side: with nothing but a space between them
    if (last && text.slice(last.end, own[n].start).trim() === "") last.end = own[n].end;
    else entities.push({ start: own[n].start, end: own[n].end });
  }
  return inWords({ entities }, text, kinds);
}
