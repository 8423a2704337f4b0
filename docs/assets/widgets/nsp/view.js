/** How the game on sentence pairs looks. */
import { h } from "../dom.js";
import { probability } from "../numbers.js";
import { bar } from "../tokens.js";
import { LABELS } from "./model.js";

/** @typedef {import("./model.js").Label} Label */

/**
 * A pair to guess.
 * @param {{a: string, b: string}} pair
 */
export function passages({ a, b }) {
  const said = { "aria-label": "The pair", "aria-describedby": "nsp-a nsp-b" };
  return h(
    "div",
    { role: "group", tabindex: -1, ...said },
    h("p", { id: "nsp-a", class: "passage", dir: "auto" }, h("b", {}, "A"), a),
    h("p", { id: "nsp-b", class: "passage segment-b", dir: "auto" }, h("b", {}, "B"), b),
  );
}

/** @param {() => void} edited */
export function fields(edited) {
  const like = { rows: 4, dir: "auto", spellcheck: "false", oninput: edited };
  return {
    a: h("textarea", { id: "nsp-a", ...like }),
    b: h("textarea", { id: "nsp-b", ...like }),
  };
}

/** @param {HTMLElement[]} areas */
export const labelled = (areas) =>
  areas.flatMap((area, n) => [h("label", { for: area.id }, `Passage ${"AB"[n]}`), area]);

/**
 * The truth, and three guesses: by the reader, the head, and a rule of one word.
 * @param {{truth: string, label: Label | null, guess: Label, word: Label, head: Label}} round
 * @param {number} share
 * @param {string} clues
 */
export function told({ truth, label, guess, word, head }, share, clues) {
  return [
    h("p", { class: "nsp-truth" }, truth),
    h(
      "ul",
      { class: "nsp-said" },
      said("You", guess, label),
      said("One word alone", word, label),
      said("The head", head, label),
    ),
    bars(share),
    h("p", {}, clues),
  ];
}

/**
 * What the head says of a reader's own passages.
 * @param {{share: number | null, notes: string[]}} verdict
 * @param {Label} head
 * @param {string} clues
 */
export function judged({ share, notes }, head, clues) {
  const remarks = notes.map((note) => h("p", { class: "widget-note" }, note));
  if (share === null) return remarks;
  const heading = h("p", { class: "nsp-truth" }, `The head: ${LABELS[head]}`);
  return [heading, bars(share), h("p", {}, clues), ...remarks];
}

/**
 * @param {string} who
 * @param {Label} what
 * @param {Label | null} label
 */
function said(who, what, label) {
  const [sign, word] = what === label ? ["✓", "right"] : ["✗", "wrong"];
  return h("li", { class: word }, h("b", {}, sign), ` ${who}: ${LABELS[what]} (${word})`);
}

/** @param {number} share */
function bars(share) {
  return h(
    "div",
    { class: "nsp-bars" },
    bar("is next", share, probability(share)),
    bar("random", 1 - share, probability(1 - share)),
  );
}
