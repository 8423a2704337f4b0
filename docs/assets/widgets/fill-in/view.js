/** How the fill-in widget looks: a token, and the guesses for a hidden one. */
import { h } from "../dom.js";
import { probability } from "../numbers.js";
import { bar, chip } from "../tokens.js";
import { MASK } from "./model.js";

/** @typedef {import("./model.js").Guess} Guess */
/** @typedef {import("./model.js").Piece} Piece */

const GUESSES = 5; // for each hidden token
const CONTEXT = 3; // tokens on each side of a hidden one, shown above its guesses

/**
 * The chip of a token as the model sees it.
 * @param {Piece} token
 * @param {boolean} isMasked
 */
export const chipOf = (token, isMasked) =>
  chip(isMasked ? { ...token, seen: MASK, fate: "masked" } : token);

/**
 * What a reader sees below the tokens.
 * @param {Guess[]} guesses
 * @param {(Node | string)[][]} contexts For each guess.
 * @param {(string | null)[]} reasons Where it is looked into, for each guess.
 * @param {boolean} isSigned Some token was hidden, not typed, so its guesses have a sign.
 * @param {string} lesson What an example shows; "" for none.
 */
export function resultsOf(guesses, contexts, reasons, isSigned, lesson) {
  const signs = isSigned ? " ✓ marks the hidden token." : "";
  const drawn = guesses.map((guess, n) => resultOf(guess, contexts[n], reasons[n]));
  const parts = [];
  if (drawn.length) {
    parts.push(h("p", {}, `The most likely tokens at each hidden position.${signs}`));
    parts.push(h("div", { class: "fill-in-results" }, drawn));
  }
  if (lesson) parts.push(h("p", { class: "fill-in-lesson" }, lesson));
  return parts;
}

/**
 * @param {Guess} guess
 * @param {(Node | string)[]} context
 * @param {string | null} reason
 */
function resultOf({ place, ranked, truth }, context, reason) {
  const bars = ranked.slice(0, GUESSES).map(({ piece, share }, rank) => {
    const drawn = bar(rank === truth ? `✓ ${piece}` : piece, share, probability(share));
    drawn.classList.toggle("fill-in-truth", rank === truth);
    return drawn;
  });
  const more = [];
  if (truth !== null && truth >= GUESSES) {
    const { piece, share } = ranked[truth];
    const where = `rank ${truth + 1} of ${ranked.length}, ${probability(share)}`;
    more.push(h("p", {}, `✓ ${piece}: ${where}`));
  }
  const name = `Guesses for token ${place}`;
  return h(
    "div",
    { class: "fill-in-result", role: "group", "aria-label": name },
    h("p", {}, context),
    ...bars,
    ...more,
    reason && h("a", { class: "fill-in-why", href: reason }, "Why this guess?"),
  );
}

/**
 * A hidden token with its neighbours on both sides.
 * @param {string} text
 * @param {Piece[]} tokens
 * @param {number} place
 * @param {(place: number) => boolean} isMasked
 */
export function contextOf(text, tokens, place, isMasked) {
  const from = Math.max(1, place - CONTEXT);
  const to = Math.min(tokens.length - 1, place + CONTEXT + 1);
  /** @type {(Node | string)[]} */
  const parts = [from > 1 ? "… " : ""];
  for (let at = from; at < to; at++) {
    const { start, end } = tokens[at];
    if (at > from) parts.push(text.slice(tokens[at - 1].end, start));
    if (at === place) parts.push(chipOf(tokens[at], isMasked(at)));
    else parts.push(isMasked(at) ? "▢" : text.slice(start, end));
  }
  return [...parts, to < tokens.length - 1 ? " …" : ""];
}
