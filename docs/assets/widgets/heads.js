/** One pretrained model and three fine-tuned ones: a text through each head, before and after. */
import { beforeFineTuning } from "../bert/model.js";
import { announce, h, whenQuiet } from "./dom.js";
import {
  bothInWords,
  EXAMPLES,
  encode,
  endOf,
  isTask,
  read,
  readState,
  remarksOn,
  START,
  TASKS,
  whatIsMissing,
} from "./heads/model.js";
import { buttons, columns, legend, quietButton } from "./heads/view.js";
import { getModels } from "./loading.js";
import { followAddress, linkButton } from "./state.js";
import { makeTabs } from "./tabs.js";

/** @typedef {import("../bert/model.js").Model} Model */
/** @typedef {import("./heads/model.js").State} State */
/** @typedef {import("./heads/model.js").Task} Task */

const NAME = "heads";

/** @param {HTMLElement} host */
export function mount(host) {
  const widget = new Heads();
  host.append(...widget.elements());
  widget.start(host);
}

/** The panel of a task: its elements, and what it shows. */
class Panel {
  slot = h("div"); // for messages while the models load
  notes = h("div");
  out = h("div", { class: "heads-columns" });
  /** @type {Promise<Model[]> | null} The pretrained and the fine-tuned one, once it was asked for. */
  models = null;
  shown = ""; // the state that it shows
  said = ""; // and that in words

  /**
   * @param {Task} task
   * @param {HTMLElement} element
   * @param {HTMLElement[]} more Of this task alone.
   */
  constructor(task, element, more) {
    this.file = TASKS[task].file;
    this.element = element;
    element.append(h("p", {}, TASKS[task].about), ...more, this.slot, this.out, this.notes);
  }

  async getModels() {
    this.models ??= getModels(this.slot, ["pretrained", this.file]);
    const models = await this.models;
    if (this.slot.contains(document.activeElement)) this.element.focus(); // an empty slot loses it
    return models;
  }

  /**
   * Shows what both models say.
   * @param {State} state
   * @param {Model} pretrained
   * @param {Model} tuned
   */
  show(state, pretrained, tuned) {
    const input = encode(tuned, state);
    const missing = whatIsMissing(input, state);
    const models = missing ? [] : [beforeFineTuning(pretrained, tuned), tuned];
    const readings = models.map((model) => read(state.task, model, input));
    this.out.replaceChildren(...columns(readings, state.text, endOf(input)));
    const notes = missing ? [missing] : remarksOn(input, state);
    this.notes.replaceChildren(...notes.map((words) => h("p", {}, words)));
    this.said = missing ?? bothInWords(readings, state.text);
  }
}

class Heads {
  state = START;
  told = ""; // what was announced last
  soon = whenQuiet(() => this.run());
  tell = whenQuiet(() => this.announce(), 700); // not at every keystroke

  text = h("textarea", { id: `${NAME}-text`, rows: 3, dir: "auto", spellcheck: "false" });
  question = h("input", {
    id: `${NAME}-question`,
    type: "text",
    dir: "auto",
    autocomplete: "off",
    spellcheck: "false",
  });
  questions = buttons();
  tabs = makeTabs(
    NAME,
    "Task",
    Object.fromEntries(Object.entries(TASKS).map(([task, { title }]) => [task, title])),
    (task) => isTask(task) && this.change({ task }),
  );
  asking = [
    h("label", { for: this.question.id }, "Your question about it"),
    this.question,
    this.questions,
  ];
  panels = {
    sentiment: new Panel("sentiment", this.tabs.panels.sentiment, []),
    entities: new Panel("entities", this.tabs.panels.entities, [legend()]),
    question: new Panel("question", this.tabs.panels.question, this.asking),
  };

  /** All of it, in the order of the page. */
  elements() {
    const choose = (/** @type {typeof EXAMPLES[number]} */ example) => () => this.choose(example);
    return [
      h("label", { for: this.text.id }, "Your text"),
      this.text,
      buttons(...EXAMPLES.map((example) => quietButton(example.name, choose(example)))),
      this.tabs.row,
      ...Object.values(this.tabs.panels),
      buttons(linkButton(NAME, () => this.state)),
    ];
  }

  /** @param {HTMLElement} host */
  start(host) {
    this.text.addEventListener("input", () => this.change({ text: this.text.value }));
    this.question.addEventListener("input", () => this.change({ question: this.question.value }));
    this.offer(EXAMPLES[0].questions);
    this.showState();
    const isLinked = followAddress(host, NAME, (brought) => {
      this.change(readState(brought, this.state));
    });
    if (!isLinked) this.waitForTheReader();
  }

  get panel() {
    return this.panels[this.state.task];
  }

  /** Nothing is fetched until the reader asks for it. */
  waitForTheReader() {
    const { element, out } = this.panel;
    const start = () => {
      element.focus(); // the button disappears, and must not take the focus with it
      out.replaceChildren();
      this.run();
    };
    const button = h("button", { type: "button", class: "main", onclick: start }, "Read it");
    out.append(buttons(button, h("span", { class: "quietly" }, "fetches two models, 1 MB each")));
  }

  /**
   * Apply the changes, and read again once the reader pauses.
   * @param {Partial<State>} changes
   */
  change(changes) {
    this.state = { ...this.state, ...changes };
    this.showState();
    this.soon();
  }

  showState() {
    const { task, text, question } = this.state;
    // setting the value of a field moves its cursor
    if (this.text.value !== text) this.text.value = text;
    if (this.question.value !== question) this.question.value = question;
    this.tabs.open(task);
  }

  /** @param {typeof EXAMPLES[number]} example */
  choose({ text, questions }) {
    this.offer(questions);
    this.change({ text, question: questions[0] });
  }

  /** @param {string[]} questions */
  offer(questions) {
    const ask = (/** @type {string} */ question) =>
      quietButton(question, () => this.change({ question }));
    this.questions.replaceChildren(...questions.map(ask));
  }

  /** Show what the models say about the open task, once they have loaded. */
  async run() {
    const { panel } = this;
    const [pretrained, tuned] = await panel.getModels();
    const wanted = JSON.stringify(this.state);
    if (this.panel !== panel || panel.shown === wanted) return;
    panel.shown = wanted;
    panel.show(this.state, pretrained, tuned);
    this.tell();
  }

  announce() {
    const { said } = this.panel;
    if (said !== this.told) announce(said);
    this.told = said;
  }
}
