/** What the game on sentence pairs computes: verdicts, points, clues. Nothing here knows a page. */

import { findWords, isForeign } from "../../bert/decode.js";
import { IS_NEXT, IS_RANDOM } from "../../bert/pairs.js";
import { softmax } from "../../bert/scores.js";

/** @typedef {import("../../bert/pairs.js").Label} Label */
/** @typedef {{a: string, b: string, label: Label | null}} Shown Without a label, a reader's own. */
/** @typedef {{rounds: number, reader: number, head: number, word: number}} Points */

export const LABELS = ["B is next", "B is random"]; // by label

/** @type {Points} */
export const NOTHING = { rounds: 0, reader: 0, head: 0, word: 0 };

// what a story can be about: the keys of VENUES in corpus_text.py
const KINDS = "bakery theatre museum hotel market library garden circus castle zoo".split(" ");

/**
 * The stories with the sizes of their sentences.
 * @param {unknown} texts What the file has, which may be damaged.
 * @param {(text: string) => number} sizeOf
 * @returns {import("../../bert/pairs.js").Story[]}
 */
export function readStories(texts, sizeOf) {
  const isText = (/** @type {unknown} */ text) => typeof text === "string";
  const isStory = (/** @type {unknown} */ story) => Array.isArray(story) && story.every(isText);
  if (!(Array.isArray(texts) && texts.length && texts.every(isStory))) {
    throw new Error("The file stories.json is damaged.");
  }
  const stories = /** @type {string[][]} */ (texts);
  return stories.map((story) => story.map((text) => ({ text, size: sizeOf(text) })));
}

/**
 * The probability that B is next, null where there is nothing to read; and remarks.
 * @param {import("../../bert/model.js").Model} model
 * @param {{a: string, b: string}} pair
 * @returns {{share: number | null, notes: string[]}}
 */
export function verdictOf({ tokenizer, bert, longest }, { a, b }) {
  if (![a, b].every((text) => tokenizer.tokenize(text).length)) {
    return { share: null, notes: ["Write something in both passages."] };
  }
  const { tokens, ids, segments, cut } = tokenizer.encode(a, b, { longest });
  const share = softmax(bert.nextSentence(bert.encode(ids, segments)))[IS_NEXT];
  const notes = [];
  if (cut) {
    notes.push(`Too long for ${longest} tokens: the end of the longer passage was cut off.`);
  }
  if (findWords(tokens).some(isForeign)) {
    notes.push(
      "Some of these words are not in the model's small vocabulary. It sees them as single " +
        "letters or as [UNK], so its verdict means little.",
    );
  }
  return { share, notes };
}

/**
 * The label that the head says.
 * @param {number} share The probability that B is next.
 * @returns {Label}
 */
export const byHead = (share) => (share > 0.5 ? IS_NEXT : IS_RANDOM);

/**
 * The label that a rule of one word says.
 * @param {{a: string, b: string}} pair
 * @returns {Label}
 */
export const byOneWord = (pair) => (sharedKinds(pair).length ? IS_NEXT : IS_RANDOM);

/**
 * The score after one more round.
 * @param {Points} before
 * @param {{label: Label | null, guess: Label, head: Label, word: Label}} round
 * @returns {Points}
 */
export function addRound(before, { label, guess, head, word }) {
  return {
    rounds: before.rounds + 1,
    reader: before.reader + Number(guess === label),
    head: before.head + Number(head === label),
    word: before.word + Number(word === label),
  };
}

/**
 * The score that a browser remembers; none if what it has is no score.
 * @param {unknown} kept
 * @returns {Points}
 */
export function soundPoints(kept) {
  const { rounds, reader, head, word } = Object(kept);
  const counts = [rounds, reader, head, word];
  const sound = counts.every((n) => Number.isSafeInteger(n) && n >= 0 && n <= rounds);
  return sound ? { rounds, reader, head, word } : NOTHING;
}

/**
 * The score in words; "" before the first round.
 * @param {Points} points
 */
export function pointsInWords({ rounds, reader, head, word }) {
  if (!rounds) return "";
  const pairs = rounds === 1 ? "1 pair" : `${rounds} pairs`;
  return `Right so far, of ${pairs}: you ${reader}, the head ${head}, one word alone ${word}.`;
}

/**
 * The words of a text, in lower case with a space before and after each.
 * @param {string} text
 */
const plain = (text) => ` ${text.toLowerCase().replace(/[^\p{L}]+/gu, " ")} `;

/** @param {string} text */
const kindsIn = (text) => KINDS.filter((kind) => plain(text).includes(` ${kind} `));

/** @param {{a: string, b: string}} pair */
const sharedKinds = ({ a, b }) => kindsIn(a).filter((kind) => kindsIn(b).includes(kind));

/**
 * People, towns and named places: words with a capital letter within a sentence, except days.
 * @param {string} text
 */
export function namesIn(text) {
  const found = text.match(/(?<=[\p{Ll},] )\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)?/gu) ?? [];
  return [...new Set(found)].filter((name) => !name.endsWith("day"));
}

/**
 * What may give the label away, judging by the words alone.
 * @param {Shown} pair
 * @param {string[]} names
 */
export function clues({ a, b, label }, names) {
  const [inA, inB] = [kindsIn(a), kindsIn(b)];
  const [kind] = sharedKinds({ a, b });
  const found = [];
  if (kind) {
    const told = ["That one word settles it.", "That one word is misleading here."];
    found.push(`Both mention a ${kind}.`, label !== null && told[label]);
  } else if (inA.length && inB.length) {
    const told = label === IS_RANDOM && "That one word settles it.";
    found.push(`A mentions a ${inA[0]}, B a ${inB[0]}.`, told);
  } else {
    const silent = inA.length ? "B names no" : inB.length ? "A names no" : "Neither names a";
    found.push(`${silent} kind of place, so no such word helps.`);
  }
  const both = names.filter((name) =>
    [a, b].every((text) => plain(text).includes(` ${name.toLowerCase()} `)),
  );
  if (both.length) {
    const named = both.slice(0, 4).map((name) => (name.includes(" ") ? `the ${name}` : name));
    found.push(`Both mention ${listed(named)}${label === IS_RANDOM ? ", by chance" : ""}.`);
  }
  return found.filter(Boolean).join(" ");
}

/** @param {string[]} words */
const listed = (words) =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
