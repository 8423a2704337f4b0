// @ts-nocheck: its types are still to be written
/** The pictures of the trace. Each is made of numbers, and shows each number as text. */
import { h } from "../dom.js";
import { chip, FATES, row } from "../tokens.js";
import { RECIPE } from "./walk.js";

/** With a fixed number of digits, as Python prints it, but with a proper minus sign. */
export const decimal = (x, digits = 5) => x.toFixed(digits).replace("-", "−");

/** As Python prints `:.9e`. Exactly between two digits, Python takes the even one; JS goes up. */
export function scientific(x, digits = 9) {
  const [all, exponent] = Math.abs(x).toExponential(100).split("e");
  const [kept, rest] = [all.slice(0, digits + 2), all.slice(digits + 2)];
  const even = /^50*$/.test(rest) && Number(kept.at(-1)) % 2 === 0;
  const rounded = Math.abs(x).toExponential(digits).split("e");
  const [mantissa, power] = even ? [kept, exponent] : rounded;
  const sign = x < 0 ? "−" : "";
  return `${sign}${mantissa}e${power[0].replace("-", "−")}${power.slice(1).padStart(2, "0")}`;
}

/** Without digits of its own, as Python prints it: 0.0001, 5e−05. */
export const plain = (x) =>
  x >= 1e-4
    ? String(x)
    : x
        .toExponential()
        .replace(/e-(\d)$/, "e−0$1")
        .replace("e-", "e−");

/** The tokens of a walk, as `chip` wants them. */
function tokens({ pieces, segments, selectable }) {
  return pieces.map((piece, n) => ({ piece, segment: segments[n], structural: !selectable[n] }));
}

/** A row of chips; `under` gives a number to show below each. */
export function chips(walk, { fates = false, selected = false, under } = {}) {
  const made = tokens(walk).map((token, n) => {
    const { [n]: fate } = walk.fates;
    const told = fates && fate ? { ...token, fate, seen: walk.seen[n] } : token;
    const chosen = selected && fate ? "chosen" : null;
    if (!under) return chip(told);
    return h("span", { class: "stack" }, chip(told), h("small", { class: chosen }, under(n)));
  });
  return row(...made);
}

/** The sentences, as they were written. */
export function sentenceCards({ texts }) {
  const shorten = (text) => (text.length > 400 ? `${text.slice(0, 400)} …` : text);
  return h(
    "div",
    { class: "cards" },
    texts.map((text, n) =>
      h("p", { class: n ? "card second" : "card" }, h("b", {}, "AB"[n]), " ", shorten(text)),
    ),
  );
}

/** All draws on a line from 0 to 1, cut where the selected ones end. */
export function drawLine({ select_draw: draws, selectable, fates }) {
  const marks = draws.map((draw, n) => {
    if (!selectable[n]) return null;
    const mark = h("i", { class: fates[n] ? "mark chosen" : "mark" });
    mark.style.left = `${100 * draw}%`;
    return mark;
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

/** For each selected token, where its second draw falls: masked, random, or kept. */
export function fateLines({ pieces, fates, fate_draw: draws }) {
  const shares = [RECIPE.mask, RECIPE.random, 1 - RECIPE.mask - RECIPE.random];
  const rows = fates.flatMap((fate, n) => {
    if (!fate) return [];
    const mark = h("i", { class: "mark chosen" });
    mark.style.left = `${100 * draws[n]}%`;
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

function zones(shares, texts = []) {
  return shares.map((share, n) => {
    const zone = h("span", { class: "zone" }, texts[n]);
    zone.style.width = `${100 * share}%`;
    return zone;
  });
}

/**
 * Bars that start at zero, to the left for negative numbers.
 * @param {{name: string, value: number, from?: number, text?: string}[]} rows
 * @param {{mark?: number}} options A number that is marked on all of them.
 */
export function bars(rows, { mark } = {}) {
  const all = [0, mark ?? 0, ...rows.flatMap(({ value, from = 0 }) => [from, from + value])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const place = (x) => (100 * (x - low)) / (high - low || 1);
  const line = (name, x) => {
    const made = h("i", { class: name });
    made.style.left = `${place(x)}%`;
    return made;
  };
  return h(
    "div",
    { class: "grid bars" },
    rows.flatMap(({ name, value, from = 0, text = decimal(value), strong }) => {
      const fill = h("span", { class: "fill" });
      const [left, right] = [from, from + value].sort((a, b) => a - b).map(place);
      fill.style.left = `${left}%`;
      fill.style.width = `${right - left}%`;
      const lines = [low < 0 && line("zero", 0), mark && line("limit", mark)].filter(Boolean);
      const track = h("span", { class: "track", "aria-hidden": "true" }, fill, lines);
      const kind = strong ? " strong" : "";
      return [
        h("span", { class: `name${kind}` }, name),
        track,
        h("span", { class: `number${kind}` }, text),
      ];
    }),
  );
}

/**
 * From logits to shares: a row for each, and the sum.
 * @param {{name: string, logit?: number, exp: number, share: number}[]} rows
 */
export function shares(rows, { digits = 5, shareDigits = 5, sum = true } = {}) {
  const cell = (kind, text = null, more = {}) => h("span", { class: kind, ...more }, text);
  const cells = ({ name, logit, exp, share, strong, derived }) => [
    cell(strong ? "name strong" : "name", name),
    cell("number logit", logit === undefined ? null : decimal(logit)),
    cell("number", decimal(exp, digits)),
    h("span", { class: "track", "aria-hidden": "true" }, widthOf(share)),
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

function widthOf(share) {
  const fill = h("span", { class: "fill" });
  fill.style.width = `${100 * share}%`;
  return fill;
}

/** A calculation whose numbers are named: `["−"]` between, `[number, name]` else. */
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

/** What AdamW makes of a weight and its gradient, pair by pair down to the new weight. */
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

/** A line of words under a picture, or above a part of it. */
export const caption = (...words) => h("p", { class: "caption" }, ...words);
