/** How the trace looks: the dots, the reader's input, what a step shows. */
import { h } from "../dom.js";
import { codeBlock } from "./code.js";
import { turnOf } from "./model.js";
import { caption } from "./pictures.js";
import { isClassified } from "./walk.js";

/** @typedef {import("./steps.js").Step} Step */
/** @typedef {import("./walk.js").Walk} Walk */
/** @typedef {import("./walk.js").Walked} Walked */

/** A sign beside a word that says the same. */
export const arrow = (/** @type {string} */ sign) => h("span", { "aria-hidden": "true" }, sign);

/** One dot for each step. The Tab key stops at one of them, arrows lead to the others. */
export class Dots {
  /**
   * @param {Step[]} steps
   * @param {(n: number) => void} go
   */
  constructor(steps, go) {
    this.steps = steps;
    this.buttons = steps.map(({ name }, n) => {
      const label = `Step ${n + 1}: ${name}`;
      return h("button", {
        type: "button",
        "aria-label": label,
        title: label,
        onclick: () => go(n),
      });
    });
    const items = this.buttons.map((button, n) => {
      const isLast = steps[n + 1]?.stage !== steps[n].stage;
      return h("li", { class: isLast && "last" }, button);
    });
    this.element = h("ol", { class: "dots", "aria-label": "Steps" }, items);
  }

  /**
   * @param {number} at
   * @param {boolean} isOwn Some steps are then not the reader's.
   */
  show(at, isOwn) {
    this.buttons.forEach((button, n) => {
      button.tabIndex = n === at ? 0 : -1;
      button.className = isOwn && this.steps[n].needs === "gradient" ? "dot walked-only" : "dot";
      if (n === at) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
  }
}

/**
 * Where a reader writes.
 * @param {HTMLTextAreaElement} field
 * @param {HTMLElement} drawn
 * @param {HTMLElement} slot
 * @param {() => void} drawAgain
 */
export const ownPanel = (field, drawn, slot, drawAgain) =>
  h(
    "div",
    { class: "own" },
    h("label", { for: field.id }, "One sentence, or two in a row"),
    field,
    h(
      "div",
      { class: "widget-buttons" },
      h("button", { type: "button", class: "quiet", onclick: drawAgain }, "Draw again"),
      drawn,
    ),
    slot,
  );

/**
 * The picture of a step, its words, its code; a sentence where there is no picture.
 * @param {Step} step
 * @param {Walk | null} walk Null until it has been computed.
 * @param {Walked} walked The page's, which has the gradient.
 * @param {string} text The reader's.
 */
export function contentOf(step, walk, walked, text) {
  if (step.needs === "gradient") return content(step, walked, walk !== walked);
  if (!walk) return [caption(text.trim() ? "One moment …" : "Write a sentence first.")];
  if (step.needs !== "classes") return content(step, walk);
  return isClassified(walk) ? content(step, walk) : [caption("One moment …")];
}

/**
 * @template Needed
 * @param {import("./steps.js").StepOf<Needed>} step
 * @param {Needed} walk
 */
function content(step, walk, isBorrowed = false) {
  const note =
    "This step needs the gradient, which the page does not compute for your sentences. " +
    "The numbers are those of the walked input.";
  const parts = [
    h("p", {}, step.words(walk)),
    isBorrowed ? h("p", { class: "borrowed" }, note) : null,
    h("figure", { role: "group", "aria-label": step.alt(walk) }, step.picture(walk)),
    codeBlock(step),
  ];
  return parts.filter((part) => part !== null);
}

/**
 * Calls `turn` with 1 or -1 when a finger swipes over an element.
 * @param {HTMLElement} element
 * @param {(by: number) => void} turn
 */
export function onSwipe(element, turn) {
  /** @type {PointerEvent | null} */
  let down = null;
  element.addEventListener("pointerdown", (event) => {
    down = event.pointerType === "touch" && event.isPrimary ? event : null;
  });
  element.addEventListener("pointerup", (event) => {
    if (!down || event.pointerId !== down.pointerId) return;
    const by = turnOf(event.clientX - down.clientX, event.clientY - down.clientY);
    down = null;
    if (by) turn(by);
  });
  element.addEventListener("pointercancel", () => {
    down = null; // the page scrolls instead
  });
}
