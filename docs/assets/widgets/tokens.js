/** Tokens as chips, in the same language as the pages' own (tools/weave/values.py). */
import { h } from "./dom.js";

/**
 * A token as it is drawn.
 * @typedef {object} Drawn
 * @property {string} piece
 * @property {string} [seen] What the model sees in its place.
 * @property {import("../bert/masking.js").Fate} [fate]
 * @property {number} [segment] 1 is drawn dashed.
 * @property {boolean} [structural]
 */

/** The fates of a token, each with a sign that needs no colour. */
export const FATES = { masked: "▢", random: "⇄", kept: "=" };

/**
 * One token.
 * @param {Drawn} token
 */
export function chip(token) {
  const { piece, seen = piece, fate, segment, structural } = token;
  const classes = ["token", fate, segment === 1 && "segment-b", structural && "structural"];
  const said = { role: "img", "aria-label": fate, title: fate };
  const sign = fate ? [h("i", said, FATES[fate]), " "] : [];
  const words = seen === piece ? [piece] : [h("b", {}, seen), " ", h("s", {}, piece)];
  return h("span", { class: classes.filter(Boolean).join(" ") }, ...sign, ...words);
}

/**
 * A row of chips that wraps.
 * @param {HTMLElement[]} chips
 */
export const row = (...chips) => h("div", { class: "tokens" }, ...chips);

/**
 * A bar from 0 to 1 with its name and its number, for a table of probabilities.
 * @param {string} name
 * @param {number} share
 * @param {string} text
 */
export function bar(name, share, text) {
  return h(
    "div",
    { class: "bar" },
    h("span", { class: "bar-name" }, name),
    h("span", { class: "bar-track", "aria-hidden": "true" }, barOf(share)),
    h("span", { class: "bar-number" }, text),
  );
}

/** @param {number} share */
function barOf(share) {
  const fill = h("span", { class: "bar-fill" });
  fill.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  return fill;
}
