/** What several steps are made of. */

import { decimal } from "../numbers.js";
import { bars, caption } from "../pictures.js";
import { followed } from "../walk.js";

/** @typedef {import("../walk.js").Prediction} Prediction */
/** @typedef {import("../walk.js").Rung} Rung */
/** @typedef {import("../walk.js").Walk} Walk */

export const NOTHING =
  "This draw selected no token, so there is nothing to predict. Draw again above.";

/**
 * "1 token", "2 tokens", …
 * @param {number} n
 * @param {string} thing
 */
export const count = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;

/** @param {string[]} parts */
export const list = (parts) => parts.join(", ");

/**
 * A picture of what is predicted, of which one prediction is followed closely.
 * @param {(walk: Walk, followed: Prediction) => HTMLElement[]} picture
 */
export const onlySelected = (picture) => (/** @type {Walk} */ walk) => {
  const one = followed(walk);
  return one ? picture(walk, one) : [caption(NOTHING)];
};

/**
 * A picture of what the NSP head says.
 * @param {(logits: number[], walk: Walk) => HTMLElement[]} picture
 */
export const onlyPairs = (picture) => (/** @type {Walk} */ walk) =>
  walk.nsp_logits
    ? picture(walk.nsp_logits, walk)
    : [caption("There is only one sentence, so this loss is left out.")];

/**
 * How long the gradient is in each part of the network.
 * @param {Record<string, number>} parts
 * @param {number} whole
 */
export const norms = (parts, whole) =>
  bars([
    ...Object.entries(parts).map(([name, value]) => ({ name, value })),
    { name: "all together", value: whole, strong: true },
  ]);

/**
 * @param {Record<string, number>} parts
 * @param {number} whole
 */
export const normsInWords = (parts, whole) =>
  "Length of the gradient: " +
  list(Object.entries(parts).map(([name, norm]) => `${name} ${decimal(norm)}`)) +
  `; all together ${decimal(whole)}`;

/** @param {[name: string, value: number][]} rows */
export const lossBars = (rows) => [bars(rows.map(([name, value]) => ({ name, value })))];

/** @param {Rung[]} rows */
export const oneWeight = (rows) =>
  `From w = ${decimal(rows[0][1])}, decay and update make the new w = ` +
  decimal(rows[rows.length - 1][1]);
