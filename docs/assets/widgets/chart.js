/** Curves in a small chart, each with its name where it ends. Its style is in chart.css. */
import { percent } from "./numbers.js";

/**
 * A point of a curve: a step, and what was measured there.
 * @typedef {[number, number]} Point
 */

/**
 * @typedef {object} Curve
 * @property {string} name
 * @property {number} kind From 0: decides its colour and its dashes.
 * @property {Point[]} points
 */

/**
 * @typedef {object} Chart
 * @property {number} steps How many there will be.
 * @property {number} top The highest value.
 * @property {Curve[]} curves
 * @property {boolean} isShare Whether the values are shares.
 * @property {string} said What it shows, in words.
 */

const [WIDTH, HEIGHT] = [320, 180];
const FRAME = { left: 40, top: 10, bottom: 26 };
const LETTER = 7; // the usual width of a letter
const APART = 13; // the least distance between two names

/**
 * @param {Chart} chart
 * @returns {SVGElement}
 */
export function drawChart({ steps, top, curves, isShare, said }) {
  const right = 8 + LETTER * Math.max(3, ...curves.map(({ name }) => name.length));
  const inner = {
    width: WIDTH - FRAME.left - right,
    height: HEIGHT - FRAME.top - FRAME.bottom,
  };
  /** @param {number} step */
  const x = (step) => FRAME.left + (inner.width * step) / steps;
  /** @param {number} value */
  const y = (value) => FRAME.top + inner.height * (1 - Math.min(1, value / top));
  const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said });
  for (const share of [0, 0.5, 1]) {
    const at = y(share * top);
    const words = isShare ? percent(share) : (share * top).toFixed(1);
    drawn.append(
      svg("line", { x1: FRAME.left, x2: x(steps), y1: at, y2: at, class: "chart-grid" }),
      svg("text", { x: FRAME.left - 6, y: at + 4, "text-anchor": "end" }, words),
    );
  }
  const below = HEIGHT - 8;
  drawn.append(
    svg("text", { x: FRAME.left, y: below }, "0"),
    svg("text", { x: x(steps), y: below, "text-anchor": "middle" }, `${steps}`),
    svg("text", { x: x(steps / 2), y: below, "text-anchor": "middle" }, "steps"),
  );
  const begun = curves.filter(({ points }) => points.length > 0);
  const ends = begun.map(({ points }) => points[points.length - 1]);
  const heights = spread(ends.map(([, value]) => y(value)));
  begun.forEach(({ name, kind, points }, n) => {
    const path = points.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`);
    const place = { x: x(ends[n][0]) + 6, y: heights[n] + 4 };
    drawn.append(
      svg("polyline", { points: path.join(" "), class: `kind-${kind}` }),
      svg("text", { ...place, class: `kind-${kind}` }, name),
    );
  });
  return drawn;
}

/**
 * A chart with its title.
 * @param {string} title
 * @param {SVGElement} drawing
 */
export function figure(title, drawing) {
  const made = document.createElement("figure");
  const words = document.createElement("figcaption");
  made.className = "chart";
  words.textContent = title;
  made.append(words, drawing);
  return made;
}

/**
 * Heights of names, moved apart where they would cover each other; their order stays.
 * @param {number[]} heights
 */
export function spread(heights) {
  /** @type {{names: number[], middle: number}[]} Names that touch, from top to bottom. */
  const groups = [];
  const order = [...heights.keys()].sort((a, b) => heights[a] - heights[b]);
  for (const n of order) {
    let group = { names: [n], middle: heights[n] };
    for (let above = groups.at(-1); above && touches(above, group); above = groups.at(-1)) {
      groups.pop();
      const names = [...above.names, ...group.names];
      const sum = names.reduce((all, name) => all + heights[name], 0);
      group = { names, middle: sum / names.length };
    }
    groups.push(group);
  }
  const made = [...heights];
  for (const { names, middle } of groups) {
    names.forEach((name, n) => {
      made[name] = middle + (n - (names.length - 1) / 2) * APART;
    });
  }
  return made;
}

/** @type {(above: {names: number[], middle: number}, below: {names: number[], middle: number}) => boolean} */
const touches = (above, below) =>
  below.middle - above.middle < ((above.names.length + below.names.length) / 2) * APART;

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function svg(tag, attributes, text = "") {
  const element = /** @type {SVGElement} */ (
    document.createElementNS("http://www.w3.org/2000/svg", tag)
  );
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.textContent = text;
  return element;
}
