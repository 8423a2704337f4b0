/** What "put it in order" knows of an order of lines. No page is needed. */
import { atTry, triesInAll } from "../score/model.js";

/** @typedef {import("../score/model.js").Entry} Entry */

/**
 * What an order computes, or where Python stops.
 * @typedef {{text: string, stops: number | null, word: string | null}} Result
 */

/**
 * What the build has found out about all orders of a function's lines.
 * @typedef {object} Puzzle
 * @property {number[]} shuffled The first order, in numbers of the right one.
 * @property {Result[]} results Each result once; the first is the right one.
 * @property {number[]} of For each order, by its rank, the number of its result.
 */

/**
 * @typedef {object} Verdict
 * @property {boolean} right
 * @property {string} text In a sentence or two.
 * @property {number | null} line The place of the line that is to blame, counted from 0.
 * @property {string | null} computes What the order computes; null if Python stops.
 */

/** @type {import("../score/model.js").Words} */
export const WORDS = {
  status: {
    new: "not tried yet",
    open: "tried, not in order yet",
    first: "in order at the first try",
    done: "in order",
    shown: "looked up",
  },
  sum(entries, count) {
    const done = count("first") + count("done");
    if (count("new") === entries.length) {
      return "Move the lines, and check your order. Your score is kept only in this browser.";
    }
    const shown = count("shown") ? `, ${count("shown")} looked up` : "";
    return (
      `In order: ${done} of ${entries.length}, ${count("first")} at the first try${shown}; ` +
      `${triesInAll(entries)}.`
    );
  },
};

/**
 * The place of an order among all, sorted as in a dictionary.
 * @param {number[]} order
 */
export function rankOf(order) {
  return order.reduce((rank, line, n) => {
    const smaller = order.slice(n + 1).filter((later) => later < line).length;
    return rank * (order.length - n) + smaller;
  }, 0);
}

/**
 * The order of a rank; see `rankOf`.
 * @param {number} rank
 * @param {number} count Of lines.
 */
export function orderOf(rank, count) {
  const places = [];
  for (let left = 1, rest = rank; left <= count; left++) {
    places.unshift(rest % left);
    rest = Math.floor(rest / left);
  }
  const lines = Array.from({ length: count }, (_, n) => n);
  return places.map((place) => lines.splice(place, 1)[0]);
}

/**
 * The order in which a line has been moved.
 * @param {number[]} order
 * @param {number} from
 * @param {number} to
 */
export function moved(order, from, to) {
  const after = order.filter((_, n) => n !== from);
  after.splice(to, 0, order[from]);
  return after;
}

/**
 * The first place at which an order is like no right one.
 * @param {Puzzle} puzzle
 * @param {number[]} order
 */
export function departureOf({ of }, order) {
  const shared = of.map((result, rank) => {
    if (result !== 0) return 0;
    const right = orderOf(rank, order.length);
    const place = right.findIndex((line, n) => line !== order[n]);
    return place < 0 ? order.length : place;
  });
  return shared.reduce((most, each) => Math.max(most, each), 0);
}

/**
 * @param {Puzzle} puzzle
 * @param {number[]} order
 * @returns {Verdict}
 */
export function verdictOn(puzzle, order) {
  const number = puzzle.of[rankOf(order)];
  const { text, stops, word } = puzzle.results[number];
  if (number === 0) {
    return { right: true, text: "It computes what it should.", line: null, computes: text };
  }
  if (stops !== null) {
    const where = stops < order.length ? `at line ${stops + 1}` : "at the last line";
    const line = stops < order.length ? stops : null;
    return { right: false, text: `Python stops ${where}. ${text}.`, line, computes: null };
  }
  if (word) return { right: false, text: `It runs, but: ${word}`, line: null, computes: text };
  const line = departureOf(puzzle, order);
  const like = line
    ? `Its beginning is that of an order that works, up to line ${line}; line ${line + 1} is out of place.`
    : "No order that works begins with line 1.";
  return {
    right: false,
    text: `It runs, but computes something else. ${like}`,
    line,
    computes: text,
  };
}

/**
 * It was solved or looked up.
 * @param {Entry} entry
 */
export const isOver = ({ done, shown }) => done || shown;

/**
 * What has become of a puzzle when an order is checked; the same order once more is no other try.
 * @param {Entry} entry
 * @param {number} rank
 * @param {boolean} right
 * @returns {Entry}
 */
export function afterCheck(entry, rank, right) {
  if (isOver(entry) || entry.chosen.at(-1) === rank) return entry;
  return { ...entry, chosen: [...entry.chosen, rank], done: right };
}

/**
 * The order to begin with: the one that was checked last, if any.
 * @param {Puzzle} puzzle
 * @param {Entry} entry
 */
export function orderToShow({ shuffled, of }, { chosen }) {
  const rank = chosen.at(-1);
  return rank !== undefined && rank in of ? orderOf(rank, shuffled.length) : [...shuffled];
}

/**
 * The message below the lines.
 * @param {Entry} entry
 * @param {Verdict | null} verdict Of the order that was checked just now.
 */
export function messageOn({ chosen, done, shown }, verdict) {
  if (verdict) return `${verdict.right ? "✓" : "✗"} ${verdict.text}`;
  if (done) return `✓ In order ${atTry(chosen.length)}.`;
  if (shown) return "→ An order that works is below.";
  return "Put the lines in order.";
}
