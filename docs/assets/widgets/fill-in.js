/** Fill in: hide any tokens of a text, and see which ones the model would put there. */
import { announce, h, whenQuiet } from "./dom.js";
import {
  askWhy,
  EXAMPLES,
  follow,
  guessesOf,
  inWords,
  remarksOn,
  wordsAsTokens,
} from "./fill-in/model.js";
import { Toolbar } from "./fill-in/toolbar.js";
import { contextOf, resultsOf } from "./fill-in/view.js";
import { getModels } from "./loading.js";
import { addressOf, followAddress, linkButton } from "./state.js";

/** @typedef {import("./fill-in/model.js").Piece} Piece */

const NAME = "fill-in";
const WHY = new URL("../../deeper/why.html", import.meta.url);

/** @param {HTMLElement} host */
export function mount(host) {
  const widget = new FillIn();
  host.append(...widget.elements());
  widget.start(host);
}

class FillIn {
  // Until the model has loaded, the first example is split into words, which are its tokens.
  text = EXAMPLES[0].text;
  lesson = ""; // what an example shows, until something is changed
  /** @type {Promise<import("../bert/model.js").Model> | null} Once something has needed it. */
  model = null;

  field = h("textarea", {
    id: "fill-in-text",
    rows: 2,
    dir: "auto",
    oninput: whenQuiet(() => this.typed(), 400),
  });
  toolbar = new Toolbar((place) => this.toggle(place));
  remarks = h("div", { class: "fill-in-remarks" });
  slot = h("div"); // for messages while the model loads
  results = h("div");
  showAll = h(
    "button",
    { type: "button", class: "quiet", onclick: () => this.showAllAgain() },
    "Show all",
  );

  /** All of it, in the order of the page. */
  elements() {
    const { field, toolbar } = this;
    const link = linkButton(NAME, () => ({ text: this.text, hidden: [...toolbar.hidden].join() }));
    const examples = EXAMPLES.map((example) => {
      return h("button", { type: "button", onclick: () => this.take(example) }, example.name);
    });
    return [
      h("p", { class: "widget-title" }, "Hide a token, and let the model fill it in"),
      h("label", { for: field.id }, "Choose an example, or write your own text:"),
      h("div", { class: "widget-buttons" }, examples),
      field,
      h("p", {}, "Press a token to hide it from the model. The arrow keys move between tokens."),
      toolbar.element,
      this.remarks,
      this.slot,
      this.results,
      h("div", { class: "widget-buttons" }, this.showAll, link),
    ];
  }

  /** @param {HTMLElement} host */
  start(host) {
    this.field.value = this.text;
    this.showTokens(wordsAsTokens(this.text), []);
    followAddress(host, NAME, (state) => {
      const places = (state.get("hidden") || "").split(",").map(Number);
      this.read(state.get("text") ?? this.text, () => places);
    });
  }

  getModel() {
    this.model ??= getModels(this.slot, ["pretrained"]).then(([pretrained]) => pretrained);
    return this.model;
  }

  /**
   * @param {Piece[]} tokens
   * @param {Iterable<number>} hidden
   */
  showTokens(tokens, hidden) {
    const focus = this.toolbar.show(tokens, hidden);
    if (focus !== null) (focus ?? this.field).focus();
    this.showAll.hidden = this.toolbar.hidden.size === 0;
  }

  /** @param {number} place */
  showToken(place) {
    this.toolbar.redraw(place);
    this.showAll.hidden = this.toolbar.hidden.size === 0;
  }

  // What a reader does

  /** @param {typeof EXAMPLES[number]} example */
  async take(example) {
    this.field.value = example.text;
    const guesses = await this.read(example.text, () => example.hidden, example.say);
    announce([...guesses.map(inWords), this.lesson].join(". "));
  }

  async typed() {
    const { field, remarks, toolbar } = this;
    if (field.value === this.text) return; // an example was chosen in the meantime
    const [before, saidBefore] = [toolbar.tokens, remarks.textContent];
    await this.read(field.value, (now) => follow(toolbar.hidden, before, now));
    const remark = remarks.textContent === saidBefore ? "" : remarks.textContent;
    const hidden = toolbar.maskedPlaces().length;
    announce(`${toolbar.tokens.length - 2} tokens, ${hidden} hidden. ${remark}`);
  }

  /** @param {number} place */
  async toggle(place) {
    const { hidden, tokens } = this.toolbar;
    const { piece } = tokens[place];
    if (!hidden.delete(place)) hidden.add(place);
    this.lesson = "";
    this.showToken(place);
    const guessed = (await this.guess()).find((result) => result.place === place);
    announce(guessed ? inWords(guessed) : `${piece} is shown again`);
  }

  async showAllAgain() {
    const { buttons, hidden } = this.toolbar;
    const places = [...hidden];
    hidden.clear();
    this.lesson = "";
    for (const place of places) this.showToken(place);
    buttons.get(places[0])?.focus(); // before this button goes
    await this.guess();
    announce("All tokens are shown");
  }

  /**
   * Switch to another text, and give the guesses for it.
   * @param {string} newText
   * @param {(tokens: Piece[]) => Iterable<number>} chooseHidden Once its tokens are known.
   */
  async read(newText, chooseHidden, newLesson = "") {
    this.text = newText;
    const { tokenizer, longest } = await this.getModel();
    if (this.text !== newText) return []; // the reader typed while the model was loading
    const { tokens, cut } = tokenizer.encode(newText, null, { longest });
    this.lesson = newLesson;
    if (this.field.value !== newText) this.field.value = newText;
    this.showTokens(tokens, chooseHidden(tokens));
    const remarks = remarksOn(newText, tokens, tokenizer.pieces.length, cut ? longest : 0);
    this.remarks.replaceChildren(...remarks.map((said) => h("p", {}, said)));
    return this.guess();
  }

  /** The probabilities of all pieces at each hidden token; shows and returns them. */
  async guess() {
    const { toolbar } = this;
    const model = await this.getModel();
    // without ids they are the first example's, also when another text is on its way
    if (toolbar.tokens[0].id < 0) {
      toolbar.tokens = model.tokenizer.encode(EXAMPLES[0].text).tokens;
    }
    const { tokens, hidden } = toolbar;
    const guesses = guessesOf(model, tokens, toolbar.maskedPlaces(), hidden);
    const isMasked = (/** @type {number} */ place) => toolbar.isMasked(place);
    const contexts = guesses.map(({ place }) => contextOf(this.text, tokens, place, isMasked));
    const drawn = resultsOf(guesses, contexts, this.reasons(guesses), hidden.size > 0, this.lesson);
    this.results.replaceChildren(...drawn);
    return guesses;
  }

  /**
   * Where each guess is looked into; null where it cannot be.
   * @param {import("./fill-in/model.js").Guess[]} guesses
   */
  reasons(guesses) {
    const { text, toolbar } = this;
    const places = guesses.map(({ place }) => place);
    return places.map((place) => {
      const asked = askWhy(text, toolbar.tokens, places, place);
      return asked && new URL(addressOf("why", asked), WHY).href;
    });
  }
}
