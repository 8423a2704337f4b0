/** How the masking playground looks: elements made of a state or a draw. */
import { h } from "../dom.js";
import { fixed, percent, probability } from "../numbers.js";
import { bar, chip, FATES, row } from "../tokens.js";
import { countOf, MANY, RECIPES } from "./model.js";

/** @typedef {import("../../bert/model.js").Model} Model */
/** @typedef {import("../../bert/tokenizer.js").Token} Token */
/** @typedef {import("./model.js").Drawn} Drawn */
/** @typedef {import("./model.js").Guess} Guess */
/** @typedef {import("./model.js").Judged} Judged */
/** @typedef {import("./model.js").Shares} Shares */
/** @typedef {import("./model.js").State} State */
/** @typedef {keyof typeof FATES} Named A fate that has a sign. */

const NAME = "masking";

/** The sliders with their numbers, and the recipes of the paper; `show` sets them all. */
export class Controls {
  /**
   * @param {(changes: Partial<Pick<State, "select" | "mask" | "random" | "last">>) => void} change
   * @param {string} name Of the widget: begins the elements' ids.
   */
  constructor(change, name = NAME) {
    this.select = slider(name, "select", "Of all tokens, select", (select) => change({ select }));
    this.mask = slider(name, "masked", "become [MASK]", (mask) => change({ mask, last: "mask" }));
    this.random = slider(name, "random", "become a random token", (random) =>
      change({ random, last: "random" }),
    );
    this.kept = restOf("kept", "are kept: the rest");
    this.recipes = RECIPES.map((recipe) =>
      recipeButton(recipe, () => change({ mask: recipe.mask, random: recipe.random })),
    );
    this.elements = [
      h("div", { class: "masking-shares" }, this.select.row),
      h(
        "div",
        { class: "masking-shares", role: "group", "aria-labelledby": `${name}-fates` },
        h("p", { id: `${name}-fates`, class: "masking-head" }, "Of the selected tokens"),
        this.mask.row,
        this.random.row,
        this.kept.row,
      ),
      h(
        "div",
        { role: "group", "aria-labelledby": `${name}-recipes` },
        h(
          "p",
          { id: `${name}-recipes`, class: "masking-head" },
          "The recipes of the paper ",
          h("span", { class: "masking-quiet" }, "(Devlin et al. 2019, Table 8)"),
        ),
        h("div", { class: "masking-recipes" }, ...this.recipes),
      ),
    ];
  }

  /**
   * @param {number} selected In percent.
   * @param {Shares} shares
   */
  show(selected, shares) {
    const together = `${shares.masked}% masked, ${shares.random}% random, ${shares.kept}% kept`;
    this.select.set(selected, `${selected}%`);
    this.mask.set(shares.masked, together);
    this.random.set(shares.random, together);
    this.kept.set(shares.kept);
    RECIPES.forEach((recipe, n) => {
      const same = recipe.mask === shares.masked && recipe.random === shares.random;
      this.recipes[n].setAttribute("aria-pressed", String(same));
    });
  }
}

/** @param {HTMLElement} counts The body of the table. */
export function countsTable(counts) {
  const columns = ["expected", "this draw", `${MANY.toLocaleString("en")} draws`];
  const heads = columns.map((name) => h("th", { scope: "col" }, name));
  return h(
    "table",
    { class: "masking-counts" },
    h("caption", {}, "Expected and measured"),
    h("thead", {}, h("tr", {}, h("td"), ...heads)),
    counts,
  );
}

/**
 * The rows of the table: what is expected, what this draw gave, and what many draws gave.
 * @param {Drawn} drawn
 * @param {ReturnType<typeof countOf> | null} many Null while they are counted.
 */
export function countsRows({ fates, candidates, recipe, shares }, many) {
  const one = countOf(fates);
  /** @type {(part: number, all: number) => string} */
  const ofMany = (part, all) => (all ? percent(part / all, 1) : "none");
  const selected = many ? ofMany(many.selected, MANY * candidates) : "…";
  return [
    countsRow(["selected"], recipe.select, one.selected, candidates, selected),
    ...namedFates().map((fate) => {
      const measured = many ? ofMany(many[fate], many.selected) : "…";
      return countsRow(signed(fate, fate), shares[fate] / 100, one[fate], one.selected, measured);
    }),
  ];
}

/**
 * @param {(HTMLElement | string)[]} name
 * @param {number} expected
 * @param {number} measured
 * @param {number} all
 * @param {string} measuredInMany
 */
function countsRow(name, expected, measured, all, measuredInMany) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, name),
    h("td", {}, percent(expected)),
    h("td", {}, all ? `${measured} of ${all}` : "none"),
    h("td", {}, measuredInMany),
  );
}

/**
 * The tokens as the model sees them.
 * @param {Drawn} drawn
 * @param {string[]} pieces Of the vocabulary.
 */
export const passageOf = ({ tokens, fates }, pieces) =>
  row(...tokens.map((token, n) => shown(token, fates[n], pieces)));

/**
 * @param {Token} token
 * @param {Drawn["fates"][number]} drawn
 * @param {string[]} pieces Of the vocabulary.
 */
function shown(token, { fate, id }, pieces) {
  return chip({ ...token, fate, seen: fate ? pieces[id] : token.piece });
}

/**
 * What the model says: the guesses at each selected position, the verdict, and that in words.
 * @param {Model} model
 * @param {Drawn} drawn
 * @param {{at: number[], found: Judged[], mean: number}} guesses
 * @returns {{items: HTMLElement[], verdict: (HTMLElement | string)[], loss: string}}
 */
export function guessesView(model, { tokens, fates }, { at, found, mean }) {
  if (!at.length) {
    return { items: [], verdict: ["No token is selected: the loss is 0."], loss: "" };
  }
  const { pieces } = model.tokenizer;
  const positions = at.length === 1 ? "1 position" : `${at.length} positions`;
  return {
    items: at.map((position, n) => {
      const token = tokens[position];
      return guessesAt(token, shown(token, fates[position], pieces), found[n], pieces);
    }),
    verdict: [
      h(
        "p",
        { class: "masking-mean" },
        "Mean loss ",
        h("b", {}, fixed(mean)),
        ` over ${positions}`,
      ),
      h(
        "p",
        { class: "masking-quiet" },
        "✓ marks the original token. The loss is −ln of its probability, in nats; if all pieces " +
          `were equally likely, it would be ${fixed(Math.log(pieces.length))}.`,
      ),
    ],
    loss: `The mean loss is ${fixed(mean)} over ${positions}.`,
  };
}

/**
 * @param {Token} token
 * @param {HTMLElement} drawn
 * @param {Judged} judged
 * @param {string[]} pieces
 */
function guessesAt(token, drawn, { loss, best }, pieces) {
  return h(
    "li",
    {},
    h("span", { class: "masking-token" }, drawn),
    h("span", { class: "masking-loss" }, "loss ", h("b", {}, fixed(loss))),
    h("div", {}, ...best.map((guess) => guessBar(guess, guess.id === token.id, pieces))),
  );
}

/**
 * @param {Guess} guess
 * @param {boolean} right
 * @param {string[]} pieces
 */
function guessBar({ id, share }, right, pieces) {
  const made = bar(`${right ? "✓ " : ""}${pieces[id]}`, share, probability(share, 0));
  made.classList.toggle("right", right);
  return made;
}

/**
 * A share that can be set: its name, the slider and its number.
 * @param {string} widget
 * @param {string} fate
 * @param {string} name
 * @param {(share: number) => void} onMove
 */
function slider(widget, fate, name, onMove) {
  const id = `${widget}-${fate}`;
  const input = h("input", { id, type: "range", min: 0, max: 100, class: `masking-${fate}` });
  input.addEventListener("input", () => onMove(input.valueAsNumber));
  const number = h("output", { for: id, "aria-live": "off" }); // the slider announces it
  return {
    row: shareRow(h("label", { for: id }, ...signed(fate, name)), input, number),
    /** @type {(share: number, words: string) => void} */
    set(share, words) {
      input.value = String(share);
      input.setAttribute("aria-valuetext", words);
      number.textContent = `${share}%`;
    },
  };
}

/**
 * The share that is left: shown like the others, but without a slider.
 * @param {string} fate
 * @param {string} name
 */
function restOf(fate, name) {
  const fill = h("span", { class: "bar-fill" });
  const number = h("span", { class: "masking-number" });
  const track = h("span", { class: "bar-track", "aria-hidden": "true" }, fill);
  return {
    row: shareRow(h("span", {}, ...signed(fate, name)), track, number),
    /** @param {number} share */
    set(share) {
      fill.style.width = `${share}%`;
      number.textContent = `${share}%`;
    },
  };
}

/** @param {HTMLElement[]} parts */
const shareRow = (...parts) => h("div", { class: "masking-share" }, ...parts);

/**
 * @param {typeof RECIPES[number]} recipe
 * @param {() => void} onclick
 */
function recipeButton({ name, mask, random }, onclick) {
  const shares = { masked: mask, random, kept: 100 - mask - random };
  const parts = Object.entries(shares).filter(([, share]) => share);
  return h(
    "button",
    { type: "button", onclick },
    h("b", {}, name),
    " ",
    h("span", {}, parts.map(([fate, share]) => `${share}% ${fate}`).join(", ")),
  );
}

const namedFates = () => /** @type {Named[]} */ (Object.keys(FATES));

/**
 * A name with the sign of its fate, if it has one.
 * @param {string} fate
 * @param {string} name
 */
function signed(fate, name) {
  const known = namedFates().find((one) => one === fate);
  if (!known) return [name];
  const sign = h("i", { class: `masking-sign ${fate}`, "aria-hidden": "true" }, FATES[known]);
  return [sign, ` ${name}`];
}
