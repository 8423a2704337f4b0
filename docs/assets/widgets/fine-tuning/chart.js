/** Two curves in a small chart: the pretrained start and the random one. */
import { percent } from "../numbers.js";

/**
 * A point of a curve: a step, and what was measured there.
 * @typedef {[number, number]} Point
 */

/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {number} steps How many there will be.
 * @property {number} top The highest value.
 * @property {[Point[], Point[]]} curves
 * @property {boolean} isShare Whether the values are shares.
 * @property {string} said What it shows, in words.
 */

const NAMES = ["pretrained", "random"];
const [WIDTH, HEIGHT] = [320, 180];
const FRAME = { left: 40, right: 78, top: 10, bottom: 26 };
const APART = 13; // the least distance between two names

/**
 * @param {Chart} chart
 * @returns {SVGElement}
 */
export function drawChart({ steps, top, curves, isShare, said }) {
  const inner = {
    width: WIDTH - FRAME.left - FRAME.right,
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
      svg("line", { x1: FRAME.left, x2: x(steps), y1: at, y2: at, class: "tune-grid" }),
      svg("text", { x: FRAME.left - 6, y: at + 4, "text-anchor": "end" }, words),
    );
  }
  const below = HEIGHT - 8;
  drawn.append(
    svg("text", { x: FRAME.left, y: below }, "0"),
    svg("text", { x: x(steps), y: below, "text-anchor": "middle" }, `${steps}`),
    svg("text", { x: x(steps / 2), y: below, "text-anchor": "middle" }, "steps"),
  );
  const ends = spread(
    curves.map((points) => (points.length ? y(points[points.length - 1][1]) : null)),
  );
  curves.forEach((points, start) => {
    const end = ends[start];
    if (end === null) return;
    const path = points.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`);
    const name = {
      x: x(points[points.length - 1][0]) + 6,
      y: end + 4,
      class: `tune-${NAMES[start]}`,
    };
    drawn.append(
      svg("polyline", { points: path.join(" "), class: `tune-${NAMES[start]}` }),
      svg("text", name, NAMES[start]),
    );
  });
  return drawn;
}

/**
 * Heights of the two names, moved apart where they would cover each other.
 * @param {(number | null)[]} heights
 */
export function spread([one, other]) {
  if (one === null || other === null || Math.abs(one - other) >= APART) return [one, other];
  const middle = (one + other) / 2;
  const sign = one <= other ? -1 : 1;
  return [middle + (sign * APART) / 2, middle - (sign * APART) / 2];
}

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
