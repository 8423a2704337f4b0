/** For test_trace.py. */
import { loadModel } from "/assets/bert/model.js";
import { scientific } from "/assets/widgets/trace/numbers.js";
import { steps } from "/assets/widgets/trace/steps.js";
import { losses } from "/assets/widgets/trace/walk.js";

/** @param {number[]} numbers */
export const inScientificNotation = (numbers) => numbers.map((number) => scientific(number));

/** The section of each step, and how its lines begin. */
export const codeOfSteps = () => steps.map(({ section, lines }) => [section, lines]);

/** The titles of the page's own blocks of code, and the code. */
export const titledBlocks = () =>
  [...document.querySelectorAll(".highlight:not(.trace-code):has(> .filename)")].map((block) =>
    [".filename", "code"].map((part) => block.querySelector(part)?.textContent),
  );

/** @param {import("/assets/widgets/trace/walk.js").Input} input */
export async function lossesOf(input) {
  const { bert, tokenizer } = await loadModel("pretrained");
  return losses(bert, tokenizer, input);
}

/**
 * The steps that are too wide for a telephone, or for the widget, by their numbers.
 * @param {HTMLElement} part
 */
export function wideSteps(part) {
  /** @type {NodeListOf<HTMLElement>} */
  const dots = part.querySelectorAll(".dot");
  return [...dots].flatMap((dot, n) => {
    dot.click();
    const { right } = part.getBoundingClientRect();
    const all = [...part.querySelectorAll("figure *, .trace-code *")];
    const fits = all.every((one) => one.getBoundingClientRect().right <= right);
    return fits && document.documentElement.scrollWidth <= 390 ? [] : [n + 1];
  });
}
