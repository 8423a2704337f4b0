/** The pictures of the trace. Each is made of numbers, and shows each number as text. */
import { h } from "../dom.js";
import { chip, FATES, row } from "../tokens.js";
import { decimal, scientific } from "./numbers.js";
import { RECIPE } from "./walk.js";

/** @typedef {import("../dom.js").Child} Child */
/** @typedef {import("./walk.js").Input} Input */

/**
 * A bar that starts at `from`, else at zero.
 * @typedef {{name: string, value: number, from?: number, strong?: boolean}} Bar
 */

/**
 * One of the scores that softmax makes shares of.
 * @typedef {object} Share
 * @property {string} name
 * @property {number} [logit]
 * @property {number} exp
 * @property {number} share
 * @property {boolean} [strong]
 * @property {boolean} [derived] The page has no such number in its text.
 */

/** @typedef {[text: string, name: string]} Term A number of a calculation, and what it is. */

/**
 * A row of chips.
 * @param {Input} input
 * @param {object} [options]
 * @param {boolean} [options.fates] Whether they show what the model sees.
 * @param {boolean} [options.selected] Whether what is below the selected ones is marked.
 * @param {(n: number) => string | number} [options.under] What is below each.
 */
export function chips(input, { fates = false, selected = false, under } = {}) {
  const { pieces, segments, selectable } = input;
  const made = pieces.map((piece, n) => {
    const token = { piece, segment: segments[n], structural: !selectable[n] };
    const fate = input.fates[n];
    const drawn = chip(fates && fate ? { ...token, fate, seen: input.seen[n] } : token);
    if (!under) return drawn;
    const chosen = selected && fate ? "chosen" : null;
    return h("span", { class: "stack" }, drawn, h("small", { class: chosen }, under(n)));
  });
  return row(...made);
}

/**
 * The sentences, as they were written.
 * @param {{texts: string[]}} input
 */
export function sentenceCards({ texts }) {
  /** @param {string} text */
  const shorten = (text) => (text.length > 400 ? `${text.slice(0, 400)} …` : text);
  return h(
    "div",
    { class: "cards" },
    texts.map((text, n) =>
      h("p", { class: n ? "card second" : "card" }, h("b", {}, "AB"[n]), " ", shorten(text)),
    ),
  );
}

/**
 * All draws on a line from 0 to 1, cut where the selected ones end.
 * @param {Input} input
 */
export function drawLine({ select_draw: draws, selectable, fates }) {
  const marks = draws.map((draw, n) => {
    if (!selectable[n]) return null;
    return placed("i", fates[n] ? "mark chosen" : "mark", draw);
  });
  return h(
    "div",
    { class: "draw-line", "aria-hidden": "true" },
    h(
      "div",
      { class: "ends" },
      h("span", {}, `below ${RECIPE.select}: selected`),
      h("span", {}, "not selected"),
    ),
    h("div", { class: "track" }, zones([RECIPE.select, 1 - RECIPE.select]), marks),
    h("div", { class: "ends" }, h("span", {}, "0"), h("span", {}, "1")),
  );
}

/**
 * For each selected token, where its second draw falls: masked, random, or kept.
 * @param {Input} input
 */
export function fateLines({ pieces, fates, fate_draw: draws }) {
  const shares = [RECIPE.mask, RECIPE.random, 1 - RECIPE.mask - RECIPE.random];
  const rows = fates.flatMap((fate, n) => {
    if (!fate) return [];
    const mark = placed("i", "mark chosen", draws[n]);
    return [
      h("span", { class: "name" }, pieces[n]),
      h("span", { class: "track", "aria-hidden": "true" }, zones(shares), mark),
      h("span", { class: "number" }, decimal(draws[n], 3)),
      h("span", { class: `fate ${fate}` }, `${FATES[fate]} ${fate}`),
    ];
  });
  const signs = zones(shares, Object.values(FATES));
  const head = ["", h("span", { class: "signs", "aria-hidden": "true" }, signs), "draw", "fate"];
  return h(
    "div",
    { class: "grid fates" },
    head.map((cell) => h("span", {}, cell)),
    rows,
  );
}

/**
 * @param {number[]} shares
 * @param {string[]} [texts]
 */
function zones(shares, texts = []) {
  return shares.map((share, n) => wide("zone", share, texts[n]));
}

/**
 * Something on a track, at a share of its width.
 * @param {"i" | "span"} tag
 * @param {string} kind
 * @param {number} share
 */
function placed(tag, kind, share) {
  const made = h(tag, { class: kind });
  made.style.left = `${100 * share}%`;
  return made;
}

/**
 * Bars that start at zero, to the left for negative numbers.
 * @param {Bar[]} rows
 * @param {object} [options]
 * @param {number} [options.mark] A number that is marked on all of them.
 */
export function bars(rows, { mark } = {}) {
  const all = [0, mark ?? 0, ...rows.flatMap(({ value, from = 0 }) => [from, from + value])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  /** @param {number} x */
  const place = (x) => (x - low) / (high - low || 1);
  return h(
    "div",
    { class: "grid bars" },
    rows.flatMap(({ name, value, from = 0, strong }) => {
      const [left, right] = [from, from + value].sort((a, b) => a - b).map(place);
      const fill = placed("span", "fill", left);
      fill.style.width = `${100 * (right - left)}%`;
      const lines = [
        low < 0 ? placed("i", "zero", place(0)) : null,
        mark ? placed("i", "limit", place(mark)) : null,
      ];
      const kind = strong ? " strong" : "";
      return [
        h("span", { class: `name${kind}` }, name),
        h("span", { class: "track", "aria-hidden": "true" }, fill, lines),
        h("span", { class: `number${kind}` }, decimal(value)),
      ];
    }),
  );
}

/**
 * From logits to shares: a row for each, and the sum.
 * @param {Share[]} rows
 * @param {object} [options]
 * @param {number} [options.digits] Of the exp.
 * @param {number} [options.shareDigits]
 * @param {boolean} [options.sum] Whether it is shown.
 */
export function shares(rows, { digits = 5, shareDigits = 5, sum = true } = {}) {
  /** @type {(kind: string, text?: string, more?: Record<string, boolean>) => HTMLElement} */
  const cell = (kind, text, more = {}) => h("span", { class: kind, ...more }, text);
  const cells = (/** @type {Share} */ { name, logit, exp, share, strong, derived }) => [
    cell(strong ? "name strong" : "name", name),
    cell("number logit", logit === undefined ? undefined : decimal(logit)),
    cell("number", decimal(exp, digits)),
    h("span", { class: "track", "aria-hidden": "true" }, wide("fill", share)),
    cell("number", decimal(share, shareDigits), { "data-derived": Boolean(derived) }),
  ];
  const total = rows.reduce((all, { exp }) => all + exp, 0);
  const head = [
    cell("head"),
    cell("head logit", "logit"),
    cell("head", "exp(logit)"),
    cell("head"),
    cell("head", "P"),
  ];
  const last = [
    cell("name sum", "sum"),
    cell("number sum logit"),
    cell("number sum", decimal(total, digits)),
    cell("sum"),
    cell("number sum", "1"),
  ];
  const kind = rows.length > 2 ? "grid shares long" : "grid shares";
  return h("div", { class: kind }, head, rows.flatMap(cells), sum ? last : []);
}

/**
 * @param {string} kind
 * @param {number} share Of the width.
 * @param {string} [text]
 */
function wide(kind, share, text) {
  const made = h("span", { class: kind }, text);
  made.style.width = `${100 * share}%`;
  return made;
}

/**
 * A calculation whose numbers are named, with signs between them.
 * @param {(Term | string)[]} parts
 */
export function calculation(...parts) {
  return h(
    "div",
    { class: "calculation" },
    parts.map((part, n) => {
      if (typeof part === "string") return h("span", { class: "sign" }, part);
      const [text, name] = part;
      const result = n === parts.length - 1 ? "term result" : "term";
      return h("span", { class: result }, h("b", {}, text), " ", h("small", {}, name));
    }),
  );
}

/**
 * A difference, as a calculation.
 * @param {[number, string][]} terms The minuend, the subtrahend and the difference.
 */
export const minus = (...terms) => {
  const [a, b, difference] = terms.map(
    ([value, name]) => /** @type {Term} */ ([decimal(value), name]),
  );
  return calculation(a, "−", b, "=", difference);
};

/**
 * What AdamW makes of a weight and its gradient, pair by pair down to the new weight.
 * @param {import("./walk.js").Rung[]} rows
 */
export function ladder(rows) {
  const last = rows.length - 1;
  return h(
    "div",
    { class: "ladder" },
    rows.map(([name, value, formula], n) =>
      h(
        "div",
        { class: n === last ? "rung result" : "rung" },
        h("span", { class: "name" }, n === last ? "new w" : name),
        " ",
        h("b", {}, scientific(value)),
        " ",
        h("small", {}, formula),
      ),
    ),
  );
}

/**
 * A line of words under a picture, or above a part of it.
 * @param {Child[]} words
 */
export const caption = (...words) => h("p", { class: "caption" }, ...words);
