/** Models for a widget, with a progress bar and a way to try again. */
import { loadModel } from "../bert/model.js";
import { announce, h } from "./dom.js";

/**
 * The models, once they have loaded. The slot, an empty element, shows the progress.
 * @param {HTMLElement} slot
 * @param {string[]} names
 */
export const getModels = (slot, names) => getAll(slot, names, loadModel, "the model");

/**
 * What `load` gives for each name, once all have loaded.
 *
 * @template Loaded
 * @param {HTMLElement} slot
 * @param {string[]} names
 * @param {(name: string, onProgress: (share: number) => void) => Promise<Loaded>} load Fetches one;
 *   `loadTokenizer` where no more than that is needed.
 * @param {string} what The reader waits for.
 * @returns {Promise<Loaded[]>} In the order of the names. It is fulfilled once all have loaded,
 *   even if that takes the reader several tries.
 */
export async function getAll(slot, names, load, what) {
  for (;;) {
    const shares = names.map(() => 0);
    const bar = h("progress", { max: names.length, value: 0, "aria-label": `Fetching ${what}` });
    // a model that is already loaded shows no bar
    const timer = setTimeout(() => {
      slot.replaceChildren(`Fetching ${what}, only once … `, bar);
      announce(`Fetching ${what}`);
    }, 100);
    /** @type {(n: number, share: number) => void} */
    const come = (n, share) => {
      shares[n] = share;
      bar.value = shares.reduce((a, b) => a + b, 0);
    };
    try {
      const models = await Promise.all(
        names.map(async (name, n) => {
          const model = await load(name, (share) => come(n, share));
          come(n, 1); // also if it was loaded before
          return model;
        }),
      );
      clearTimeout(timer);
      slot.replaceChildren();
      return models;
    } catch (error) {
      clearTimeout(timer);
      await untilTriedAgain(slot, messageOf(error));
    }
  }
}

/**
 * Says what went wrong, and waits until the reader wants to try again.
 * @param {HTMLElement} slot
 * @param {string} message
 * @returns {Promise<void>}
 */
function untilTriedAgain(slot, message) {
  announce(message);
  return new Promise((again) => {
    const tryAgain = () => {
      slot.focus(); // the button disappears, and must not take the focus with it
      again();
    };
    slot.tabIndex = -1;
    const button = h("button", { type: "button", onclick: tryAgain }, "Try again");
    slot.replaceChildren(h("span", { class: "widget-error" }, message), " ", button);
  });
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));
