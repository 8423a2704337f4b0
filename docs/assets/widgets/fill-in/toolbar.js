/** The tokens as a toolbar: the Tab key stops at one of them, arrows lead to the others. */
import { h } from "../dom.js";
import { row } from "../tokens.js";
import { canBeHidden, MASK } from "./model.js";
import { chipOf } from "./view.js";

/** @typedef {import("./model.js").Piece} Piece */

export class Toolbar {
  /** @type {Piece[]} */
  tokens = [];
  /** @type {Set<number>} Indices of tokens. */
  hidden = new Set();
  /** @type {Map<number, HTMLButtonElement>} By the index of the token. */
  buttons = new Map();
  element = h("div", { onkeydown: (/** @type {KeyboardEvent} */ event) => this.moveFocus(event) });

  /** @param {(place: number) => void} toggle Is called when a token is pressed. */
  constructor(toggle) {
    this.toggle = toggle;
  }

  /** @param {number} place */
  isMasked(place) {
    return this.hidden.has(place) || this.tokens[place].piece === MASK;
  }

  maskedPlaces() {
    return [...this.tokens.keys()].filter((place) => this.isMasked(place));
  }

  /**
   * Other tokens, of which those are hidden that can be.
   * @param {Piece[]} tokens
   * @param {Iterable<number>} hidden
   */
  show(tokens, hidden) {
    this.tokens = tokens;
    this.hidden = new Set([...hidden].filter((place) => canBeHidden(tokens[place])));
    const hadFocus = this.element.contains(document.activeElement);
    const drawn = row();
    drawn.setAttribute("role", "toolbar");
    drawn.setAttribute("aria-label", "Tokens");
    this.buttons = new Map();
    for (const [place, token] of tokens.entries()) {
      if (canBeHidden(token)) this.addButton(place);
      drawn.append(this.buttons.get(place) ?? chipOf(token, this.isMasked(place)));
    }
    this.element.replaceChildren(drawn);
    const stop = [...this.hidden, ...this.buttons.keys()][0];
    this.makeStop(stop);
    return hadFocus ? this.buttons.get(stop) : null;
  }

  /** @param {number} place */
  addButton(place) {
    const button = h("button", { type: "button", onclick: () => this.toggle(place) });
    button.addEventListener("focus", () => this.makeStop(place));
    this.buttons.set(place, button);
    this.redraw(place);
  }

  /**
   * Change a button in place, so that it keeps the focus.
   * @param {number} place
   */
  redraw(place) {
    const button = this.buttons.get(place);
    const drawn = chipOf(this.tokens[place], this.isMasked(place));
    if (!button) return;
    button.className = drawn.className;
    button.replaceChildren(...drawn.childNodes);
    button.setAttribute("aria-pressed", String(this.hidden.has(place)));
  }

  /** @param {number} place */
  makeStop(place) {
    for (const [other, button] of this.buttons) button.tabIndex = other === place ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  moveFocus(event) {
    const from = /** @type {HTMLButtonElement} */ (event.target);
    const all = [...this.buttons.values()];
    const at = all.indexOf(from);
    /** @type {Record<string, () => HTMLElement | undefined>} */
    const targets = {
      ArrowLeft: () => all[at - 1],
      ArrowRight: () => all[at + 1],
      ArrowUp: () => onNextLine(from, all.slice(0, at).reverse()),
      ArrowDown: () => onNextLine(from, all.slice(at + 1)),
      Home: () => all[0],
      End: () => all.at(-1),
    };
    const target = targets[event.key];
    if (!target || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // else the page would scroll as well
    target()?.focus();
  }
}

/**
 * The nearest button on the first other line among these, which lead away from one.
 * @param {HTMLElement} from
 * @param {HTMLElement[]} others
 */
function onNextLine(from, others) {
  const middle = (/** @type {HTMLElement} */ element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  };
  const here = middle(from);
  const elsewhere = others.filter((other) => Math.abs(middle(other).y - here.y) > 4);
  if (!elsewhere.length) return undefined;
  const line = elsewhere.filter((other) => Math.abs(middle(other).y - middle(elsewhere[0]).y) <= 4);
  const distance = (/** @type {HTMLElement} */ other) => Math.abs(middle(other).x - here.x);
  return line.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}
