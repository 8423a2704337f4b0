/** How "find the bug" changes the page: code becomes buttons, a box holds it with the message. */
import { h } from "../dom.js";
import { cutIntoLines } from "../lines.js";

/**
 * What the page has of a piece.
 * @typedef {object} Parts
 * @property {HTMLElement[]} blocks Of code.
 * @property {HTMLDetailsElement[]} hints
 * @property {HTMLDetailsElement} answer
 * @property {HTMLElement} opener The summary of the answer.
 * @property {string} wanted What only the faulty line contains.
 */

/**
 * @param {HTMLElement} piece
 * @returns {Parts}
 * @throws {Error} If something is not there.
 */
export function partsOf(piece) {
  /** @type {NodeListOf<HTMLElement>} */
  const blocks = piece.querySelectorAll(":scope > .highlight");
  /** @type {NodeListOf<HTMLDetailsElement>} */
  const hints = piece.querySelectorAll(":scope > details.hint");
  /** @type {HTMLDetailsElement | null} */
  const answer = piece.querySelector(":scope > details.question");
  const opener = answer?.querySelector("summary");
  const wanted = piece.dataset.line;
  if (!blocks.length || !answer || !opener || wanted === undefined) {
    throw new Error("A piece lacks its code, its answer, or its faulty line.");
  }
  return { blocks: [...blocks], hints: [...hints], answer, opener, wanted };
}

/**
 * Puts the code into one box with a message, which stays in view as long as the code does.
 * @param {HTMLElement[]} blocks
 * @param {HTMLElement} message
 */
export function box(blocks, message) {
  const area = h("div", { class: "bug-code" }, message);
  const last = blocks[blocks.length - 1];
  blocks[0].before(area);
  while (area.nextSibling && area.lastChild !== last) area.append(area.nextSibling);
}

/**
 * Makes each line of a block a button, and returns them.
 * @param {HTMLElement} block
 * @param {string} title
 */
export function makeButtons(block, title) {
  const code = block.querySelector("code");
  if (!code) return [];
  /** @type {HTMLButtonElement[]} */
  const buttons = [];
  const lines = cutIntoLines(code).map((line) => {
    if (!line.textContent.trim()) return line.textContent;
    const button = h("button", { type: "button" }, ...line.childNodes);
    buttons.push(button);
    return button;
  });
  code.replaceChildren(...lines.flatMap((line, n) => (n ? ["\n", line] : [line])));
  code.setAttribute("role", "group");
  code.setAttribute("aria-label", `${title}: use the arrow keys to move between lines`);
  return buttons;
}
