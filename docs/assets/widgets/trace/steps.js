/**
 * The steps: what each is called, says and shows, and which lines of the page's code make it.
 *
 * A step's picture is made of a walk, see walk.js. `lines` are beginnings of lines in the section
 * of examples/trace.py that the page shows under this name: the code itself is only there.
 */
import { fineTuningSteps } from "./steps/fine-tuning.js";
import { inputSteps } from "./steps/input.js";
import { mlmSteps } from "./steps/mlm.js";
import { nspSteps } from "./steps/nsp.js";
import { optimizerSteps } from "./steps/optimizer.js";

/**
 * @template Walk What it is made of.
 * @typedef {object} StepOf
 * @property {string} name
 * @property {1 | 2} stage Pretraining, or fine-tuning.
 * @property {string} section Of examples/trace.py.
 * @property {string[]} lines How the lines of code begin that make what the picture shows.
 * @property {(walk: Walk) => string} words
 * @property {(walk: Walk) => (HTMLElement | null)[]} picture
 * @property {(walk: Walk) => string} alt What the picture shows, in a sentence.
 */

/** @typedef {StepOf<import("./walk.js").Walk> & {needs?: undefined}} AnyStep Of any walk. */
/** @typedef {StepOf<import("./walk.js").Walked> & {needs: "gradient"}} GradientStep */
/** @typedef {StepOf<import("./walk.js").Classified> & {needs: "classes"}} ClassesStep */
/** @typedef {AnyStep | GradientStep | ClassesStep} Step */

/** @type {Step[]} */
export const steps = [
  ...inputSteps,
  ...mlmSteps,
  ...nspSteps,
  ...optimizerSteps,
  ...fineTuningSteps,
];
