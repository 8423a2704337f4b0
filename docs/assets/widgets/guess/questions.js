/** The claims of a page as questions: their numbers and outputs are covered until the guess. */
import { announce, h } from "../dom.js";
import { keepGuess, readGuesses, sidesOf } from "./kept.js";
import { numberIn, verdictOn } from "./model.js";

const ROOT = new URL("../../../", import.meta.url);
const HELP = "Type a number, such as 0.5 or 50%.";

/** @type {Claims[]} */
let open = [];
/** @type {Promise<unknown> | undefined} */
let style;

/** Ask for every number of the page that was not asked for before. */
export async function ask() {
  style ??= addStyle();
  await style;
  const lists = document.querySelectorAll(".claims:has(data)");
  open = [...lists].map((list) => new Claims(list));
}

/** Show everything as it is without questions. */
export function stop() {
  for (const claims of open) claims.restore();
  open = [];
}

function addStyle() {
  return new Promise((resolve) => {
    const href = new URL("../guess.css", import.meta.url).href;
    const link = h("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve });
    document.head.append(link);
  });
}

/** The claims of one cell, below what the cell has shown. */
class Claims {
  /** @param {Element} list */
  constructor(list) {
    const kept = readGuesses();
    /** @type {NodeListOf<HTMLDataElement>} */
    const all = list.querySelectorAll("data");
    this.numbers = [...all].map((data) => ({ data, text: data.textContent }));
    /** @type {Question[]} */
    this.questions = [];
    for (const data of all) {
      const claim = data.closest("li");
      if (!claim || data.classList.contains("again")) continue;
      this.questions.push(new Question(claim, data, kept.get(claim.id), () => this.settle()));
    }
    this.cover = coverOf(list, () => this.giveUp());
    this.settle();
  }

  /** Once all is guessed, everything is shown. */
  settle() {
    const left = this.questions.filter(({ isOpen }) => isOpen);
    for (const { data, text } of this.numbers) {
      const hidden = left.some((each) => each.data === data);
      const again = data.classList.contains("again") && left.length > 0;
      data.textContent = hidden || again ? "?" : text;
    }
    if (!left.length) this.cover.lift();
  }

  giveUp() {
    const left = this.questions.filter(({ isOpen }) => isOpen);
    for (const question of left) question.close(null);
    left[0]?.said.focus();
  }

  restore() {
    for (const question of this.questions) question.remove();
    for (const { data, text } of this.numbers) data.textContent = text;
    this.cover.lift();
  }
}

/** One number: a field below the claim, then what has become of the guess. */
class Question {
  /**
   * @param {HTMLElement} claim
   * @param {HTMLDataElement} data
   * @param {import("./model.js").Kept | undefined} kept
   * @param {() => void} onClose
   */
  constructor(claim, data, kept, onClose) {
    this.id = claim.id;
    this.data = data;
    this.onClose = onClose;
    this.isOpen = !kept;
    this.said = h("span", { class: "guessed", tabindex: -1 });
    if (kept) this.say(kept);
    this.field = h("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      "aria-label": `Your guess: ${sentenceOf(claim)}`,
    });
    this.help = h("span", { class: "guess-help" });
    const show = () => this.close(null, true);
    this.form = h(
      "form",
      { class: "guess-form", onsubmit: this.submit },
      this.field,
      h("button", { type: "submit" }, "Guess"),
      h("button", { type: "button", class: "quiet", onclick: show }, "Show the number"),
      this.help,
    );
    claim.append(" ", kept ? this.said : this.form);
  }

  /** @param {Event} event */
  submit = (event) => {
    event.preventDefault();
    const guess = numberIn(this.field.value);
    if (guess === null) {
      this.help.textContent = HELP;
      this.field.setAttribute("aria-invalid", "true");
      this.field.focus();
      announce(HELP);
    } else this.close(guess, true);
  };

  /**
   * @param {number | null} guess
   * @param {boolean} [focus]
   */
  close(guess, focus = false) {
    const kept = { guess, ...sidesOf(this.data) };
    keepGuess(this.id, kept);
    this.isOpen = false;
    this.say(kept);
    this.form.replaceWith(this.said);
    this.onClose();
    if (focus) this.said.focus(); // the button has gone
    announce(`${this.data.textContent}: ${verdictOn(kept)}`);
  }

  /** @param {import("./model.js").Kept} kept */
  say(kept) {
    const all = h("a", { href: new URL("checks.html#guess-first", ROOT).href }, "All your guesses");
    this.said.replaceChildren(`${verdictOn(kept)}. `, all);
  }

  remove() {
    this.form.remove();
    this.said.remove();
  }
}

/**
 * What a claim says, without its numbers.
 * @param {Element} claim
 */
function sentenceOf(claim) {
  const copy = /** @type {Element} */ (claim.cloneNode(true));
  for (const rest of copy.querySelectorAll(".sign, code:has(data)")) rest.remove();
  return copy.textContent.trim();
}

/**
 * Covers what the page has shown since its last heading or claims, each part in its own room.
 * @param {Element} list
 * @param {() => void} onShow
 */
function coverOf(list, onShow) {
  /** @type {Element[]} */
  const shown = [];
  let before = list.previousElementSibling;
  while (before && !before.matches("h1, h2, h3, .claims")) {
    if (before.matches("pre.output, figure.chart")) shown.push(before);
    before = before.previousElementSibling;
  }
  const boxes = shown.map((element) => {
    const button = h("button", { type: "button", onclick: onShow }, "Show it");
    const word = h("p", { class: "cover" }, "Hidden until you have guessed. ", button);
    const box = h("div", { class: "covered" }, word);
    element.before(box);
    box.append(element);
    return () => box.isConnected && box.replaceWith(element);
  });
  return { lift: () => boxes.forEach((uncover) => void uncover()) };
}
