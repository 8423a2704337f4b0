/**
 * Is it next? The reader guesses whether passage B follows passage A, and then the head does.
 *
 * Drawn pairs are a game whose score is kept. Passages that the reader writes have no true label,
 * only the head's verdict.
 */
import { fetchJSON } from "../bert/model.js";
import { drawPair, IS_NEXT, IS_RANDOM, labelOf } from "../bert/pairs.js";
import { announce, h, whenQuiet } from "./dom.js";
import { getModels, messageOf } from "./loading.js";
import {
  addRound,
  byHead,
  byOneWord,
  clues,
  LABELS,
  NOTHING,
  namesIn,
  pointsInWords,
  readStories,
  soundPoints,
  verdictOf,
} from "./nsp/model.js";
import { fields, judged, labelled, passages, told } from "./nsp/view.js";
import { probability } from "./numbers.js";
import { followAddress, linkButton, onRemembered, remember, remembered } from "./state.js";

const NAME = "nsp";
const LONGEST = 2000; // characters of a passage in a link, far more than the model reads
const TRUTHS = [
  "B is next: it follows A in the story.",
  "B is random: it comes from another story.",
]; // by label

/** @type {import("./nsp/model.js").Shown} */
const OWN = {
  a: "Thea spent a beautiful Sunday at the garden in Lucca.",
  b: "Thea wrote to Otto about the marvellous garden.",
  label: null,
};

/** @typedef {import("./nsp/model.js").Label} Label */

/**
 * What a game needs to begin.
 * @typedef {object} Material
 * @property {import("../bert/model.js").Model} model
 * @property {import("../bert/pairs.js").Story[]} stories
 * @property {string[]} names
 */

/** @param {HTMLElement} host */
export function mount(host) {
  const game = new Game();
  const title = h("p", { class: "widget-title" }, "Is it next?");
  host.append(title, game.stage, game.result, game.actions, game.slot, game.score);
  game.start(host);
}

class Game {
  /** @type {Material | null} Once it has loaded. */
  material = null;
  pair = OWN;

  stage = h("div");
  result = h("div");
  actions = h("div", { class: "widget-buttons" });
  slot = h("div");
  score = h("div", { class: "widget-buttons nsp-score" });
  link = linkButton(NAME, () => ({ a: begin(this.pair.a), b: begin(this.pair.b) }));

  /** @param {HTMLElement} host */
  start(host) {
    this.stage.append(
      "Two passages from stories that the model has never seen: does B follow A, or does it come " +
        "from another story? You guess first, then the head does.",
    );
    this.actions.append(this.drawButton("Draw a pair", "main"), this.writeButton());
    this.showScore();
    onRemembered((name) => {
      if (name === null || name === NAME) this.showScore(); // redrawing it would lose the focus
    });
    followAddress(host, NAME, (state) => this.openLink(state));
  }

  /**
   * A button whose action returns the element to focus next.
   * @param {string} text
   * @param {(material: Material) => HTMLElement} action
   * @param {string} [kind]
   */
  step(text, action, kind) {
    return h("button", { type: "button", class: kind, onclick: () => this.use(action) }, text);
  }

  /**
   * @param {string} text
   * @param {string} [kind]
   */
  drawButton(text, kind) {
    return this.step(text, (material) => this.play(material), kind);
  }

  writeButton(text = "Write your own", kind = "") {
    return this.step(text, (material) => this.write(material), kind || undefined);
  }

  /** @param {HTMLElement[]} buttons */
  more(...buttons) {
    return h("span", { class: "nsp-more" }, ...buttons, this.link);
  }

  /**
   * Runs this once the model and the stories have loaded.
   * @param {(material: Material) => HTMLElement} action
   */
  async use(action, moveFocus = true) {
    const again = this.slot.querySelector("button"); // loading failed before
    if (again) return again.click();
    try {
      this.material ??= await this.load();
      const next = action(this.material);
      if (moveFocus) next.focus();
    } catch (error) {
      this.slot.replaceChildren(h("p", { class: "widget-error" }, messageOf(error)));
      announce(messageOf(error));
    }
  }

  /** @returns {Promise<Material>} */
  async load() {
    const texts = await fetchJSON("stories.json");
    readStories(texts, () => 0); // a damaged file needs no model
    const [model] = await getModels(this.slot, ["pretrained"]);
    const stories = readStories(texts, (text) => model.tokenizer.tokenize(text).length);
    const names = namesIn(stories.flatMap((story) => story.map(({ text }) => text)).join(" "));
    return { model, stories, names };
  }

  /**
   * What the address brings: a pair of the stories to guess, or one that a reader wrote.
   * @param {URLSearchParams} state
   */
  openLink(state) {
    const [a, b] = [begin(state.get("a") ?? ""), begin(state.get("b") ?? "")];
    this.use((material) => {
      this.pair = { a, b, label: labelOf(material.stories, a, b) };
      return this.pair.label === null ? this.write(material) : this.guess(material);
    }, false);
  }

  /** @param {Material} material */
  play(material) {
    const { stories, model } = material;
    this.pair = drawPair(stories, model.longest - 3, Math.random); // [CLS] and [SEP] take three
    return this.guess(material);
  }

  /**
   * Show a pair, and let the reader guess.
   * @param {Material} material
   */
  guess(material) {
    this.slot.replaceChildren();
    const pair = passages(this.pair);
    this.stage.replaceChildren(pair);
    this.result.replaceChildren(h("p", { class: "nsp-question" }, "Does B follow A?"));
    const guesses = /** @type {Label[]} */ ([IS_NEXT, IS_RANDOM]).map((label) =>
      this.step(LABELS[label], () => this.tell(material, label)),
    );
    this.actions.replaceChildren(...guesses, this.more());
    return pair;
  }

  /**
   * The truth, and what the reader, the head and a rule of one word say.
   * @param {Material} material
   * @param {Label} guess
   */
  tell({ model, names }, guess) {
    const { pair } = this;
    const label = pair.label ?? IS_NEXT; // a pair that is guessed has one
    const share = verdictOf(model, pair).share ?? 0; // and no empty passage
    const [head, word, truth] = [byHead(share), byOneWord(pair), TRUTHS[label]];
    const round = { label, guess, head, word, truth };
    remember(NAME, addRound(soundPoints(remembered(NAME, NOTHING)), round));
    this.result.replaceChildren(...told(round, share, clues(pair, names)));
    const again = this.drawButton("Another pair", "main");
    this.actions.replaceChildren(again, this.more(this.writeButton("Edit A and B", "quiet")));
    const [you, it] = [guess, head].map((said) => (said === label ? "right" : "wrong"));
    const probably = `with ${probability(share)} for is next`;
    announce(`You were ${you}. ${truth} The head was ${it}, ${probably}.`);
    return again;
  }

  /**
   * The reader's own passages: no label is known, and the score does not change.
   * @param {Material} material
   */
  write(material) {
    this.slot.replaceChildren();
    const areas = fields(() => {
      this.pair = read();
      judgeLater();
    });
    const judge = this.judgeOf(material);
    const judgeLater = whenQuiet(() => areas.a.isConnected && judge(this.pair));
    const read = () => ({ a: areas.a.value, b: areas.b.value, label: null });
    /** @type {(a: string, b: string, isSwapped?: boolean) => void} */
    const fill = (a, b, isSwapped) => {
      [areas.a.value, areas.b.value] = [a, b];
      this.pair = read();
      judge(this.pair, isSwapped);
    };
    const swap = () => fill(this.pair.b, this.pair.a, true);
    this.stage.replaceChildren(...labelled([areas.a, areas.b]));
    this.actions.replaceChildren(
      h("button", { type: "button", onclick: swap }, "Swap A and B"),
      this.drawButton("Draw a pair"),
      this.more(),
    );
    fill(this.pair.a, this.pair.b);
    return areas.a;
  }

  /**
   * Shows what the head says of passages; each letter moves the bars, but only a change of verdict
   * is announced.
   * @param {Material} material
   */
  judgeOf({ model, names }) {
    /** @type {Label | null} */
    let before = null;
    return (/** @type {import("./nsp/model.js").Shown} */ pair, anyway = false) => {
      const verdict = verdictOf(model, pair);
      const head = byHead(verdict.share ?? 0);
      this.result.replaceChildren(...judged(verdict, head, clues(pair, names)));
      if (anyway) before = null;
      if (verdict.share === null) return;
      const probably = `${probability(verdict.share)} for is next`;
      if (head !== before) announce(`The head says: ${LABELS[head]}, ${probably}.`);
      before = head;
    };
  }

  showScore() {
    const words = pointsInWords(soundPoints(remembered(NAME, NOTHING)));
    if (!words) return this.score.replaceChildren();
    const forget = () => this.forget();
    this.score.replaceChildren(
      h("span", {}, words),
      h("button", { type: "button", class: "quiet", onclick: forget }, "Reset the score"),
    );
  }

  forget() {
    remember(NAME, NOTHING);
    announce("The score is reset.");
    this.actions.querySelector("button")?.focus();
  }
}

/** @param {string} text */
const begin = (text) => text.slice(0, LONGEST);
