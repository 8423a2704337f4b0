/** Pretrain it yourself: a small encoder that learns here from a recipe of the reader's own. */
import { fetchJSON } from "../bert/model.js";
import { announce, h } from "./dom.js";
import { getAll } from "./loading.js";
import { sharesOf } from "./masking/model.js";
import { Controls } from "./masking/view.js";
import { RunControls } from "./run-controls.js";
import {
  addRun,
  FILE,
  inWords,
  letterOf,
  MOST,
  readMaterial,
  readRuns,
  START,
  timeLeft,
  whyNothing,
} from "./small-mix/model.js";
import { charts, refresh, table } from "./small-mix/view.js";
import { remember, remembered } from "./state.js";
import { addStyle } from "./style.js";

/** @typedef {import("./small-mix/model.js").Material} Material */
/** @typedef {import("./small-mix/model.js").Run} Run */
/** @typedef {import("./masking/model.js").State} State */

const NAME = "small-mix";
const SEEDS = [0, 1, 2]; // those of the build
const UNKEPT =
  "This browser lets the page keep nothing, so your runs are gone once you leave the page.";

/** @param {HTMLElement} host */
export async function mount(host) {
  await Promise.all([addStyle("chart"), addStyle("masking")]);
  const widget = new SmallMix();
  host.append(...widget.elements());
  if (remembered(NAME, null)) await widget.showEarlier();
}

/** @param {string} name */
const load = async (name, /** @type {(share: number) => void} */ onProgress) =>
  readMaterial(await fetchJSON(name, onProgress));

class SmallMix {
  /** @type {Pick<State, "select" | "mask" | "random" | "last">} */
  state = START;
  /** @type {Material | null} Once it was needed. */
  material = null;
  /** @type {Run[]} From the oldest to the newest. */
  runs = [];

  controls = new Controls((changes) => this.change(changes), NAME);
  seed = h(
    "select",
    { id: `${NAME}-seed` },
    SEEDS.map((seed) => h("option", { value: seed }, seed)),
  );
  training = new RunControls("Pretrain", () => this.run());
  left = h("span", { class: "quietly" });
  slot = h("div"); // while the text loads
  summary = h("p", { class: "mix-summary" });
  note = h("p", { class: "widget-error", hidden: true });
  drawing = h("div");
  listing = h("div", { tabindex: "-1" });

  elements() {
    this.change({});
    return [
      ...this.controls.elements,
      h("p", { class: "mix-seed" }, h("label", { for: this.seed.id }, "Seed"), this.seed),
      this.training.buttons(this.left),
      this.slot,
      this.training.error,
      this.summary,
      this.note,
      this.drawing,
      this.listing,
    ];
  }

  /** @param {Partial<State>} changes */
  change(changes) {
    this.state = { ...this.state, ...changes };
    this.controls.show(this.state.select, sharesOf(this.state));
  }

  /** The runs of an earlier visit. */
  async showEarlier() {
    try {
      this.material = await load(FILE, () => {});
      this.runs = readRuns(remembered(NAME, null), this.material.stamp);
      this.show();
    } catch {
      // they are not shown; the file is asked for again with the next run
    }
  }

  show() {
    const { material, runs } = this;
    if (!material || runs.length === 0) {
      this.drawing.replaceChildren();
      this.listing.replaceChildren();
      return;
    }
    // a button that has the focus is replaced by its like, which gets it
    const { activeElement } = document;
    const focused = this.listing.contains(activeElement) && activeElement?.ariaLabel;
    this.drawing.replaceChildren(charts(runs, material.settings.steps));
    const about =
      "Small numbers: the same run in PyTorch, when this site was built. " +
      `${MOST} runs are kept; the next one replaces the oldest.`;
    this.listing.replaceChildren(
      table(runs, material, (run) => this.remove(run)),
      h("p", { class: "quietly" }, about),
    );
    const buttons = [...this.listing.querySelectorAll("button")];
    buttons.find(({ ariaLabel }) => focused && ariaLabel === focused)?.focus();
  }

  /** @param {Run} run */
  remove(run) {
    if (run === this.runs.at(-1)) this.training.running?.abort();
    this.runs = this.runs.filter((other) => other !== run);
    this.show();
    this.keep();
    this.summary.textContent = "";
    announce(`Run ${letterOf(run)} is removed.`);
    this.listing.focus(); // its button has gone
  }

  /** Keeps what has ended. */
  keep() {
    const runs = this.training.running ? this.runs.slice(0, -1) : this.runs;
    const isKept = remember(NAME, { stamp: this.material?.stamp, runs });
    this.note.hidden = isKept;
    this.note.textContent = isKept ? "" : UNKEPT;
  }

  async run() {
    const { training } = this;
    if (training.running) return;
    const { masked: mask, random } = sharesOf(this.state);
    const choice = { select: this.state.select, mask, random, seed: Number(this.seed.value) };
    const nothing = whyNothing(choice);
    training.fail(nothing ?? "");
    if (nothing) return;
    await training.carryOut(async (signal) => {
      const [[material], { run }] = await Promise.all([
        getAll(this.slot, [FILE], load, "the text"),
        import("./small-mix/run.js"),
      ]);
      this.material = material;
      const before = this.runs;
      this.runs = addRun(before, choice);
      try {
        await this.train(run, material, this.runs[this.runs.length - 1], signal);
      } catch (error) {
        this.runs = before;
        this.show();
        throw error;
      } finally {
        this.left.textContent = "";
      }
    });
  }

  /**
   * @param {typeof import("./small-mix/run.js").run} train
   * @param {Material} material
   * @param {Run} run
   * @param {AbortSignal} signal
   */
  async train(train, material, run, signal) {
    const { steps } = material.settings;
    this.summary.textContent = "";
    this.training.begin(steps);
    this.show();
    const recipe = { select: run.select / 100, mask: run.mask / 100, random: run.random / 100 };
    const began = performance.now();
    await train(material, recipe, run.seed, {
      signal,
      onStep: (step) => {
        run.taken = step;
        this.training.progress.value = step;
        if (step % 5 === 0) {
          const words = timeLeft(step, steps, performance.now() - began);
          this.left.textContent = `${words}. It goes on while you look at another tab.`;
        }
      },
      onPoint: (point) => {
        run.points.push(point);
        if (!this.runs.includes(run)) return;
        this.drawing.replaceChildren(charts(this.runs, steps));
        refresh(this.listing, run, steps);
      },
    });
    this.training.running = null;
    if (!this.runs.includes(run)) return; // it was removed
    this.show();
    this.keep();
    this.summary.textContent = inWords(run, steps);
    announce(this.summary.textContent);
  }
}
