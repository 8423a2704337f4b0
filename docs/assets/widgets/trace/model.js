/** What the trace's steps and inputs are moved by: links, keys, fingers. No page is needed. */

/**
 * What the reader has chosen.
 * @typedef {object} State
 * @property {number} step From 0 on.
 * @property {boolean} own Whether the reader's text is shown, not the walked input.
 * @property {string} text
 * @property {number} seed Of the draws.
 */

/** @type {State} */
export const START = {
  step: 0,
  own: false,
  text: "Thea loved the museum for its splendid guide. At the museum, Albert praised the statue.",
  seed: 1,
};
const LONGEST_LINK = 2000; // characters of text; the model reads 64 tokens
const SWIPE = 40; // pixels to the side, and more so than up or down

/**
 * The state of a link, as far as it makes sense; what it lacks stays as it is.
 * @param {URLSearchParams} parameters
 * @param {State} before
 * @param {number} count How many steps there are.
 * @returns {State}
 */
export function readState(parameters, before, count) {
  const step = Number(parameters.get("step"));
  const isStep = Number.isInteger(step) && step >= 1 && step <= count;
  const shown = { ...before, step: isStep ? step - 1 : before.step };
  const text = parameters.get("text");
  if (text === null) return { ...shown, own: false };
  const seed = Number(parameters.get("seed"));
  const isSeed = Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32;
  return { ...shown, own: true, text, seed: isSeed ? seed : 1 };
}

/**
 * What a link brings back.
 * @param {State} state
 * @returns {Record<string, string | number>}
 */
export function stateForLink({ step, own, text, seed }) {
  const shown = { step: step + 1 };
  return own ? { ...shown, text: text.slice(0, LONGEST_LINK), seed } : shown;
}

/**
 * The step that a key leads to; undefined if it leads nowhere. Before the first there is none.
 * @param {string} key
 * @param {number} step
 * @param {number} count
 * @returns {number | undefined}
 */
export function stepAfterKey(key, step, count) {
  /** @type {Record<string, number>} */
  const targets = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: count - 1 };
  return targets[key];
}

/**
 * By how many steps a finger moves on that has moved so far: 1, -1, or 0 where it scrolls.
 * @param {number} x To the right, in pixels.
 * @param {number} y Down.
 */
export function turnOf(x, y) {
  const isSwipe = Math.abs(x) > SWIPE && Math.abs(x) > 1.5 * Math.abs(y);
  return isSwipe ? -Math.sign(x) : 0;
}

/**
 * What a draw has selected.
 * @param {Pick<import("./walk.js").Input, "fates" | "selectable">} input
 * @param {number} seed
 */
export function inWords({ fates, selectable }, seed) {
  const selected = fates.filter(Boolean).length;
  return `Draw ${seed}: selected ${selected} of ${selectable.filter(Boolean).length}.`;
}
