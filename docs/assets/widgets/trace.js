/** The walked trace, step by step: with the page's numbers, or with the reader's own sentences. */
import { fetchJSON } from "../bert/model.js";
import { announce, h, whenQuiet } from "./dom.js";
import { getModels } from "./loading.js";
import { followAddress, linkButton } from "./state.js";
import { inWords, readState, START, stateForLink, stepAfterKey } from "./trace/model.js";
import { steps } from "./trace/steps.js";
import { arrow, contentOf, Dots, onSwipe, ownPanel } from "./trace/view.js";
import { classScores, isClassified, walkedFrom, walkOf } from "./trace/walk.js";

const NAME = "trace";
const STAGES = { 1: "Stage one: pretraining", 2: "Stage two: fine-tuning" };

/** @param {HTMLElement} host */
export async function mount(host) {
  const widget = new Trace(walkedFrom(await fetchJSON("trace.json")));
  widget.start(host);
  host.append(widget.whole); // once a damaged trace would have shown
}

class Trace {
  state = START;
  /** @type {import("./trace/walk.js").Own | null} Of the reader's text, once it is computed. */
  own = null;

  useWalked = h(
    "button",
    { type: "button", onclick: () => this.choose(false) },
    "The walked input",
  );
  useOwn = h("button", { type: "button", onclick: () => this.choose(true) }, "Your own");
  field = h("textarea", {
    id: "trace-text",
    rows: 2,
    dir: "auto",
    oninput: whenQuiet(() => this.read()),
  });
  drawn = h("span", { class: "drawn" });
  slot = h("p", { class: "slot" });
  panel = ownPanel(this.field, this.drawn, this.slot, () => this.drawAgain());
  dots = new Dots(steps, (n) => this.go(n));
  back = h("button", { type: "button", onclick: () => this.turn(-1) }, arrow("← "), "Back");
  where = h("p", { class: "where" });
  next = h(
    "button",
    { type: "button", class: "main", onclick: () => this.turn(1) },
    "Next",
    arrow(" →"),
  );
  stage = h("div", { class: "stage" });
  whole = h(
    "details",
    {
      class: "trace",
      open: true,
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.onKey(event),
    },
    h("summary", {}, "Step by step"),
    h(
      "div",
      { class: "widget-buttons", role: "group", "aria-label": "Which input" },
      this.useWalked,
      this.useOwn,
    ),
    this.panel,
    this.dots.element,
    h("div", { class: "moves" }, this.back, this.where, this.next),
    this.stage,
    h(
      "div",
      { class: "widget-buttons" },
      linkButton(NAME, () => stateForLink(this.state)),
    ),
  );

  /** @param {import("./trace/walk.js").Walked} walked The page's. */
  constructor(walked) {
    this.walked = walked;
  }

  /** @param {HTMLElement} host */
  start(host) {
    onSwipe(this.stage, (by) => this.turn(by));
    this.field.value = this.state.text;
    if (!followAddress(host, NAME, (brought) => this.follow(brought))) this.choose(false);
  }

  /** @param {URLSearchParams} brought */
  follow(brought) {
    this.whole.open = true;
    this.state = readState(brought, this.state, steps.length);
    if (this.state.own) {
      this.field.value = this.state.text;
      this.own = null;
    }
    this.choose(this.state.own);
  }

  /** @param {boolean} own */
  choose(own) {
    this.state = { ...this.state, own };
    this.useWalked.setAttribute("aria-pressed", String(!own));
    this.useOwn.setAttribute("aria-pressed", String(own));
    this.panel.hidden = !own;
    this.show();
    if (own && !this.own) this.measure();
  }

  // From step to step

  /** @param {number} by */
  turn(by) {
    this.go(this.state.step + by);
  }

  /** @param {number} step */
  go(step) {
    if (step < 0 || step >= steps.length) return;
    const before = this.state.step;
    this.state = { ...this.state, step };
    this.show();
    if (before !== step) announce(`Step ${step + 1} of ${steps.length}: ${steps[step].name}`);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { target } = event;
    if (target === this.field || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = stepAfterKey(event.key, this.state.step, steps.length);
    if (step === undefined) return;
    event.preventDefault();
    const onDots = target instanceof Element && target.matches(".dot");
    this.go(step);
    if (onDots) this.dots.buttons[this.state.step].focus();
  }

  show() {
    const { step: at, own, text } = this.state;
    const step = steps[at];
    // not disabled: they would lose the focus
    this.back.setAttribute("aria-disabled", String(at === 0));
    this.next.setAttribute("aria-disabled", String(at === steps.length - 1));
    const place = h("b", {}, `Step ${at + 1} of ${steps.length}`);
    this.where.replaceChildren(place, " ", STAGES[step.stage]);
    this.dots.show(at, own);
    const content = contentOf(step, own ? this.own : this.walked, this.walked, text);
    this.stage.replaceChildren(h("p", { class: "name-of-step" }, step.name), ...content);
    if (own && step.needs === "classes") this.fetchClasses();
  }

  // The reader's own text

  read() {
    if (this.state.text === this.field.value) return;
    this.state = { ...this.state, text: this.field.value };
    this.measure();
  }

  drawAgain() {
    this.state = { ...this.state, text: this.field.value, seed: this.state.seed + 1 };
    this.measure();
  }

  /** Make the walk of the reader's text, fetching the model the first time. */
  async measure() {
    const { text, seed } = this.state;
    this.own = null;
    if (text.trim()) {
      const [model] = await this.fetchModels(["pretrained"]);
      if (text !== this.state.text || seed !== this.state.seed) return; // a newer one is coming
      this.own = walkOf(model, text, seed);
    }
    this.drawn.textContent = this.own ? inWords(this.own, seed) : "";
    if (this.own) announce(this.drawn.textContent);
    this.show();
  }

  async fetchClasses() {
    const { own } = this;
    if (!own || isClassified(own)) return;
    const [pretrained, tuned] = await this.fetchModels(["pretrained", "sentiment"]);
    Object.assign(own, classScores(own, pretrained, tuned));
    if (this.own === own) this.show();
  }

  /** @param {string[]} names */
  async fetchModels(names) {
    const models = await getModels(this.slot, names);
    if (this.slot.contains(document.activeElement)) this.field.focus(); // an empty slot loses it
    return models;
  }
}
