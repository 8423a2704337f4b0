/** What came of a run: two charts, where the two differ, and any text through both. */
import { drawChart, figure } from "../chart.js";
import { h } from "../dom.js";
import { percent, probability } from "../numbers.js";
import { bar } from "../tokens.js";
import { withMarks } from "./marks.js";

/** @typedef {import("../chart.js").Point} Point */
/** @typedef {import("./run.js").Reading} Reading */
/** @typedef {import("./sets.js").LabelledSet} LabelledSet */

export const COLUMNS = ["Pretrained start", "Random start"];
const SHOWN = 6; // sentences on which the two differ

/**
 * What has been measured so far.
 * @typedef {object} Curves
 * @property {number} steps
 * @property {[Point[], Point[]]} losses
 * @property {[Point[], Point[]]} shares Of the held-out sentences, those that were right.
 * @property {number} heldOut How many there are.
 */

/**
 * A sentence that both models read.
 * @typedef {object} Compared
 * @property {string} text
 * @property {string | null} truth Null if nobody has labelled it.
 * @property {string[]} said By the pretrained and by the random start.
 */

/** @param {Curves} curves */
export function charts({ steps, losses, shares, heldOut }) {
  const top = Math.max(0.1, ...losses.flat().map(([, loss]) => loss));
  const share = { isShare: true, top: 1, said: lastOf(shares, percent) };
  const loss = { isShare: false, top, said: lastOf(losses, (n) => n.toFixed(2)) };
  const drawn = [
    figure("Loss on the labels", drawChart({ steps, curves: named(losses), ...loss })),
  ];
  if (heldOut > 0) {
    const title = `Right, of ${heldOut} held-out sentences`;
    drawn.unshift(figure(title, drawChart({ steps, curves: named(shares), ...share })));
  }
  return h("div", { class: "charts" }, drawn);
}

/** @param {[Point[], Point[]]} curves */
const named = (curves) =>
  curves.map((points, kind) => ({ name: ["pretrained", "random"][kind], kind, points }));

/**
 * @param {[Point[], Point[]]} curves
 * @param {(value: number) => string} write
 */
function lastOf(curves, write) {
  const [pretrained, random] = curves.map((points) => {
    const last = points.at(-1);
    return last ? write(last[1]) : "nothing yet";
  });
  return `Two curves, now at ${pretrained} for the pretrained start and ${random} for the random start`;
}

/**
 * The sentences on which the two differ.
 * @param {Compared[]} all
 * @param {boolean} isTrue Whether labels say what is right.
 */
export function differences(all, isTrue) {
  const apart = all.filter(({ said: [one, other] }) => one !== other);
  const where = isTrue ? "held-out sentences" : "sentences from the stories, which nobody labelled";
  const head = h("p", {}, h("b", {}, `They differ on ${apart.length} of ${all.length} ${where}.`));
  if (apart.length === 0) return [head];
  const names = ["Sentence", ...COLUMNS].map((name) => h("th", { scope: "col" }, name));
  const rows = apart
    .slice(0, SHOWN)
    .map(({ text, truth, said }) =>
      h(
        "tr",
        {},
        h("td", { dir: "auto" }, text),
        ...said.map((word, n) => h("td", { "data-start": COLUMNS[n] }, ...verdict(word, truth))),
      ),
    );
  const table = h(
    "table",
    { class: "tune-apart" },
    h("thead", {}, h("tr", {}, names)),
    h("tbody", {}, rows),
  );
  return [head, table];
}

/**
 * @param {string} word
 * @param {string | null} truth
 */
function verdict(word, truth) {
  if (truth === null) return [word];
  const isRight = word === truth;
  const sign = h("b", { class: isRight ? "right" : "wrong" }, isRight ? "✓" : "✗");
  const meaning = h("span", { class: "tune-hidden" }, isRight ? "right: " : "wrong: ");
  sign.setAttribute("aria-hidden", "true");
  return [sign, " ", meaning, word];
}

/**
 * Both readings of a text, side by side.
 * @param {Reading[]} readings
 * @param {string} text
 * @param {string[]} kinds
 */
export const columns = (readings, text, kinds) =>
  readings.map((reading, n) =>
    h(
      "div",
      { class: "tune-column", role: "group", "aria-label": COLUMNS[n] },
      h("p", {}, h("b", {}, COLUMNS[n])),
      ...("classes" in reading
        ? reading.classes.map((share, kind) => bar(kinds[kind], share, probability(share)))
        : [h("p", { class: "tune-text", dir: "auto" }, withMarks(text, reading.entities))]),
    ),
  );
