/** How the widget "why" looks: changes on the tokens, attention in a table, layers, two texts. */
import { h } from "../dom.js";
import { probability } from "../numbers.js";
import { bar, FATES, row } from "../tokens.js";
import { MASK, signed } from "./model.js";

/** @typedef {import("./model.js").Covering} Covering */
/** @typedef {import("./model.js").Finding} Finding */
/** @typedef {{piece: string, segment?: number, structural?: boolean}} Token */

const GUESSES = 4; // of each layer
const DIFFERENCES = 10; // between two texts

/**
 * The tokens, each with what covering it does.
 * @param {Token[]} tokens
 * @param {Covering[]} covered
 */
export function tokensWith(tokens, covered) {
  const changes = new Map(covered.map(({ place, change }) => [place, change]));
  const most = Math.max(1, ...covered.map(({ change }) => Math.abs(change)));
  return row(
    ...tokens.map((token, place) => {
      const change = changes.get(place);
      const isMask = token.piece === MASK;
      const classes = [
        "token",
        token.structural && "structural",
        token.segment === 1 && "segment-b",
        isMask && "masked",
      ];
      const words = isMask ? h("b", {}, `${FATES.masked} ${MASK}`) : token.piece;
      const chip = h("span", { class: classes.filter(Boolean).join(" ") }, words);
      if (change === undefined) return chip;
      chip.append(" ", h("b", { class: "why-change" }, signed(change)));
      tint(chip, change < 0 ? "why-needed" : "why-against", Math.abs(change) / most);
      return chip;
    }),
  );
}

/**
 * @param {HTMLElement} element
 * @param {string} name Of the colour.
 * @param {number} share From 0 to 1; a little colour leaves the words readable.
 */
function tint(element, name, share) {
  element.setAttribute("class", `${element.getAttribute("class") ?? ""} ${name}`.trim());
  element.style.cssText = `--share: ${Math.round(35 * share)}%`;
}

/** What the numbers on the tokens mean. */
export const legend = () =>
  h(
    "p",
    { class: "why-legend" },
    h("span", { class: "token why-needed" }, "−"),
    " the finding needs this token, ",
    h("span", { class: "token why-against" }, "+"),
    " the token speaks against it: the change of its log-odds, if covered.",
  );

/**
 * The attention of all heads at one position, beside what covering does.
 * @param {Token[]} tokens
 * @param {Covering[]} covered
 * @param {Float32Array[]} heads
 * @param {number} layers
 * @param {number} place
 */
export function attentionTable(tokens, covered, heads, layers, place) {
  const changes = new Map(covered.map(({ place: at, change }) => [at, change]));
  const each = heads.length / layers;
  const tops = heads.map((shares) =>
    covered.reduce(
      (best, { place: at }) => (shares[at] > shares[best] ? at : best),
      covered[0].place,
    ),
  );
  const groups = Array.from({ length: layers }, (_, layer) =>
    h("th", { scope: "colgroup", colspan: each }, `layer ${layer + 1}`),
  );
  const numbers = heads.map((_, head) =>
    h("th", { scope: "col", "aria-label": `head ${(head % each) + 1}` }, (head % each) + 1),
  );
  const names = ["token", "if covered"].map((name) => h("th", { scope: "col" }, name));
  const rows = tokens.map(({ piece }, at) => {
    const change = changes.get(at);
    const cells = heads.map((shares, head) => {
      const cell = h("td", { class: tops[head] === at && "most" }, Math.round(100 * shares[at]));
      tint(cell, "why-share", shares[at]);
      return cell;
    });
    return h(
      "tr",
      { class: at === place && "here" },
      h("th", { scope: "row" }, piece),
      h("td", { class: "why-number" }, change === undefined ? "" : signed(change)),
      ...cells,
    );
  });
  return h(
    "table",
    { class: "why-attention" },
    h("caption", {}, `Attention from ${tokens[place].piece} in each head, in %`),
    h(
      "thead",
      {},
      h("tr", {}, h("td", { colspan: 2 }), ...groups),
      h("tr", {}, ...names, ...numbers),
    ),
    h("tbody", {}, ...rows),
  );
}

/**
 * The guesses of the MLM head from each layer's vector.
 * @param {ReturnType<typeof import("./model.js").layersOf>} found
 */
export function layersView({ guess, layers }) {
  const columns = layers.map(({ name, ranked, rank }) => {
    const bars = ranked.slice(0, GUESSES).map(({ piece, share }, n) => {
      const drawn = bar(n === rank ? `✓ ${piece}` : piece, share, probability(share));
      if (n === rank) drawn.setAttribute("class", "bar why-guess");
      return drawn;
    });
    const { share } = ranked[rank];
    const below = `✓ ${guess}: rank ${rank + 1} of ${ranked.length}, ${probability(share)}`;
    return h(
      "div",
      { class: "why-layer", role: "group", "aria-label": name },
      h("p", {}, h("b", {}, name)),
      ...bars,
      rank < GUESSES ? null : h("p", { class: "why-guess" }, below),
    );
  });
  return h("div", { class: "why-layers" }, ...columns);
}

/**
 * How the guesses differ between two texts.
 * @param {ReturnType<typeof import("./model.js").differences>} found
 */
export function differencesTable(found) {
  const rows = found.slice(0, DIFFERENCES).map(({ piece, change, before, after }) => {
    const cell = h("td", { class: "why-number" }, signed(change));
    tint(cell, change < 0 ? "why-needed" : "why-against", Math.min(1, Math.abs(change) / 8));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, piece),
      cell,
      h("td", {}, probability(before)),
      h("td", {}, probability(after)),
    );
  });
  const heads = ["piece", "change of log-odds", "first text", "second text"];
  return h(
    "table",
    { class: "why-differences" },
    h("caption", {}, "Pieces with at least 1% in one of the texts, the largest change first"),
    h("thead", {}, h("tr", {}, ...heads.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...rows),
  );
}

/**
 * Buttons, one of which is pressed.
 * @param {string} label
 * @param {(key: string) => void} choose
 */
export function choices(label, choose) {
  /** @type {Map<string, HTMLButtonElement>} */
  let buttons = new Map();
  const element = h("div", { class: "widget-buttons", role: "group", "aria-label": label });
  return {
    element,
    /**
     * @param {Record<string, string>} titles By their keys.
     * @param {string} pressed
     */
    show(titles, pressed) {
      const entries = Object.entries(titles);
      // the same buttons keep the focus
      if (entries.some(([key, title]) => buttons.get(key)?.textContent !== title)) {
        buttons = new Map(
          entries.map(([key, title]) => [
            key,
            h("button", { type: "button", onclick: () => choose(key) }, title),
          ]),
        );
      }
      for (const key of buttons.keys()) if (!Object.hasOwn(titles, key)) buttons.delete(key);
      const shown = [...buttons.values()];
      if (shown.some((button, n) => button !== element.children[n])) {
        element.replaceChildren(...shown);
      }
      while (element.children.length > shown.length) element.lastElementChild?.remove();
      for (const [key, button] of buttons) {
        button.setAttribute("aria-pressed", String(key === pressed));
      }
      element.hidden = buttons.size < 2;
    },
  };
}
