/** Where a reader labels: the names of the classes, a sentence at a time, and the list of them. */
import { announce, h } from "../dom.js";
import { withMarks } from "./marks.js";
import { kindOf, MOST, MOST_KINDS, nameOf, sentenceOf, setAside, wordsOf } from "./sets.js";

/** @typedef {import("./sets.js").LabelledSet} LabelledSet */
/** @typedef {import("./sets.js").Row} Row */
/** @typedef {import("./sets.js").Task} Task */

const HEADS = { sentences: "Label a sentence", words: "Mark the words in a sentence" };

export class Labels {
  names = h("div", { class: "tune-names" });
  text = h("textarea", { rows: 2, dir: "auto", spellcheck: "false" });
  choices = h("div", { class: "tune-choices", role: "group", "aria-label": "Your label" });
  count = h("p", { class: "tune-count" });
  list = h("ul", { class: "tune-list" });
  /** @type {Set<number>} The marked words of the sentence in the field. */
  marks = new Set();
  drawn = false; // whether the sentence in the field came from the stories

  /**
   * @param {Task} task
   * @param {LabelledSet} set
   * @param {() => Promise<string | null>} draw Gives a sentence from the stories.
   * @param {(set: LabelledSet) => void} onChange
   */
  constructor(task, set, draw, onChange) {
    this.task = task;
    this.set = set;
    this.draw = draw;
    this.onChange = onChange;
    this.text.id = `fine-tuning-${task}`;
    this.text.addEventListener("input", () => this.typed());
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault(); // a sentence has no second line
      if (task === "words") this.add(0);
      else this.choices.querySelector("button")?.focus();
    });
  }

  elements() {
    const draw = h(
      "button",
      { type: "button", class: "quiet", onclick: () => this.drawOne() },
      "Draw one from the stories",
    );
    return [
      this.names,
      h("label", { for: this.text.id }, HEADS[this.task]),
      h("div", { class: "tune-field" }, this.text, draw),
      this.choices,
      this.count,
      this.list,
    ];
  }

  /**
   * Another set instead of this one.
   * @param {LabelledSet} set
   */
  show(set) {
    this.set = set;
    this.drawNames();
    this.drawChoices();
    this.drawRows();
  }

  /** @param {Partial<LabelledSet>} changes */
  change(changes) {
    this.set = { ...this.set, ...changes };
    this.drawRows();
    this.onChange(this.set);
  }

  drawNames() {
    const { kinds } = this.set;
    const fields = kinds.map((kind, n) => {
      const id = `fine-tuning-${this.task}-kind-${n}`;
      const field = h("input", { id, type: "text", value: kind, size: 12, maxlength: 24 });
      field.addEventListener("input", () => {
        const named = [...this.set.kinds];
        named[n] = nameOf(field.value);
        this.change({ kinds: named });
        this.drawChoices();
      });
      const words = this.task === "words" ? "Mark each" : `Class ${n + 1}`;
      return h("span", {}, h("label", { for: id }, words), field);
    });
    const more = h(
      "button",
      { type: "button", class: "quiet", onclick: () => this.addKind() },
      "Add a class",
    );
    const isFull = this.task === "words" || kinds.length >= MOST_KINDS;
    this.names.replaceChildren(...fields, ...(isFull ? [] : [more]));
  }

  addKind() {
    this.change({ kinds: [...this.set.kinds, ""] });
    this.drawNames();
    this.drawChoices();
    [...this.names.querySelectorAll("input")].at(-1)?.focus();
  }

  async drawOne() {
    const text = await this.draw();
    if (text === null) return;
    this.text.value = text;
    this.typed();
    this.drawn = true;
    this.choices.querySelector("button")?.focus(); // the next thing to do
  }

  typed() {
    this.drawn = false;
    this.marks.clear();
    this.drawChoices();
  }

  /** What the reader can say of the sentence in the field. */
  drawChoices() {
    const text = sentenceOf(this.text.value);
    this.choices.hidden = text === "";
    if (this.task === "sentences") {
      const buttons = this.set.kinds.map((_, label) =>
        h("button", { type: "button", onclick: () => this.add(label) }, kindOf(this.set, label)),
      );
      return this.choices.replaceChildren("It is ", ...buttons);
    }
    const words = wordsOf(text).map(({ start, end }, n) => {
      const toggle = () => {
        if (!this.marks.delete(n)) this.marks.add(n);
        button.setAttribute("aria-pressed", String(this.marks.has(n)));
      };
      const attributes = { type: "button", class: "tune-word", "aria-pressed": false };
      const button = h("button", { ...attributes, onclick: toggle }, text.slice(start, end));
      button.setAttribute("aria-pressed", "false");
      return button;
    });
    const add = () => this.add(0);
    this.choices.replaceChildren(
      ...words,
      h("button", { type: "button", class: "main", onclick: add }, "Add it"),
    );
  }

  /**
   * The sentence in the field, with its label, into the list; the next one may come.
   * @param {number} label
   */
  async add(label) {
    const text = sentenceOf(this.text.value);
    if (text === "") return;
    if (this.set.rows.length >= MOST) {
      announce(`These are ${MOST} sentences, as many as fit. Remove one first.`);
      return;
    }
    const row = { text, label, marks: [...this.marks].sort((a, b) => a - b) };
    this.change({ rows: [row, ...this.set.rows] });
    const again = this.drawn;
    this.text.value = "";
    this.typed();
    if (again) await this.drawOne();
    else this.text.focus();
  }

  drawRows() {
    const { rows } = this.set;
    const aside = setAside(this.task, this.set);
    this.count.replaceChildren(...countOf(rows.length, aside.size));
    this.list.hidden = rows.length === 0;
    this.list.replaceChildren(...rows.map((row, n) => this.rowOf(row, n, aside.has(row))));
  }

  /**
   * @param {Row} row
   * @param {number} n
   * @param {boolean} isAside
   */
  rowOf(row, n, isAside) {
    const { set } = this;
    const remove = () => {
      this.change({ rows: set.rows.filter((other) => other !== row) });
      const buttons = this.list.querySelectorAll(".tune-remove");
      const next = /** @type {HTMLElement | undefined} */ (
        buttons[Math.min(n, buttons.length - 1)]
      );
      (next ?? this.text).focus();
    };
    const note = isAside && h("span", { class: "quietly" }, " held out");
    return h(
      "li",
      {},
      this.task === "sentences" ? this.labelOf(row, n) : null,
      h(
        "span",
        { class: "tune-text", dir: "auto" },
        ...withMarks(row.text, spansOf(row)),
        note || null,
      ),
      h(
        "button",
        {
          type: "button",
          class: "quiet tune-remove",
          "aria-label": `Remove: ${row.text}`,
          onclick: remove,
        },
        "×",
      ),
    );
  }

  /**
   * The label of a row, which a click changes to the next one.
   * @param {Row} row
   * @param {number} n
   */
  labelOf(row, n) {
    const next = () => {
      const label = (row.label + 1) % this.set.kinds.length;
      this.change({ rows: this.set.rows.map((r) => (r === row ? { ...row, label } : r)) });
      /** @type {HTMLElement | undefined} */ (
        this.list.querySelectorAll(".tune-label")[n]
      )?.focus();
    };
    const name = kindOf(this.set, row.label);
    return h(
      "button",
      {
        type: "button",
        class: `tune-label kind-${row.label}`,
        title: "Change the label",
        onclick: next,
      },
      name,
    );
  }
}

/**
 * @param {number} rows
 * @param {number} aside
 */
function countOf(rows, aside) {
  const counted = `${rows} of at most ${MOST} sentences`;
  if (aside === 0) return [counted];
  return [`${counted}; ${aside} of them are held out, to measure on.`];
}

/**
 * The marked words of a row.
 * @param {Row} row
 */
function spansOf({ text, marks }) {
  const words = wordsOf(text);
  return marks.map((n) => words[n]);
}
