/**
 * Labelled sets: what a reader trains on. No page is needed.
 *
 * A set is of one of two tasks. Of `sentences`, each has one class as its label; of `words`, some
 * are marked in each sentence, and words marked side by side are one entity.
 */
import { words } from "../../bert/tokenizer.js";

/** @typedef {"sentences" | "words"} Task */
/** @typedef {import("../../bert/decode.js").Span} Span */

/**
 * A labelled sentence.
 * @typedef {object} Row
 * @property {string} text
 * @property {number} label Its class; 0 if words are marked instead.
 * @property {number[]} marks The marked words, by their numbers in `wordsOf`.
 */

/**
 * @typedef {object} LabelledSet
 * @property {string[]} kinds The names of the classes, or of the one kind that is marked.
 * @property {Row[]} rows
 * @property {boolean} ready Whether it began as the ready set, whose held-out sentences fit it.
 */

/**
 * A ready set, with what the build has measured on others drawn like it.
 * @typedef {object} Ready
 * @property {string[]} kinds
 * @property {[number, number]} rates The learning rates of the pretrained and the random start.
 * @property {Row[]} labelled
 * @property {Row[]} heldOut
 * @property {number} draws
 * @property {Record<string, [number, number]>} measured By the number of labelled sentences, the
 *   share of sentences that were right from the pretrained and from the random start.
 */

/**
 * What fine-tuning.json brings, see `examples/fine_tuning.py`.
 * @typedef {object} Material
 * @property {number} steps
 * @property {number} range The standard deviation of new weights.
 * @property {Ready} sentences
 * @property {Ready} words
 * @property {string[]} stories Sentences to label.
 */

export const MOST = 32; // labelled sentences
export const MOST_KINDS = 4;
const LONGEST = 300; // characters of a sentence, about what the model reads
const LONGEST_NAME = 24;

/** @type {readonly Task[]} */
export const TASKS = ["sentences", "words"];

/**
 * The words of a text that can be marked: all but punctuation.
 * @param {string} text
 * @returns {Span[]}
 */
export const wordsOf = (text) =>
  [...words(text)].filter(({ chars }) => /[\p{L}\p{N}]/u.test(chars.join("")));

/**
 * @param {unknown} data
 * @returns {Material}
 * @throws {Error} With a message for the reader, if it is something else.
 */
export function readMaterial(data) {
  const { steps, range, sentences, words, stories } = Object(data);
  try {
    return {
      steps,
      range,
      sentences: readReady("sentences", sentences),
      words: readReady("words", words),
      stories: stories.map(String),
    };
  } catch {
    throw new Error("The file fine-tuning.json is damaged.");
  }
}

/**
 * @param {Task} task
 * @param {any} data
 * @returns {Ready}
 */
function readReady(task, data) {
  /** @param {{text: string, label?: number, spans?: [number, number][]}} row */
  const read = ({ text, label = 0, spans = [] }) => ({ text, label, marks: inside(text, spans) });
  const { kinds, rates, draws, measured, labelled, heldOut } = data;
  /** @type {Ready} */
  const ready = {
    kinds: kinds.map(String),
    rates,
    draws,
    measured,
    labelled: labelled.map(read),
    heldOut: heldOut.map(read),
  };
  if (readSet(writeSet(task, newSet(ready))) === null) throw new Error("no such set");
  return ready;
}

/**
 * The words inside of spans.
 * @param {string} text
 * @param {[number, number][]} spans
 */
const inside = (text, spans) =>
  [...wordsOf(text).entries()]
    .filter(([, word]) => spans.some(([start, end]) => start <= word.start && word.end <= end))
    .map(([n]) => n);

/**
 * The ready set, as a reader gets it.
 * @param {Ready} ready
 * @returns {LabelledSet}
 */
export const newSet = ({ kinds, labelled }) => ({ kinds, rows: labelled, ready: true });

/** @type {Record<Task, LabelledSet>} */
export const EMPTY = {
  sentences: { kinds: ["happy", "sad"], rows: [], ready: false },
  words: { kinds: ["place"], rows: [], ready: false },
};

/**
 * A set as plain data, for a link or a file.
 * @param {Task} task
 * @param {LabelledSet} set
 */
export const writeSet = (task, { kinds, rows, ready }) => ({
  task,
  ready,
  kinds,
  rows: rows.map(({ text, label, marks }) => [text, task === "words" ? marks : label]),
});

/**
 * A set from plain data, which may be anything; null if it is none.
 * @param {unknown} data
 * @returns {{task: Task, set: LabelledSet} | null}
 */
export function readSet(data) {
  const { task, ready, kinds, rows } = Object(data);
  if (!TASKS.includes(task) || !Array.isArray(kinds) || !Array.isArray(rows)) return null;
  const isCount = task === "words" ? kinds.length === 1 : kinds.length >= 2;
  if (!isCount || kinds.length > MOST_KINDS) return null;
  const read = rows.slice(0, MOST).map((row) => readRow(task, row, kinds.length));
  if (!read.every((row) => row !== null)) return null;
  return { task, set: { kinds: kinds.map(nameOf), rows: read, ready: ready === true } };
}

/**
 * @param {Task} task
 * @param {unknown} row
 * @param {number} classes
 * @returns {Row | null}
 */
function readRow(task, row, classes) {
  if (!Array.isArray(row) || typeof row[0] !== "string" || !row[0].trim()) return null;
  const text = sentenceOf(row[0]);
  const count = task === "words" ? wordsOf(text).length : classes;
  const numbers = task === "words" ? row[1] : [row[1]];
  if (!Array.isArray(numbers)) return null;
  if (!numbers.every((n) => Number.isInteger(n) && n >= 0 && n < count)) return null;
  const marks = [...new Set(numbers)].sort((a, b) => a - b);
  return task === "words" ? { text, label: 0, marks } : { text, label: row[1], marks: [] };
}

/**
 * A sentence of a length that can be shown.
 * @param {string} text
 */
export const sentenceOf = (text) => text.replace(/\s+/g, " ").trim().slice(0, LONGEST);

/** @param {unknown} name */
export const nameOf = (name) => String(name).slice(0, LONGEST_NAME);

/**
 * A name that is never empty.
 * @param {LabelledSet} set
 * @param {number} kind
 */
export const kindOf = ({ kinds }, kind) => kinds[kind].trim() || `class ${kind + 1}`;

/**
 * The rows that are held out of a reader's own set: each fourth of a class, or of those with marks
 * and those without. None of a small set.
 * @param {Task} task
 * @param {LabelledSet} set
 * @returns {Set<Row>}
 */
export function setAside(task, { rows, ready }) {
  if (ready || rows.length < 8) return new Set();
  const groups = groupsOf(rows, ({ label, marks }) =>
    task === "words" ? Math.min(1, marks.length) : label,
  );
  return new Set(groups.flatMap((group) => group.filter((_, n) => n % 4 === 3)));
}

/**
 * Rows that have the same key, together.
 * @param {Row[]} rows
 * @param {(row: Row) => string | number} keyOf
 */
export function groupsOf(rows, keyOf) {
  /** @type {Map<string | number, Row[]>} */
  const groups = new Map();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return [...groups.values()];
}
