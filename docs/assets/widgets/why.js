/** Why this guess? What a finding needs, where attention looks, and in which layer it appears. */
import { announce, breath, h, whenQuiet } from "./dom.js";
import { remarksOn, whatIsMissing } from "./heads/model.js";
import { getModels } from "./loading.js";
import { followAddress, linkButton } from "./state.js";
import { makeTabs } from "./tabs.js";
import {
  appearance,
  attentionFrom,
  compare,
  coverings,
  differences,
  encode,
  findingsOf,
  guessOf,
  layersOf,
  momentOf,
  placesOf,
  signed,
  verdictOn,
} from "./why/model.js";
import { getMoments, makeSlider, whenOf } from "./why/moments.js";
import { EXAMPLES, isTab, isTask, readState, START, TABS, TASKS } from "./why/state.js";
import {
  attentionTable,
  choices,
  differencesTable,
  layersView,
  legend,
  tokensWith,
} from "./why/view.js";

/** @typedef {import("../bert/model.js").Model} Model */
/** @typedef {import("./why/state.js").State} State */
/** @typedef {import("./dom.js").Child} Child */

const NAME = "why";
const NO_HOLE = "Write [MASK] where the model should guess.";
const PATIENCE = 30; // milliseconds of work between two breaths

/** @param {HTMLElement} host */
export function mount(host) {
  const widget = new Why();
  host.append(...widget.elements());
  widget.start(host);
}

class Why {
  state = START;
  turn = 0; // of the run that may show something; those before it are stale
  started = false; // nothing is fetched until the reader asks for it

  text = h("textarea", { id: "why-text", rows: 3, dir: "auto", spellcheck: "false" });
  other = h("textarea", { id: "why-other", rows: 3, dir: "auto", spellcheck: "false" });
  question = h("input", {
    id: "why-question",
    type: "text",
    dir: "auto",
    autocomplete: "off",
    spellcheck: "false",
  });
  asking = h(
    "div",
    {},
    h("label", { for: "why-question" }, "Your question about it"),
    this.question,
  );
  tasks = choices("What to ask about", (task) => isTask(task) && this.change({ task, which: 0 }));
  which = choices("Which one", (which) => this.change({ which: Number(which) }));
  slot = h("div"); // for messages while a model loads
  out = h("div");
  slider = makeSlider((moment) => this.change({ moment }));
  tabs = makeTabs(NAME, "How to look inside", TABS, (tab) => isTab(tab) && this.change({ tab }));
  soon = whenQuiet(() => this.run(), 300);

  /** All of it, in the order of the page. */
  elements() {
    const { cover, layers, texts, moments } = this.tabs.panels;
    cover.append(this.tasks.element, this.asking);
    layers.append(h("p", {}, "What the MLM head makes of the vector at [MASK] in each layer."));
    texts.append(
      h("label", { for: "why-other" }, "The second text: change a word or two"),
      this.other,
    );
    moments.append(
      h("p", {}, "What the model guessed at [MASK] while it was being pretrained."),
      this.slider.element,
    );
    const examples = EXAMPLES.map(({ name, state }) => {
      const onclick = () => this.change({ ...state, which: 0 });
      return h("button", { type: "button", class: "quiet", onclick }, name);
    });
    return [
      h("label", { for: this.text.id }, "Your text, with [MASK] where the model should guess"),
      this.text,
      h("div", { class: "widget-buttons" }, examples),
      this.tabs.row,
      cover,
      layers,
      texts,
      moments,
      this.which.element,
      this.slot,
      this.out,
      h(
        "div",
        { class: "widget-buttons" },
        linkButton(NAME, () => ({ ...this.state })),
      ),
    ];
  }

  /** @param {HTMLElement} host */
  start(host) {
    for (const field of /** @type {const} */ (["text", "other", "question"])) {
      this[field].addEventListener("input", () => this.change({ [field]: this[field].value }));
    }
    this.showState();
    const isLinked = followAddress(host, NAME, (brought) => {
      this.started = true;
      this.change(readState(brought, this.state));
    });
    if (!isLinked) this.waitForTheReader();
  }

  waitForTheReader() {
    const start = () => {
      this.tabs.panels[this.state.tab].focus(); // the button goes, and must not take it along
      this.started = true;
      this.out.replaceChildren();
      this.run();
    };
    const button = h("button", { type: "button", class: "main", onclick: start }, "Look inside");
    const size = h("span", { class: "quietly" }, "fetches a model, 1 MB");
    this.out.append(h("div", { class: "widget-buttons" }, button, size));
  }

  /**
   * Apply the changes, and look again once the reader pauses.
   * @param {Partial<State>} changes
   */
  change(changes) {
    this.state = { ...this.state, ...changes };
    this.turn++; // what is being computed is stale
    this.showState();
    if (this.started) this.soon();
  }

  showState() {
    const { tab, task, text, other, question } = this.state;
    for (const [field, value] of /** @type {const} */ ([
      [this.text, text],
      [this.other, other],
      [this.question, question],
    ])) {
      if (field.value !== value) field.value = value; // setting it moves its cursor
    }
    this.tabs.open(tab);
    const titles = Object.entries(TASKS).map(([key, { title }]) => [key, title]);
    this.tasks.show(Object.fromEntries(titles), task);
    this.asking.hidden = task !== "question";
  }

  /** Looks inside, once the model has loaded. */
  async run() {
    const turn = ++this.turn;
    const { state, slot } = this;
    const file = state.tab === "cover" ? TASKS[state.task].file : "pretrained";
    const [model] = await getModels(slot, [file]);
    if (slot.contains(document.activeElement)) this.tabs.panels[state.tab].focus();
    if (turn !== this.turn) return;
    const look = this[state.tab];
    const found = await look.call(this, model, state, turn);
    if (turn !== this.turn || !found) return;
    this.out.replaceChildren(...found.shown);
    announce(found.said);
  }

  /**
   * A sentence instead of a result.
   * @param {string} sentence
   */
  only(sentence) {
    this.which.show({}, "");
    return { shown: [h("p", {}, sentence)], said: sentence };
  }

  /**
   * Covers each token in turn.
   * @param {Model} model
   * @param {State} state
   * @param {number} turn
   */
  async cover(model, state, turn) {
    const { task, text } = state;
    const input = encode(model, state);
    const asked = { ...state, task: task === "guess" ? /** @type {const} */ ("sentiment") : task };
    const missing = whatIsMissing(input, asked);
    if (missing) return this.only(missing);
    const findings = findingsOf(task, model, input, text);
    if (!findings.length) {
      return this.only(task === "guess" ? NO_HOLE : "The model finds no entity in this text.");
    }
    const which = Math.min(state.which, findings.length - 1);
    this.which.show(namesOf(findings), String(which));
    const finding = findings[which];
    const covered = [];
    let paused = performance.now();
    for (const one of coverings(task, model, input, finding)) {
      covered.push(one);
      if (performance.now() - paused < PATIENCE) continue;
      await breath();
      if (turn !== this.turn) return null;
      paused = performance.now();
    }
    if (!covered.length) return this.only("There is no other token that could be covered.");
    const heads = attentionFrom(model, input, finding.place);
    const { noun } = TASKS[task];
    const what = `the ${noun.toLowerCase()} “${finding.name}”`;
    const verdict = verdictOn(compare(covered, heads), input.tokens, what);
    const layers = model.bert.config.num_hidden_layers;
    const table = attentionTable(input.tokens, covered, heads, layers, finding.place);
    const scroller = {
      class: "why-scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "Attention",
    };
    return {
      shown: [
        h("p", {}, `${noun}: `, h("b", {}, finding.name)),
        tokensWith(input.tokens, covered),
        legend(),
        h("p", { class: "why-verdict" }, verdict),
        h("div", scroller, table),
        ...remarksOn(input, asked).map((words) => h("p", {}, words)),
      ],
      said: verdict,
    };
  }

  /**
   * Where a text's model should guess: one of its [MASK]s, as chosen; null if it has none.
   * @param {Model} model
   * @param {State} state
   */
  hole(model, state) {
    const input = encode(model, { ...state, task: "guess" });
    const places = placesOf(input.tokens);
    const which = Math.min(state.which, places.length - 1);
    const names = places.map((place) => ({ name: `[MASK], token ${place}` }));
    return places.length ? { input, place: places[which], names: namesOf(names), which } : null;
  }

  /**
   * The MLM head on each layer's vector.
   * @param {Model} model
   * @param {State} state
   */
  async layers(model, state) {
    const hole = this.hole(model, state);
    if (!hole) return this.only(NO_HOLE);
    this.which.show(hole.names, String(hole.which));
    const found = layersOf(model, hole.input, hole.place);
    const said = appearance(found);
    return { shown: [layersView(found), h("p", { class: "why-verdict" }, said)], said };
  }

  /**
   * The guess at one moment of the training.
   * @param {Model} model
   * @param {State} state
   * @param {number} turn
   */
  async moments(model, state, turn) {
    const hole = this.hole(model, state);
    if (!hole) return this.only(NO_HOLE);
    const all = await getMoments(this.slot);
    const chosen = Math.min(state.moment, all.length - 1);
    if (turn === this.turn) this.slider.show(all, chosen);
    const [then] = await getModels(this.slot, [all[chosen].file]);
    if (turn !== this.turn) return null;
    this.which.show(hole.names, String(hole.which));
    const found = momentOf(then, model, hole.input, hole.place);
    const said = guessOf(found, whenOf(all[chosen]));
    const column = { ...found, name: "Its guesses" };
    const shown = layersView({ guess: found.guess, layers: [column] });
    return { shown: [shown, h("p", { class: "why-verdict" }, said)], said };
  }

  /**
   * Two texts with one hole.
   * @param {Model} model
   * @param {State} state
   */
  async texts(model, state) {
    const one = this.hole(model, state);
    const other = this.hole(model, { ...state, text: state.other });
    if (!one || !other) return this.only(`${NO_HOLE} Both texts need one.`);
    this.which.show(one.names, String(one.which));
    const found = differences(model, [one, other]);
    const [first] = found;
    const said = first
      ? `“${first.piece}” changes most: ${signed(first.change)} in log-odds.`
      : "No piece is likely in either text.";
    return {
      shown: [h("p", { class: "why-verdict" }, said), differencesTable(found)],
      said,
    };
  }
}

/** @param {{name: string}[]} findings */
const namesOf = (findings) => Object.fromEntries(findings.map(({ name }, n) => [String(n), name]));
