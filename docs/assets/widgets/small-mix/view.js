/** How the runs look: five charts and a table. */
import { drawChart, figure } from "../chart.js";
import { h } from "../dom.js";
import { fixed } from "../numbers.js";
import { builtFor, letterOf, MEASURES, mixOf } from "./model.js";

/** @typedef {import("./model.js").Material} Material */
/** @typedef {import("./model.js").Point} Point */
/** @typedef {import("./model.js").Run} Run */

const TITLES = [
  "Fills in: at [MASK]",
  "Trusts: visible",
  "Doubts: repaired",
  "Vectors: F1 of the probe",
  "Loss, in nats",
];

/**
 * @param {Run[]} runs
 * @param {number} steps
 */
export function charts(runs, steps) {
  const losses = runs.flatMap(({ points }) => points.map(({ loss }) => loss ?? 0));
  const top = Math.max(1, ...losses);
  const drawn = TITLES.map((title, n) => {
    const isShare = n < MEASURES.length;
    const curves = runs.map((run) => ({
      name: letterOf(run),
      kind: run.kind,
      points: run.points.flatMap((point) => pointOf(point, n)),
    }));
    const ends = curves.map(({ name, points }) => {
      const last = points.at(-1);
      return last ? `${name} ${fixed(last[1])}` : `${name} nothing yet`;
    });
    const said = `A curve for each run. They are now at: ${ends.join(", ")}`;
    return figure(title, drawChart({ steps, top: isShare ? 1 : top, curves, isShare, said }));
  });
  return h("div", { class: "charts" }, drawn);
}

/**
 * @param {Point} point
 * @param {number} n Of the measure; the loss comes last.
 * @returns {[number, number][]} None where there is no loss.
 */
function pointOf({ step, loss, scores }, n) {
  const value = n < scores.length ? scores[n] : loss;
  return value === null ? [] : [[step, value]];
}

/**
 * @param {Run[]} runs
 * @param {Material} material
 * @param {(run: Run) => void} remove
 */
export function table(runs, material, remove) {
  const names = ["Run", ...MEASURES, "loss"].map((name) => h("th", { scope: "col" }, name));
  const head = h("tr", {}, names, h("td"));
  const rows = runs.map((run) => rowOf(run, material, remove));
  return h("table", { class: "mix-runs" }, h("thead", {}, head), h("tbody", {}, rows));
}

/**
 * @param {Run} run
 * @param {Material} material
 * @param {(run: Run) => void} remove
 */
function rowOf(run, material, remove) {
  const { steps } = material.settings;
  const built = run.taken < steps ? null : builtFor(material, run);
  const cells = [...MEASURES, "loss"].map((name, n) => {
    const other = built && (n < MEASURES.length ? built.scores[n] : built.loss);
    const small = other == null ? null : h("small", {}, fixed(other));
    return h("td", { "data-name": name }, written(run, n), small);
  });
  const name = `${letterOf(run)} ${mixOf(run)}`;
  const label = `Remove run ${name}`;
  const button = { type: "button", class: "mix-remove", "aria-label": label };
  return h(
    "tr",
    { "data-kind": run.kind },
    h(
      "th",
      { scope: "row" },
      h("b", { class: `kind-${run.kind}` }, name),
      " ",
      h("small", {}, about(run, steps)),
    ),
    cells,
    h("td", {}, h("button", { ...button, onclick: () => remove(run) }, "✕")),
  );
}

/**
 * Writes what a run has come to into its row, which stays: somebody may be reading it.
 * @param {HTMLElement} listing
 * @param {Run} run
 * @param {number} steps
 */
export function refresh(listing, run, steps) {
  const row = listing.querySelector(`tr[data-kind="${run.kind}"]`);
  const small = row?.querySelector("th small");
  if (small) small.textContent = about(run, steps);
  for (const [n, cell] of [...(row?.querySelectorAll("td[data-name]") ?? [])].entries()) {
    cell.textContent = written(run, n);
  }
}

/**
 * The last number of a run; the loss comes after the measures.
 * @param {Run} run
 * @param {number} n
 */
function written({ points }, n) {
  const last = points.at(-1);
  const value = last && (n < MEASURES.length ? last.scores[n] : last.loss);
  return value == null ? "…" : fixed(value);
}

/**
 * @param {Run} run
 * @param {number} steps
 */
function about({ select, seed, taken }, steps) {
  const stopped = taken < steps ? `, ${taken} steps` : "";
  return `${select}% selected, seed ${seed}${stopped}`;
}
