/** How the widget on heads looks: readings side by side, and the text with its marks. */
import { h } from "../dom.js";
import { fixed, probability } from "../numbers.js";
import { bar } from "../tokens.js";
import { clip, KINDS } from "./model.js";

/** @typedef {import("../dom.js").Child} Child */
/** @typedef {import("./model.js").Reading} Reading */

const COLUMNS = [
  { title: "Before fine-tuning", about: "pretrained encoder, random head" },
  { title: "After fine-tuning", about: "both fine-tuned on labelled examples" },
];

/**
 * What both models make of a text.
 * @param {Reading[]} readings
 * @param {string} text
 * @param {number} end Where the part ends that was read.
 */
export const columns = (readings, text, end) =>
  readings.map((reading, n) => column(n, drawn(reading, text, end)));

/**
 * @param {number} number
 * @param {HTMLElement[]} children
 */
function column(number, children) {
  const { title, about } = COLUMNS[number];
  return h(
    "div",
    { class: "heads-column", role: "group", "aria-label": title },
    h("p", { class: "heads-caption" }, h("b", {}, title), h("span", { class: "quietly" }, about)),
    ...children,
  );
}

/**
 * @param {Reading} reading
 * @param {string} text
 * @param {number} end
 */
function drawn(reading, text, end) {
  if (reading.task === "sentiment") {
    return reading.classes.map(({ label, share }) => bar(label, share, probability(share)));
  }
  if (reading.task === "entities") return [marked(text, reading.entities, end, entityMark)];
  const { span, none, answered } = reading;
  const answerMark = (/** @type {string} */ words) => h("mark", { class: "answer" }, words);
  return [
    marked(text, answered ? [span] : [], end, answerMark),
    scores(
      { name: `“${text.slice(span.start, span.end)}”`, score: span.score, wins: answered },
      { name: "no answer, at [CLS]", score: none, wins: !answered },
    ),
  ];
}

/**
 * The text as far as it was read, with these spans marked, and a little of the rest.
 * @template {import("./model.js").Span} Place
 * @param {string} text
 * @param {Place[]} places
 * @param {number} end
 * @param {(words: string, place: Place) => HTMLElement} mark
 */
function marked(text, places, end, mark) {
  /** @type {Child[]} */
  const parts = [];
  let at = 0;
  for (const place of places) {
    parts.push(text.slice(at, place.start), mark(text.slice(place.start, place.end), place));
    at = place.end;
  }
  parts.push(text.slice(at, end));
  const rest = text.slice(end).trim();
  // a full stop or the like that gives no token needs no remark
  if (/[\p{L}\p{N}]/u.test(rest)) {
    parts.push(h("span", { class: "quietly" }, h("b", {}, " not read: "), clip(rest, 60)));
  } else parts.push(rest);
  return h("p", { class: "heads-text", dir: "auto" }, ...parts);
}

/**
 * @param {string} words
 * @param {{kind: string}} entity
 */
const entityMark = (words, { kind }) =>
  h("mark", { class: `entity ${kind.toLowerCase()}` }, words, "\u00a0", h("b", {}, kind));

/** What the letters of the entities' kinds stand for. */
export const legend = () =>
  h(
    "p",
    { class: "heads-legend" },
    ...Object.entries(KINDS).map(([kind, name]) =>
      h("span", {}, h("b", { class: kind.toLowerCase() }, kind), ` ${name} `),
    ),
  );

/**
 * The two scores, the higher of which wins.
 * @param {{name: string, score: number, wins: boolean}[]} rows
 */
function scores(...rows) {
  const drawnRows = rows.map(({ name, score, wins }) =>
    h(
      "tr",
      { class: wins && "wins" },
      h("th", { scope: "row", dir: "auto" }, clip(name, 60)),
      h("td", {}, fixed(score).replace("-", "−")),
      h("td", {}, wins ? "✓ higher" : ""),
    ),
  );
  return h("table", { class: "heads-scores" }, h("tbody", {}, ...drawnRows));
}

/** @param {Child[]} children */
export const buttons = (...children) => h("div", { class: "widget-buttons" }, ...children);

/**
 * @param {string} words
 * @param {() => void} onclick
 */
export const quietButton = (words, onclick) =>
  h("button", { type: "button", class: "quiet", onclick }, words);
