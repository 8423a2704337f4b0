/** A guess before the run: how many labels does it take? And what the build has measured. */
import { h } from "../dom.js";
import { percent } from "../numbers.js";

/** @typedef {import("./sets.js").Ready} Ready */

const ENOUGH = 0.9;
const MORE = "more";

/**
 * The choices: the numbers of labels that the build has tried, and more.
 * @param {Pick<Ready, "measured">} ready
 */
export const choicesOf = ({ measured }) => [...Object.keys(measured), MORE];

/**
 * The number of labels from which on nine in ten are right; "more" if none of those tried is enough.
 * @param {Pick<Ready, "measured">} ready
 */
export const answerOf = ({ measured }) =>
  Object.keys(measured).find((size) => measured[size][0] >= ENOUGH) ?? MORE;

/**
 * What came, beside what was guessed.
 * @param {Pick<Ready, "measured" | "draws">} ready
 * @param {string | null} guess
 */
export function whatCame(ready, guess) {
  const sizes = Object.keys(ready.measured);
  const answer = answerOf(ready);
  const shares = sizes.map((size) => `${percent(ready.measured[size][0])} with ${size}`);
  const list = `${shares.slice(0, -1).join(", ")} and ${shares.at(-1)}`;
  const came =
    `When this page was built, the pretrained start was right on ${list} labels: the means of ` +
    `${ready.draws} draws of labels, on new sentences.`;
  if (guess === null) return came;
  const named = (/** @type {string} */ size) =>
    size === MORE ? `more than ${sizes.at(-1)}` : size;
  if (guess === answer) return `You guessed ${named(guess)}, which is right. ${came}`;
  return `You guessed ${named(guess)}; it took ${named(answer)}. ${came}`;
}

/**
 * The question, with its choices.
 * @param {string} name
 * @param {Pick<Ready, "measured">} ready
 * @param {(guess: string) => void} onGuess
 */
export function ask(name, ready, onGuess) {
  const choices = choicesOf(ready).map((value) => {
    const id = `${name}-${value}`;
    const radio = h("input", { type: "radio", name, id, value, onchange: () => onGuess(value) });
    return h("label", { for: id }, radio, value);
  });
  return h(
    "fieldset",
    { class: "tune-guess" },
    h(
      "legend",
      {},
      "Guess first: how many labels until the pretrained start is right nine times in ten?",
    ),
    h("div", {}, choices),
  );
}
