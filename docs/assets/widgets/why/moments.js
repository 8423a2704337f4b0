/** The slider over moments of the training, of which the build has kept the weights. */
import { fetchJSON } from "../../bert/model.js";
import { h } from "../dom.js";
import { getAll } from "../loading.js";

/**
 * @typedef {object} Moment
 * @property {number} step
 * @property {string} knows What the model has learned by then, in a few words.
 * @property {string} file Of its weights.
 */

const LIST = "moments.json";
const ID = "why-moment";

/** @type {Moment[]} Once they have loaded. */
let moments = [];

/**
 * All moments, the earliest first.
 * @param {HTMLElement} slot See `getAll`.
 */
export async function getMoments(slot) {
  if (!moments.length) {
    const [found] = await getAll(slot, [LIST], fetchJSON, "the list of moments");
    moments = /** @type {Moment[]} */ (found);
  }
  return moments;
}

/** @param {number} step */
const written = (step) => step.toLocaleString("en");

/**
 * When that was, to begin a sentence with.
 * @param {Moment} moment
 */
export const whenOf = ({ step }) =>
  step ? `After ${written(step)} steps` : "Before the first step";

/** @param {(moment: number) => void} choose */
export function makeSlider(choose) {
  const slider = h("input", { id: ID, type: "range", min: 0, step: 1, list: `${ID}s` });
  const ticks = h("datalist", { id: `${ID}s` });
  const knows = h("b", {});
  slider.addEventListener("input", () => choose(Number(slider.value)));
  const element = h(
    "div",
    { class: "why-moments", hidden: true },
    h("label", { for: ID }, "Step of the training: ", knows),
    slider,
    ticks,
  );
  return {
    element,
    /**
     * @param {Moment[]} all
     * @param {number} chosen
     */
    show(all, chosen) {
      const { step, knows: what } = all[chosen];
      slider.max = String(all.length - 1);
      slider.value = String(chosen);
      if (ticks.children.length !== all.length) {
        const options = all.map((one, n) => h("option", { value: n, label: written(one.step) }));
        ticks.replaceChildren(...options);
      }
      knows.textContent = `${written(step)}, ${what}`;
      slider.setAttribute("aria-valuetext", knows.textContent);
      element.hidden = false;
    },
  };
}
