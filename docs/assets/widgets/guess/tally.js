/** What the page of all claims needs once something was guessed. */
export { forgetGuesses, readGuesses } from "./kept.js";
export { summaryOf, verdictOn } from "./model.js";
