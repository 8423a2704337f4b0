// @ts-nocheck: its types are still to be written
/** Models for a widget, with a progress bar and a way to try again. */
import { loadModel } from "../bert/model.js";
import { announce, h } from "./dom.js";

/**
 * The models, once they have loaded. The slot, an empty element, shows the progress.
 *
 * @template Loaded
 * @param {(name: string, onProgress: (share: number) => void) => Promise<Loaded>} load Fetches one;
 *   `loadTokenizer` where no more than that is needed.
 * @param {string} what The reader waits for.
 * @returns {Promise<Loaded[]>} In the order of the names. It is fulfilled once all have loaded,
 *   even if that takes the reader several tries.
 */
export async function getModels(slot, names, load = loadModel, what = "the model") {
  for (;;) {
    const shares = names.map(() => 0);
    const bar = h("progress", { max: names.length, value: 0, "aria-label": `Fetching ${what}` });
    // a model that is already loaded shows no bar
    const timer = setTimeout(() => {
      slot.replaceChildren(`Fetching ${what}, only once … `, bar);
      announce(`Fetching ${what}`);
    }, 100);
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
      announce(error.message);
      await new Promise((again) => {
        const tryAgain = () => {
          slot.focus(); // the button disappears, and must not take the focus with it
          again();
        };
        slot.tabIndex = -1;
        const button = h("button", { type: "button", onclick: tryAgain }, "Try again");
        slot.replaceChildren(h("span", { class: "widget-error" }, error.message), " ", button);
      });
    }
  }
}
