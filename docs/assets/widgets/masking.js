/** The masking playground: a sentence, a recipe, what a draw makes of it, what the model says. */
import { countFates, seededDraws } from "../bert/masking.js";
import { loadTokenizer } from "../bert/model.js";
import { announce, h, whenQuiet } from "./dom.js";
import { getAll, getModels } from "./loading.js";
import {
  drawFrom,
  guessesOf,
  inWords,
  MANY,
  readStart,
  readState,
  START,
  sharesOf,
  stateForLink,
  whyEmpty,
} from "./masking/model.js";
import { Controls, countsRows, countsTable, guessesView, passageOf } from "./masking/view.js";
import { followAddress, linkButton } from "./state.js";

const NAME = "masking";
const ASK = "What does the model say?";

/** @param {HTMLElement} host */
export function mount(host) {
  const playground = new Playground();
  host.append(...playground.elements());
  playground.start(host);
}

class Playground {
  state = START;
  /** A tokenizer, and how many tokens the model reads. */
  reads = readStart();
  /** @type {Promise<void> | null} For the model's own tokenizer, once something has needed it. */
  coming = null;
  /** @type {import("../bert/model.js").Model | null} Once the reader has asked for it. */
  model = null;
  /** What is shown. */
  drawn = drawFrom(this.state, this.reads);
  loss = ""; // of what is shown, in words
  heard = ""; // the result that was shown at first, or announced last

  text = h("textarea", { id: `${NAME}-text`, rows: 2, dir: "auto", spellcheck: "false" });
  cutNote = h("p", { class: "masking-cut", role: "status" });
  passage = h("div");
  drawNumber = h("span", { class: "masking-quiet" });
  emptyNote = h("p", { class: "masking-empty" });
  controls = new Controls((changes) => this.change(changes));
  counts = h("tbody");
  tokenizerSlot = h("div", { class: "masking-slot" }); // while the tokenizer loads
  slot = h("div", { class: "masking-slot" }); // while the model does
  heading = h("p", { class: "masking-head", tabindex: "-1" }, "What the model says");
  guesses = h("ul", {
    class: "masking-guesses",
    tabindex: "0", // a long list scrolls
    "aria-label": "Guesses and losses",
  });
  verdict = h("div");
  said = h("div", { hidden: true }, this.heading, this.guesses, this.verdict);
  ask = h("button", { type: "button", class: "main", onclick: () => this.askModel() }, ASK);

  later = whenQuiet(() => this.showSlowly(), 200);
  tellLater = whenQuiet(() => this.tell(), 700); // a reader who is typing is not interrupted

  /** All of it, in the order of the page. */
  elements() {
    const again = h("button", { type: "button", onclick: () => this.drawAgain() }, "Draw again");
    return [
      h("label", { class: "widget-title", for: this.text.id }, "Your sentence"),
      this.text,
      h(
        "p",
        { class: "masking-quiet" },
        "The model knows only the words of its own small world: stories about people and towns. " +
          "Any other word is split into letters, or is [UNK] if it has an unknown character.",
      ),
      this.cutNote,
      this.passage,
      this.emptyNote,
      h("div", { class: "widget-buttons" }, again, this.drawNumber, this.tokenizerSlot),
      ...this.controls.elements,
      countsTable(this.counts),
      this.ask,
      this.slot,
      this.said,
      h(
        "div",
        { class: "widget-buttons" },
        linkButton(NAME, () => stateForLink(this.state)),
      ),
    ];
  }

  /** @param {HTMLElement} host */
  start(host) {
    this.text.addEventListener("input", () => this.change({ text: this.text.value }));
    if (followAddress(host, NAME, (brought) => this.take(readState(brought)))) return;
    this.text.value = START.text;
    this.showShares();
    this.show();
    this.later();
  }

  /** @param {import("./masking/model.js").State} whole */
  take(whole) {
    this.text.value = whole.text;
    this.change(whole);
  }

  /**
   * The shares move at once, the tokens once the model's tokenizer has loaded.
   * @param {Partial<import("./masking/model.js").State>} changes
   */
  async change(changes) {
    this.state = { ...this.state, ...changes };
    this.showShares();
    this.coming ??= this.fetchTokenizer();
    await this.coming;
    this.show();
    this.later();
    this.tellLater();
  }

  async fetchTokenizer() {
    const slot = this.tokenizerSlot;
    const [came] = await getAll(slot, ["pretrained"], loadTokenizer, "the vocabulary");
    this.reads = came;
    if (slot.contains(document.activeElement)) this.text.focus(); // an empty slot loses it
  }

  drawAgain() {
    this.change({ seed: (this.state.seed + 1) % 2 ** 32 });
  }

  showShares() {
    this.controls.show(this.state.select, sharesOf(this.state));
  }

  /** The quick part: while a reader types, or moves a slider. */
  show() {
    const { state, reads } = this;
    this.drawn = drawFrom(state, reads);
    const most = `The model reads at most ${reads.longest} tokens`;
    const note = this.drawn.cut ? `${most}: the text is cut off there.` : "";
    if (this.cutNote.textContent !== note) this.cutNote.textContent = note;
    this.passage.replaceChildren(passageOf(this.drawn, reads.tokenizer.pieces));
    this.drawNumber.textContent = `Draw ${state.seed}`;
    this.emptyNote.textContent = whyEmpty(this.drawn, state.seed);
    this.counts.replaceChildren(...countsRows(this.drawn, null));
    this.heard ||= this.inWords();
  }

  /** The slow part, some milliseconds: once the reader pauses. */
  showSlowly() {
    const { candidates, recipe } = this.drawn;
    const many = countFates(MANY * candidates, recipe, seededDraws(this.state.seed));
    this.counts.replaceChildren(...countsRows(this.drawn, many));
    if (this.model) this.showGuesses(this.model);
  }

  /** @param {import("../bert/model.js").Model} model */
  showGuesses(model) {
    const { items, verdict, loss } = guessesView(model, this.drawn, guessesOf(model, this.drawn));
    this.guesses.replaceChildren(...items);
    this.verdict.replaceChildren(...verdict);
    this.loss = loss;
  }

  inWords() {
    return inWords(this.drawn, this.state.seed, this.loss);
  }

  tell() {
    const result = this.inWords();
    if (result !== this.heard) announce(result);
    this.heard = result;
  }

  async askModel() {
    const { ask, slot } = this;
    if (ask.hasAttribute("aria-disabled")) return;
    ask.setAttribute("aria-disabled", "true"); // not `disabled`, which would drop the focus
    const [model] = await getModels(slot, ["pretrained"]);
    const focused = document.activeElement;
    const waited = focused === ask || focused === slot || focused === document.body;
    [this.model, this.reads, this.coming] = [model, model, Promise.resolve()];
    this.tokenizerSlot.remove(); // with any message in it
    this.show();
    this.showSlowly();
    this.tell();
    this.said.hidden = false;
    ask.remove();
    if (waited) this.heading.focus({ preventScroll: true });
  }
}
