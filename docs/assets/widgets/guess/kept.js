/** The guesses, in this browser alone. */
import { remember, remembered } from "../state.js";
import { clean } from "./model.js";

const GUESSES = "guesses";

export const readGuesses = () => clean(remembered(GUESSES, {}));

/**
 * @param {string} id
 * @param {import("./model.js").Kept} kept
 */
export function keepGuess(id, kept) {
  remember(GUESSES, { ...Object.fromEntries(readGuesses()), [id]: kept });
}

export const forgetGuesses = () => remember(GUESSES, {});

/**
 * What a claim says of the number to guess.
 * @param {HTMLDataElement} data
 */
export const sidesOf = (data) => ({
  measured: Number(data.value),
  bound: Number(data.dataset.bound),
});
