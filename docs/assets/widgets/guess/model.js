/** What readers have guessed, and how far off they were. No page is needed. */
import { percent } from "../numbers.js";

/**
 * What is kept of a claim: a guess with both sides as measured then; no guess if it was looked up.
 * @typedef {{guess: number | null, measured: number, bound: number}} Kept
 */

/**
 * What the browser has kept, by the claims' ids, whatever it may be.
 * @param {unknown} kept
 * @returns {Map<string, Kept>}
 */
export function clean(kept) {
  const found = Object.entries(Object(kept)).flatMap(([id, entry]) => {
    const { guess, measured, bound } = Object(entry);
    const sound = [measured, bound].every(Number.isFinite);
    const known = guess === null || Number.isFinite(guess);
    return sound && known ? [/** @type {[string, Kept]} */ ([id, { guess, measured, bound }])] : [];
  });
  return new Map(found);
}

/**
 * The number that a reader has typed, such as "0.5", "50%" or "1,000"; null if it is none.
 * @param {string} text
 */
export function numberIn(text) {
  const typed = text.trim().replace(/^[−–]/, "-");
  const plain = /^-?\d{1,3}(,\d{3})+(?!\d)/.test(typed) ? typed.replaceAll(",", "") : typed;
  const found = /^(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(%?)$/i.exec(plain);
  if (!found) return null;
  const number = Number(found[1]) / (found[2] ? 100 : 1);
  return Number.isFinite(number) ? number : null;
}

/**
 * How far off a guess was, as a share of the larger side of the claim.
 * @param {Kept} kept
 */
export function missOf({ guess, measured, bound }) {
  return Math.abs((guess ?? 0) - measured) / Math.max(Math.abs(measured), Math.abs(bound));
}

/**
 * "you guessed 0.7: 0.046 too low"
 * @param {Kept} kept
 */
export function verdictOn({ guess, measured }) {
  if (guess === null) return "you looked it up";
  const off = short(Math.abs(guess - measured));
  if (Number(off) <= Math.abs(measured) / 1000) return `you guessed ${short(guess)}: right`;
  return `you guessed ${short(guess)}: ${off} too ${guess < measured ? "low" : "high"}`;
}

/**
 * A number with two digits, or three where it is large: 0.046, 0.7, 724,000.
 * @param {number} number
 */
function short(number) {
  const digits = Math.abs(number) < 1 ? 2 : 3;
  return Number(number.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 6 });
}

/**
 * All guesses in one or two sentences.
 * @param {Kept[]} kept At least one.
 * @param {number} of How many numbers there are to guess.
 */
export function summaryOf(kept, of) {
  const misses = kept.filter(({ guess }) => guess !== null).map(missOf);
  const looked = kept.length - misses.length;
  const also = looked ? `, and looked up ${looked}` : "";
  const count = `You have guessed ${misses.length} of ${of} numbers${also}.`;
  if (!misses.length) return count;
  const half = misses.sort((a, b) => a - b)[Math.ceil(misses.length / 2) - 1];
  const whole = misses.length === 1 ? "It was" : "Half of your guesses were";
  return `${count} ${whole} within ${percent(half)} of the larger side of the claim.`;
}
