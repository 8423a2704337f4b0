/** What a labelled set cannot teach, in sentences. No page is needed. */
import { findWords, isForeign } from "../../bert/decode.js";
import { groupsOf, kindOf, setAside, wordsOf } from "./sets.js";

/** @typedef {import("./sets.js").LabelledSet} LabelledSet */
/** @typedef {import("./sets.js").Row} Row */
/** @typedef {import("./sets.js").Task} Task */
/** @typedef {import("../../bert/tokenizer.js").Tokenizer} Tokenizer */

const FEW = 8; // labels

/**
 * What keeps a set from being trained on; null if nothing does.
 * @param {Task} task
 * @param {LabelledSet} set
 */
export function whatIsMissing(task, set) {
  const rows = set.rows.filter((row) => !setAside(task, set).has(row));
  if (rows.length === 0) return "There is nothing to learn from yet: label some sentences first.";
  if (task === "words") {
    const kind = kindOf(set, 0);
    const marked = rows.filter(({ marks }) => marks.length > 0);
    if (marked.length === 0) return `No word is marked yet: mark a ${kind} in some sentences.`;
    const all = marked.length === rows.length && rows.every(isAllMarked);
    return all ? "Every word is marked, so there is nothing to tell apart." : null;
  }
  const used = new Set(rows.map(({ label }) => label));
  if (used.size > 1) return null;
  const [only] = used;
  const other = kindOf(set, only === 0 ? 1 : 0);
  return (
    `All labels are “${kindOf(set, only)}”. From one class alone there is nothing to tell apart: ` +
    `label some sentences “${other}”, too.`
  );
}

/** @param {Row} row */
const isAllMarked = ({ text, marks }) => marks.length === wordsOf(text).length;

/**
 * What a reader should know about a set; usually nothing.
 * @param {Task} task
 * @param {LabelledSet} set
 * @param {Tokenizer | null} tokenizer Once the model has loaded.
 */
export const remarksOn = (task, set, tokenizer) =>
  [
    ...contradictions(task, set),
    tooFew(task, set),
    tokenizer && foreign(set.rows.map(({ text }) => text).join(" "), tokenizer),
  ].filter((words) => words != null);

/**
 * The same sentence with two labels.
 * @param {Task} task
 * @param {LabelledSet} set
 */
function contradictions(task, set) {
  /** @param {Row} row */
  const key = ({ text }) => text.toLowerCase();
  /** @param {Row} row */
  const said = ({ text, label, marks }) =>
    task === "sentences" ? `“${kindOf(set, label)}”` : namesIn(text, marks);
  return groupsOf(set.rows, key)
    .map((rows) => ({ text: rows[0].text, labels: [...new Set(rows.map(said))] }))
    .filter(({ labels }) => labels.length > 1)
    .slice(0, 2)
    .map(
      ({ text, labels }) =>
        `“${text}” is labelled ${labels.join(" and ")}. No model can get both right.`,
    );
}

/**
 * @param {string} text
 * @param {number[]} marks
 */
function namesIn(text, marks) {
  const found = wordsOf(text);
  const names = marks.map((n) => text.slice(found[n].start, found[n].end));
  return names.length ? `“${names.join(" ")}”` : "without a mark";
}

/**
 * @param {Task} task
 * @param {LabelledSet} set
 */
function tooFew(task, set) {
  const count = set.rows.length;
  if (count > 0 && count < FEW) {
    return `From ${count === 1 ? "one label" : `${count} labels`}, what it learns is mostly luck.`;
  }
  if (task === "words" || count === 0) return null;
  const rare = set.kinds
    .map((_, kind) => kind)
    .find((kind) => set.rows.filter(({ label }) => label === kind).length < 3);
  return rare === undefined
    ? null
    : `“${kindOf(set, rare)}” has fewer than three sentences, too few to learn what they share.`;
}

/**
 * The words that the model has never met, if there are any.
 * @param {string} text
 * @param {Tokenizer} tokenizer
 */
export function foreign(text, tokenizer) {
  const found = findWords(tokenizer.tokenize(text)).filter(isForeign);
  const names = [...new Set(found.map(({ start, end }) => text.slice(start, end)))];
  if (names.length === 0) return null;
  const few = names
    .slice(0, 4)
    .map((name) => `“${name.slice(0, 20)}”`)
    .join(", ");
  const rest = names.length > 4 ? ` and ${names.length - 4} more` : "";
  return (
    `Pretraining never met ${few}${rest}: such words come as letters or as [UNK], and pretraining ` +
    "does not help with them."
  );
}
