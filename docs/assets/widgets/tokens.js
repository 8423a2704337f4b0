// @ts-nocheck: its types are still to be written
/** Tokens as chips, in the same language as the pages' own (tools/render.py). */
import { h } from "./dom.js";

/** The fates of a token, each with a sign that needs no colour. */
export const FATES = { masked: "▢", random: "⇄", kept: "=" };

/**
 * One token.
 * @param {{piece: string, seen?: string, fate?: string, segment?: number, structural?: boolean}} token
 *   `seen` is what the model sees in its place; `segment` 1 is drawn dashed.
 * @param {string} tag "span", or "button" for a token that can be pressed.
 */
export function chip(token, tag = "span", attributes = {}) {
  const { piece, seen = piece, fate, segment, structural } = token;
  const classes = ["token", fate, segment === 1 && "segment-b", structural && "structural"];
  const said = { role: "img", "aria-label": fate, title: fate };
  const sign = fate ? [h("i", said, FATES[fate]), " "] : [];
  const words = seen === piece ? [piece] : [h("b", {}, seen), " ", h("s", {}, piece)];
  return h(
    tag,
    { class: classes.filter(Boolean).join(" "), type: tag === "button" && "button", ...attributes },
    ...sign,
    ...words,
  );
}

/** A row of chips that wraps. */
export const row = (...chips) => h("div", { class: "tokens" }, ...chips);

/** A bar from 0 to 1 with its name and its number, for a table of probabilities. */
export function bar(name, share, text) {
  return h(
    "div",
    { class: "bar" },
    h("span", { class: "bar-name" }, name),
    h("span", { class: "bar-track", "aria-hidden": "true" }, barOf(share)),
    h("span", { class: "bar-number" }, text),
  );
}

function barOf(share) {
  const fill = h("span", { class: "bar-fill" });
  fill.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  return fill;
}
