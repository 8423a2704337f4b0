/** Find the bug: the lines of the code are buttons, and one of them is the faulty one. */
import {
  adviceOn,
  afterChoice,
  isOver,
  lineAfterKey,
  nameOf,
  verdictOn,
  WORDS,
} from "./bugs/model.js";
import { box, makeButtons, partsOf } from "./bugs/view.js";
import { announce, breath, h } from "./dom.js";
import { isNew } from "./score/model.js";
import { headingOf, headingText, keepScore } from "./score.js";

/** @param {HTMLElement} host */
export async function mount(host) {
  /** @type {NodeListOf<HTMLElement>} */
  const parts = host.querySelectorAll(".piece");
  const headings = [...parts].map(headingOf);
  const pieces = headings.map((heading) => ({ id: heading.id, title: headingText(heading) }));
  /** @type {(() => void)[]} */
  const redraws = [];
  const score = keepScore(host, "bugs", pieces, WORDS, redraws);
  for (const [n, part] of parts.entries()) {
    const search = new Search(partsOf(part), pieces[n], score);
    redraws.push(() => search.redraw());
    await breath(); // preparing all pieces at once would block scrolling on a phone
  }
}

/** One piece: its code as buttons, with messages above it. */
class Search {
  says = h("p", {});
  act = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.goOn() });
  /** @type {HTMLDetailsElement | null} */
  next = null; // where `act` leads

  /**
   * @param {import("./bugs/view.js").Parts} parts
   * @param {import("./score.js").Piece} piece
   * @param {import("./score.js").Score} score
   */
  constructor({ blocks, hints, answer, opener, wanted }, { id, title }, score) {
    this.hints = hints;
    this.answer = answer;
    this.id = id;
    this.score = score;
    box(blocks, h("div", { class: "bug-says" }, this.says, this.act));
    this.lines = blocks.flatMap((block) => makeButtons(block, title));
    this.faulty = this.lines.findIndex((line) => line.textContent.includes(wanted));
    for (const [n, line] of this.lines.entries()) {
      // a double click counts once
      line.addEventListener("click", ({ detail }) => detail < 2 && this.choose(n));
      line.addEventListener("keydown", (event) => this.walk(event, n));
    }
    opener.addEventListener("click", () => this.lookUp());
    // opened before the buttons were there
    if (answer.open && !this.entry.done) this.score.set(id, { ...this.entry, shown: true });
    this.draw();
    this.say(null);
  }

  get entry() {
    return this.score.get(this.id);
  }

  /** @param {number} line */
  choose(line) {
    const before = this.entry;
    if (isOver(before)) return;
    const after = afterChoice(before, line, this.faulty);
    if (after !== before) this.score.set(this.id, after);
    if (line === this.faulty) this.answer.open = true;
    this.draw();
    this.say(line);
    announce(this.says.textContent);
  }

  /** The reader opened the answer without finding the line. */
  lookUp() {
    if (isOver(this.entry) || this.answer.open) return;
    this.score.set(this.id, { ...this.entry, shown: true });
    this.draw();
    this.say(null);
  }

  /** @param {number | null} line That was chosen just before. */
  say(line) {
    const hint = this.hints.find(({ open }) => !open);
    const { text, next } = adviceOn(this.entry, this.faulty, line, hint !== undefined);
    this.says.textContent = text;
    this.act.hidden = !next;
    this.act.textContent = next?.label ?? "";
    this.next = (next?.to === "hint" && hint) || this.answer;
  }

  goOn() {
    const summary = this.next?.querySelector("summary");
    if (!this.next?.open) summary?.click(); // as if the reader had opened it
    summary?.focus();
  }

  draw() {
    const { entry, faulty, lines } = this;
    const isHere = (/** @type {HTMLElement} */ line) => line === document.activeElement;
    const focused = isOver(entry) ? faulty : lines.findIndex(isHere);
    const stop = focused < 0 ? lines.findIndex(({ tabIndex }) => tabIndex === 0) : focused;
    this.makeStop(Math.max(0, stop));
    for (const [n, line] of lines.entries()) {
      const verdict = verdictOn(entry, n, faulty);
      line.className = verdict;
      line.setAttribute("aria-disabled", String(isOver(entry)));
      line.setAttribute("aria-label", nameOf(n, verdict, line.textContent));
    }
  }

  /**
   * One line can be reached with the tab key, the others from it with the arrow keys.
   * @param {number} stop
   */
  makeStop(stop) {
    for (const [n, line] of this.lines.entries()) line.tabIndex = n === stop ? 0 : -1;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} from
   */
  walk(event, from) {
    const to = lineAfterKey(event.key, from, this.lines.length);
    if (to === undefined) return;
    event.preventDefault();
    this.makeStop(to);
    this.lines[to].focus();
  }

  redraw() {
    if (isNew(this.entry)) {
      for (const details of [this.answer, ...this.hints]) details.open = false;
      this.makeStop(0);
    }
    this.draw();
    this.say(null);
  }
}
