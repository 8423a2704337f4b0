/** Put it in order: the lines of a function are moved, and the build knows what each order does. */
import { fetchJSON } from "../bert/model.js";
import { announce, breath, h } from "./dom.js";
import {
  afterCheck,
  isOver,
  messageOn,
  moved,
  orderToShow,
  rankOf,
  verdictOn,
  WORDS,
} from "./order/model.js";
import { Lines, partsOf } from "./order/view.js";
import { isNew } from "./score/model.js";
import { headingOf, headingText, keepScore } from "./score.js";

/** @param {HTMLElement} host */
export async function mount(host) {
  const puzzles = /** @type {Record<string, import("./order/model.js").Puzzle>} */ (
    await fetchJSON("order.json")
  );
  /** @type {NodeListOf<HTMLElement>} */
  const parts = host.querySelectorAll(".puzzle");
  const headings = [...parts].map(headingOf);
  const pieces = headings.map((heading) => ({ id: heading.id, title: headingText(heading) }));
  /** @type {(() => void)[]} */
  const redraws = [];
  const score = keepScore(host, "order", pieces, WORDS, redraws);
  for (const [n, part] of parts.entries()) {
    const found = partsOf(part);
    const ordering = new Ordering(found, puzzles[found.name], pieces[n], score);
    redraws.push(() => ordering.redraw());
    await breath(); // preparing all of them at once would block scrolling on a phone
  }
}

/** One puzzle: the lines, a button, a message, and what the order computes. */
class Ordering {
  says = h("p", {});
  computes = h("pre", { class: "output", tabindex: 0, "aria-label": "What your order computes" });
  /** @type {import("./order/model.js").Verdict | null} */
  verdict = null;

  /**
   * @param {import("./order/view.js").Parts} parts
   * @param {import("./order/model.js").Puzzle} puzzle
   * @param {import("./score.js").Piece} piece
   * @param {import("./score.js").Score} score
   */
  constructor({ shuffled, answer, opener, lines }, puzzle, { id, title }, score) {
    this.puzzle = puzzle;
    this.answer = answer;
    this.id = id;
    this.score = score;
    this.order = orderToShow(puzzle, this.entry);
    this.lines = new Lines(lines.slice(1, -1), title, this.move);
    const check = h("button", { type: "button", onclick: this.check }, "Check");
    const still = (/** @type {HTMLElement} */ line) =>
      h(
        "p",
        { class: "puzzle-still highlight" },
        h("code", {}, ...line.cloneNode(true).childNodes),
      );
    shuffled.replaceWith(
      h(
        "div",
        { class: "puzzle-box" },
        still(lines[0]),
        this.lines.list,
        still(lines[lines.length - 1]),
        h("div", { class: "puzzle-check" }, check, this.says),
        this.computes,
      ),
    );
    opener.addEventListener("click", () => this.lookUp());
    // opened before the lines could be moved
    if (answer.open && !this.entry.done) this.score.set(id, { ...this.entry, shown: true });
    this.draw();
  }

  get entry() {
    return this.score.get(this.id);
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {boolean} byButton
   */
  move = (from, to, byButton) => {
    this.order = moved(this.order, from, to);
    this.verdict = null;
    this.draw();
    if (byButton) announce(`Now line ${to + 1} of ${this.order.length}`);
  };

  check = () => {
    this.verdict = verdictOn(this.puzzle, this.order);
    const before = this.entry;
    const after = afterCheck(before, rankOf(this.order), this.verdict.right);
    if (after !== before) this.score.set(this.id, after);
    this.draw();
    announce(this.says.textContent);
  };

  /** The reader opened the answer without having found an order. */
  lookUp() {
    if (isOver(this.entry) || this.answer.open) return;
    this.score.set(this.id, { ...this.entry, shown: true });
    this.draw();
  }

  draw() {
    const { verdict } = this;
    this.lines.draw(this.order, verdict?.line ?? null);
    this.says.textContent = messageOn(this.entry, verdict);
    this.computes.textContent = verdict?.computes ?? "";
    this.computes.hidden = !verdict?.computes;
    const widths = (verdict?.computes ?? "").split("\n").map(({ length }) => length);
    this.computes.style.setProperty("--columns", String(Math.max(38, ...widths)));
  }

  /** What is kept has changed: in another window, or by starting over. */
  redraw() {
    if (isNew(this.entry)) this.answer.open = false;
    this.order = orderToShow(this.puzzle, this.entry);
    this.verdict = null;
    this.draw();
  }
}
