/** How "put it in order" shows lines that can be moved: by mouse, finger, or with buttons. */
import { h } from "../dom.js";
import { cutIntoLines } from "../lines.js";

/**
 * What the page has of a puzzle.
 * @typedef {object} Parts
 * @property {string} name
 * @property {HTMLElement} shuffled The lines as text, for readers without scripts.
 * @property {HTMLDetailsElement} answer
 * @property {HTMLElement} opener The summary of the answer.
 * @property {HTMLElement[]} lines In the right order, with their colours: def first, return last.
 */

/**
 * @param {HTMLElement} puzzle
 * @returns {Parts}
 * @throws {Error} If something is not there.
 */
export function partsOf(puzzle) {
  /** @type {HTMLElement | null} */
  const shuffled = puzzle.querySelector(":scope > pre.output");
  /** @type {HTMLDetailsElement | null} */
  const answer = puzzle.querySelector(":scope > details.question");
  const opener = answer?.querySelector("summary");
  /** @type {HTMLElement | null | undefined} */
  const code = answer?.querySelector(".highlight code");
  const name = puzzle.dataset.name;
  if (!shuffled || !answer || !opener || !code || !name) {
    throw new Error("A puzzle lacks its lines, its answer, or its name.");
  }
  const lines = cutIntoLines(code).filter((line) => line.textContent.trim());
  return { name, shuffled, answer, opener, lines };
}

/** Lines that can be moved, between one that stays first and one that stays last. */
export class Lines {
  list = h("ol", { class: "puzzle-lines highlight" });

  /**
   * @param {HTMLElement[]} lines In the right order, without the first and the last.
   * @param {string} label
   * @param {(from: number, to: number, byButton: boolean) => void} onMove
   */
  constructor(lines, label, onMove) {
    this.onMove = onMove;
    this.list.setAttribute("aria-label", label);
    /** @type {HTMLElement[]} */
    this.rows = lines.map((line) => this.row(line));
    /** @type {number[]} */
    this.order = [];
  }

  /**
   * @param {HTMLElement} line
   * @returns {HTMLElement}
   */
  row(line) {
    const text = line.textContent.trim();
    const code = h("code", {}, ...line.cloneNode(true).childNodes);
    /** @type {HTMLElement} */
    const row = h(
      "li",
      { onpointerdown: (/** @type {PointerEvent} */ event) => this.drag(event, row) },
      h("span", { class: "puzzle-grip", "aria-hidden": "true" }, "⠿"),
      code,
      this.button(`Move up: ${text}`, "▲", -1, () => row),
      this.button(`Move down: ${text}`, "▼", 1, () => row),
    );
    code.style.setProperty("--in", `${line.textContent.search(/\S/)}ch`);
    return row;
  }

  /**
   * @param {string} label
   * @param {string} sign
   * @param {1 | -1} by
   * @param {() => HTMLElement} row
   */
  button(label, sign, by, row) {
    const onclick = () => {
      const from = this.placeOf(row());
      const to = from + by;
      if (to >= 0 && to < this.order.length) this.move(from, to, true);
    };
    return h("button", { type: "button", class: "quiet", "aria-label": label, onclick }, sign);
  }

  /** @param {HTMLElement} row */
  placeOf = (row) => this.order.indexOf(this.rows.indexOf(row));

  /**
   * Moves the neighbour, so that the line itself stays in the page with its focus.
   * @param {number} from
   * @param {number} to A neighbour of it.
   * @param {boolean} byButton
   */
  move(from, to, byButton) {
    const [row, other] = [from, to].map((place) => this.rows[this.order[place]]);
    if (to > from) row.before(other);
    else row.after(other);
    this.onMove(from, to, byButton);
  }

  /**
   * With a mouse the whole line is a handle; a finger on the line itself scrolls.
   * @param {PointerEvent} event
   * @param {HTMLElement} row
   */
  drag(event, row) {
    const target = /** @type {Element} */ (event.target);
    const grips = event.pointerType === "mouse" ? "li" : ".puzzle-grip";
    if (event.button || target.closest("button") || !target.closest(grips)) return;
    event.preventDefault(); // no selection of text
    row.setPointerCapture(event.pointerId);
    row.classList.add("dragged");
    const follow = (/** @type {PointerEvent} */ { clientY }) => this.follow(row, clientY);
    const drop = () => {
      row.classList.remove("dragged");
      row.removeEventListener("pointermove", follow);
    };
    row.addEventListener("pointermove", follow);
    row.addEventListener("lostpointercapture", drop, { once: true });
  }

  /**
   * @param {HTMLElement} row
   * @param {number} y Of the pointer.
   */
  follow(row, y) {
    const middle = (/** @type {number} */ place) => {
      const { top, height } = this.rows[this.order[place]].getBoundingClientRect();
      return top + height / 2;
    };
    let place = this.placeOf(row);
    for (; place > 0 && y < middle(place - 1); place--) this.move(place, place - 1, false);
    const last = this.order.length - 1;
    for (; place < last && y > middle(place + 1); place++) this.move(place, place + 1, false);
  }

  /**
   * @param {number[]} order
   * @param {number | null} blamed The place of a line.
   */
  draw(order, blamed) {
    const rows = order.map((line) => this.rows[line]);
    if (rows.some((row, n) => this.list.children[n] !== row)) this.list.replaceChildren(...rows);
    this.order = order;
    for (const [n, row] of rows.entries()) {
      row.classList.toggle("blamed", n === blamed);
      const [up, down] = row.querySelectorAll("button");
      up.setAttribute("aria-disabled", String(n === 0));
      down.setAttribute("aria-disabled", String(n === rows.length - 1));
    }
  }
}
