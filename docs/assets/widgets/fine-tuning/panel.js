/** One of the two tabs: label, run, and see what came. */
import { announce, breath, h, whenQuiet } from "../dom.js";
import { getModels } from "../loading.js";
import { probability } from "../numbers.js";
import { RunControls } from "../run-controls.js";
import { ask, whatCame } from "./guess.js";
import { Labels } from "./labels.js";
import { foreign, remarksOn, whatIsMissing } from "./remarks.js";
import { COLUMNS, charts, columns, differences } from "./results.js";
import { EMPTY, kindOf, newSet } from "./sets.js";

/** @typedef {import("../../bert/bert.js").Bert} Bert */
/** @typedef {import("../../bert/model.js").Model} Model */
/** @typedef {import("./results.js").Compared} Compared */
/** @typedef {import("./results.js").Curves} Curves */
/** @typedef {import("./sets.js").LabelledSet} LabelledSet */
/** @typedef {import("./sets.js").Material} Material */
/** @typedef {import("./sets.js").Task} Task */
/** @typedef {typeof import("./run.js")} Runs */

const ABOUT = {
  sentences: "One label for the whole sentence, read at [CLS].",
  words: "A label for each word: does it belong to a name of this kind, or not?",
};

/** When a sentence is right. */
const EACH = { sentences: "", words: ", in each of their words" };

/** @param {string} title */
const step = (title) => h("p", { class: "widget-title tune-step" }, title);

/**
 * What a run has left.
 * @typedef {object} Outcome
 * @property {Runs} runs
 * @property {Model} model
 * @property {Bert[]} berts The two tuned models.
 * @property {string[]} kinds As they were named then.
 */

export class Panel {
  /** @type {string | null} */
  guess = null;
  /** @type {Model | null} */
  model = null;
  /** @type {AbortController | null} A run whose set has gone. */
  abandoned = null;
  next = 0; // of the stories

  remarks = h("div", { class: "tune-remarks" });
  slot = h("div"); // for the model's progress
  fetching = h("span", { class: "quietly" }, "fetches the pretrained model once, 1 MB");
  training = new RunControls("Fine-tune both", () => this.run());
  drawing = h("div");
  result = h("div");
  trying = h("div");

  /**
   * @param {Task} task
   * @param {HTMLElement} element
   * @param {Material} material
   * @param {LabelledSet | null} kept From an earlier visit.
   * @param {() => void} onChange
   */
  constructor(task, element, material, kept, onChange) {
    this.task = task;
    this.element = element;
    this.material = material;
    this.onChange = onChange;
    this.set = kept ?? newSet(material[task]);
    this.question = ask(`fine-tuning-guess-${task}`, material[task], (guess) => {
      this.guess = guess;
    });
    this.labels = new Labels(task, this.set, this.story.bind(this), (set) => this.changed(set));
    element.append(...this.elements());
    this.labels.show(this.set);
    this.showRemarks();
  }

  elements() {
    const none = () => this.begin(EMPTY[this.task], "Nothing is labelled.");
    const ready = () => this.begin(newSet(this.material[this.task]), "The ready set is back.");
    const quiet = { type: "button", class: "quiet" };
    return [
      h("p", {}, ABOUT[this.task]),
      step("1. Label"),
      ...this.labels.elements(),
      h(
        "div",
        { class: "widget-buttons" },
        h("button", { ...quiet, onclick: none }, "Start with no labels"),
        h("button", { ...quiet, onclick: ready }, "Take the ready set"),
      ),
      this.remarks,
      step("2. Fine-tune"),
      this.question,
      this.training.buttons(this.fetching),
      this.slot,
      this.training.error,
      this.drawing,
      this.result,
      this.trying,
    ];
  }

  /** A sentence of the stories that is not on the list. */
  async story() {
    const { stories } = this.material;
    const texts = new Set(this.set.rows.map(({ text }) => text));
    for (let tries = 0; tries < stories.length; tries++) {
      const text = stories[this.next++ % stories.length];
      if (!texts.has(text)) return text;
    }
    return null;
  }

  /** @param {LabelledSet} set */
  changed(set) {
    this.set = set;
    this.showRemarks();
    this.onChange();
  }

  /**
   * Begins with a set; what came of another one goes.
   * @param {LabelledSet} set
   * @param {string} said
   */
  begin(set, said) {
    this.abandoned = this.training.running;
    this.abandoned?.abort();
    for (const part of [this.drawing, this.result, this.trying]) part.replaceChildren();
    this.training.fail("");
    this.labels.show(set);
    this.changed(set);
    announce(said);
  }

  showRemarks() {
    this.question.hidden = !this.set.ready;
    const remarks = remarksOn(this.task, this.set, this.model?.tokenizer ?? null);
    this.remarks.replaceChildren(...remarks.map((words) => h("p", {}, words)));
  }

  async run() {
    const { task, set, training } = this;
    if (training.running) return;
    const missing = whatIsMissing(task, set);
    training.fail(missing ?? "");
    if (missing) return;
    await training.carryOut(async (signal) => {
      const [[model], runs] = await Promise.all([
        getModels(this.slot, ["pretrained"]),
        import("./run.js"),
      ]);
      this.model = model;
      this.fetching.remove();
      this.showRemarks();
      if (!signal.aborted) await this.train(runs, model, signal);
    });
  }

  /**
   * @param {Runs} runs
   * @param {Model} model
   * @param {AbortSignal} signal
   */
  async train(runs, model, signal) {
    const { task, set, material } = this;
    const { heldOut } = runs.split(task, set, material);
    /** @type {Curves} */
    const curves = {
      steps: material.steps,
      heldOut: heldOut.length,
      losses: [[], []],
      shares: [[], []],
    };
    for (const part of [this.result, this.trying]) part.replaceChildren();
    this.drawing.replaceChildren(charts(curves));
    this.training.begin(2 * material.steps);
    const trained = await runs.trainBoth(
      task,
      set,
      { model, material },
      {
        signal,
        onProgress: (start, { step, loss, heldOut: measured }) => {
          curves.losses[start].push([step, loss]);
          if (measured) curves.shares[start].push([step, measured.right / measured.count]);
          if (step > 0) this.training.progress.value += 1;
          if (this.abandoned?.signal === signal) return;
          if (step % runs.EVERY === 0) this.drawing.replaceChildren(charts(curves));
        },
      },
    );
    if (this.abandoned?.signal === signal) return;
    const kinds = set.kinds.map((_, n) => kindOf(set, n));
    const outcome = { runs, model, berts: trained.map(({ bert }) => bert), kinds };
    await this.tell(outcome, set, Math.min(...trained.map(({ taken }) => taken)));
  }

  /**
   * What came of it.
   * @param {Outcome} outcome
   * @param {LabelledSet} set
   * @param {number} taken
   */
  async tell(outcome, set, taken) {
    const { task, material } = this;
    const { learned, heldOut } = outcome.runs.split(task, set, material);
    const measured = await this.compare(
      outcome,
      heldOut.map((row) => ({
        text: row.text,
        truth: outcome.runs.truthOf(task, row, outcome.kinds),
      })),
    );
    const right = COLUMNS.map(
      (_, start) => measured.filter(({ said, truth }) => said[start] === truth).length,
    );
    const stopped = taken < material.steps ? `Stopped after ${taken} steps. ` : "";
    const unit = task === "words" ? "sentence" : "label";
    const labels = learned.length === 1 ? `one ${unit}` : `${learned.length} ${unit}s`;
    const summary = heldOut.length
      ? `${stopped}From ${labels}, the pretrained start is right on ${right[0]} of ` +
        `${heldOut.length} held-out sentences${EACH[task]}, the random start on ${right[1]}.`
      : `${stopped}Both have learned from ${labels}. With eight or more, each fourth is held out, ` +
        "to measure on.";
    const parts = [h("p", { class: "tune-summary" }, summary)];
    if (set.ready) parts.push(h("p", {}, whatCame(material[task], this.guess)));
    if (heldOut.length) parts.push(...differences(measured, true));
    if (!set.ready) {
      const texts = material.stories.map((text) => ({ text, truth: null }));
      parts.push(...differences(await this.compare(outcome, texts), false));
    }
    this.result.replaceChildren(step("3. What came"), ...parts);
    this.offerTrying(outcome, heldOut[0]?.text ?? material[task].heldOut[0].text);
    announce(summary);
  }

  /**
   * @param {Outcome} outcome
   * @param {{text: string, truth: string | null}[]} texts
   * @returns {Promise<Compared[]>}
   */
  async compare({ runs, model, berts, kinds }, texts) {
    const compared = [];
    for (const { text, truth } of texts) {
      const said = berts.map((bert) =>
        runs.inWords(runs.read(this.task, bert, model, text), text, kinds),
      );
      compared.push({ text, truth, said });
      // in the background, where timers are slowed, nobody waits for the page
      if (compared.length % 8 === 0 && !document.hidden) await breath();
    }
    return compared;
  }

  /**
   * Any text through both.
   * @param {Outcome} outcome
   * @param {string} text
   */
  offerTrying({ runs, model, berts, kinds }, text) {
    const id = `fine-tuning-${this.task}-try`;
    const field = h("textarea", { id, rows: 2, dir: "auto", spellcheck: "false" }, text);
    const out = h("div", { class: "tune-columns" });
    const note = h("p", { class: "quietly" });
    const show = () => {
      const readings = berts.map((bert) => runs.read(this.task, bert, model, field.value));
      out.replaceChildren(...columns(readings, field.value, kinds));
      out.dataset.text = field.value; // which one it shows
      note.textContent = foreign(field.value, model.tokenizer) ?? "";
      return readings;
    };
    const tell = whenQuiet(() => {
      if (!field.isConnected) return;
      const said = show().map((reading, n) => {
        const sure = "classes" in reading ? `, ${probability(Math.max(...reading.classes))}` : "";
        return `${COLUMNS[n]}: ${runs.inWords(reading, field.value, kinds)}${sure}.`;
      });
      announce(said.join(" "));
    }, 500);
    field.addEventListener("input", tell);
    show();
    this.trying.replaceChildren(
      step("4. Try it"),
      h("label", { for: id }, "Any text, through both"),
      field,
      out,
      note,
    );
  }
}
