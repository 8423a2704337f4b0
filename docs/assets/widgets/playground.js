/** The masking playground: a sentence, a recipe, what each draw makes of it, and what the model says. */
import { countFates, maskTokens, seededDraws } from "../bert/masking.js";
import { loadTokenizer } from "../bert/model.js";
import { announce, fixed, h, percent, whenQuiet } from "./dom.js";
import { getModels } from "./loading.js";
import { linkButton, stateFromAddress } from "./state.js";
import { bar, chip, FATES, row } from "./tokens.js";

const NAME = "playground";
const START = {
  text: "On a beautiful Tuesday, Rufus took a train to the museum. Fiona loved the splendid statue.",
  select: 15,
  mask: 80,
  random: 10,
  seed: 183, // few seeds give so short a text all three fates
};
const MANY = 10_000; // draws to count over
const ASK = "What does the model say?";
const GUESSES = 3; // for each position
const LONGEST_TEXT = 10_000; // characters that a link may bring

// Devlin et al. 2019, Table 8, in its order; what is neither masked nor random is kept
const RECIPES = [
  { name: "As BERT", mask: 80, random: 10 },
  { name: "Masks only", mask: 100, random: 0 },
  { name: "None kept", mask: 80, random: 20 },
  { name: "None random", mask: 80, random: 0 },
  { name: "No masks", mask: 0, random: 80 },
  { name: "Random only", mask: 0, random: 100 },
];

/**
 * The shares of the three fates in percent, which always add up to 100.
 *
 * What the reader set last stands as it is. The rest is kept; where too little is left, the other
 * share gives way, and has its place back as soon as there is room: every move can be undone.
 * @param {{mask: number, random: number, last?: "mask" | "random"}} wishes As the reader set them.
 */
export function sharesOf({ mask, random, last = "mask" }) {
  if (last === "random") mask = Math.min(mask, 100 - random);
  else random = Math.min(random, 100 - mask);
  return { mask, random, kept: 100 - mask - random };
}

/** Fates of which a slider's move changes no more than it must: each token keeps its numbers. */
export function maskSteadily(tokens, recipe, seed, vocabulary) {
  const draw = seededDraws(seed);
  return tokens.flatMap((token) => {
    const own = [draw(), draw(), draw()]; // to select, to decide, to replace
    return maskTokens([token], recipe, () => own.shift(), vocabulary);
  });
}

/**
 * What the model makes of one position.
 * @param {Float32Array} scores Of the vocabulary.
 * @param {number} truth The id that stood there.
 * @returns {{loss: number, guesses: {id: number, share: number}[]}} The loss, −ln of the truth's
 *   probability, and the likeliest ids; the truth is always among them.
 */
export function judge(scores, truth) {
  const highest = Math.max(...scores); // so that no exp overflows, and no loss is infinite
  const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
  const logSum = highest + Math.log(sum);
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  const best = order.slice(0, GUESSES);
  if (!best.includes(truth)) best.push(truth);
  return {
    loss: logSum - scores[truth],
    guesses: best.map((id) => ({ id, share: Math.exp(scores[id] - logSum) })),
  };
}

/** The state of a link, whatever it may hold. */
function readState(parameters) {
  const whole = (name, highest) => {
    const number = Number.parseInt(parameters?.get(name), 10);
    return Number.isNaN(number) ? START[name] : Math.min(highest, Math.max(0, number));
  };
  return {
    text: (parameters?.get("text") ?? START.text).slice(0, LONGEST_TEXT),
    select: whole("select", 100),
    ...sharesOf({ mask: whole("mask", 100), random: whole("random", 100) }),
    seed: whole("seed", 2 ** 32 - 1),
  };
}

export async function mount(host) {
  const { tokenizer, longest } = await loadTokenizer("pretrained");
  const vocabulary = { maskId: tokenizer.ids.get("[MASK]"), vocabSize: tokenizer.pieces.length };
  let state = readState(stateFromAddress(NAME));
  let model = null; // once the reader has asked for it
  let drawn = null; // tokens, their fates and the recipe, as they are shown
  let toSay = false; // whether the reader should hear what the next numbers are

  const text = h("textarea", { id: `${NAME}-text`, rows: 2, dir: "auto", spellcheck: "false" });
  text.addEventListener("input", () => change({ text: text.value }));
  const cutNote = h("p", { class: "playground-cut", role: "status" });
  const passage = h("div");
  const drawNumber = h("span", { class: "playground-quiet" });
  const emptyNote = h("p", { class: "playground-empty" });

  const select = slider("select", "Of all tokens, select", (value) => change({ select: value }));
  const mask = slider("masked", "become [MASK]", (value) => change({ mask: value, last: "mask" }));
  const random = slider("random", "become a random token", (value) =>
    change({ random: value, last: "random" }),
  );
  const kept = restOf("kept", "stay as they are: the rest");
  const recipes = RECIPES.map((recipe) => recipeButton(recipe, () => {
    toSay = true;
    change({ ...recipe, last: "mask" });
  }));

  const counts = h("tbody");
  const said = h("div", { class: "playground-said" });
  const slot = h("div", { class: "playground-slot", "aria-live": "polite" });
  const heading = h("p", { class: "playground-head", tabindex: "-1" }, "What the model says");
  const ask = h("button", { type: "button", class: "main", onclick: askModel }, ASK);

  host.append(
    h("label", { class: "widget-title", for: text.id }, "A sentence of yours"),
    text,
    h(
      "p",
      { class: "playground-quiet" },
      `The model knows the ${tokenizer.pieces.length} pieces of its own small world, stories about ` +
        "people and towns. Any other word falls into letters, or is [UNK], unknown, where even a " +
        "character is new.",
    ),
    cutNote,
    passage,
    emptyNote,
    h(
      "div",
      { class: "widget-buttons" },
      h("button", { type: "button", onclick: drawAgain }, "Draw again"),
      drawNumber,
    ),
    h("div", { class: "playground-shares" }, select.row),
    h(
      "div",
      { class: "playground-shares", role: "group", "aria-labelledby": `${NAME}-fates` },
      h("p", { id: `${NAME}-fates`, class: "playground-head" }, "Of the selected tokens"),
      mask.row,
      random.row,
      kept.row,
    ),
    h(
      "div",
      { role: "group", "aria-labelledby": `${NAME}-recipes` },
      h(
        "p",
        { id: `${NAME}-recipes`, class: "playground-head" },
        "The recipes of the paper ",
        h("span", { class: "playground-quiet" }, "(Devlin et al. 2019, Table 8)"),
      ),
      h("div", { class: "playground-recipes" }, ...recipes),
    ),
    h(
      "table",
      { class: "playground-counts" },
      h("caption", {}, "Expected and measured"),
      h("thead", {}, h("tr", {}, ...["", "expected", "this draw", `${MANY.toLocaleString("en")} draws`].map(
        (name) => h(name ? "th" : "td", { scope: name && "col" }, name),
      ))),
      counts,
    ),
    ask,
    slot,
    said,
    h("div", { class: "widget-buttons" }, linkButton(NAME, stateForLink)),
  );
  text.value = state.text;
  addEventListener("hashchange", () => {
    if (!stateFromAddress(NAME)) return;
    state = readState(stateFromAddress(NAME));
    text.value = state.text;
    change({});
  });
  const later = whenQuiet(showSlowly, 200);
  change({});

  function change(changes) {
    state = { ...state, ...changes };
    drawn = draw();
    showAtOnce();
    later();
  }

  function draw() {
    const shares = sharesOf(state);
    const recipe = {
      select: state.select / 100,
      mask: shares.mask / 100,
      random: shares.random / 100,
    };
    const { tokens, cut } = tokenizer.encode(state.text, null, { longest });
    for (const token of tokens) {
      // a [SEP] or [MASK] that was typed has nothing to predict either
      token.structural ||= token.piece !== "[UNK]" && tokenizer.special.includes(token.piece);
    }
    const fates = maskSteadily(tokens, recipe, state.seed, vocabulary);
    const candidates = tokens.filter((token) => !token.structural).length;
    return { tokens, cut, fates, candidates, recipe, shares };
  }

  /** What costs nothing: while a reader types, or moves a slider. */
  function showAtOnce() {
    const { tokens, cut, fates, candidates, shares } = drawn;
    const note = cut ? `The model reads ${longest} tokens: the text is cut off there.` : "";
    if (cutNote.textContent !== note) cutNote.textContent = note;
    passage.replaceChildren(row(...tokens.map((token, n) => shown(token, fates[n]))));
    drawNumber.textContent = `Draw ${state.seed}`;
    const together = `${shares.mask}% masked, ${shares.random}% random, ${shares.kept}% kept`;
    select.set(state.select, `${state.select}%`);
    mask.set(shares.mask, together);
    random.set(shares.random, together);
    kept.set(shares.kept);
    RECIPES.forEach((recipe, n) => {
      const same = recipe.mask === shares.mask && recipe.random === shares.random;
      recipes[n].setAttribute("aria-pressed", same);
    });
    emptyNote.textContent = candidates
      ? countOf(fates).selected
        ? ""
        : "This draw selected nothing: no position carries a loss, and there is nothing to learn."
      : "There is no token to select yet: write something.";
    showCounts(null);
  }

  /** What takes some milliseconds: once the reader pauses. */
  function showSlowly() {
    const { candidates, recipe } = drawn;
    showCounts(countFates(MANY * candidates, recipe, seededDraws(state.seed)));
    const loss = model ? showGuesses() : "";
    if (toSay) announce(`Draw ${state.seed}: ${inWords(countOf(drawn.fates), candidates)}. ${loss}`);
    toSay = false;
  }

  function showCounts(many) {
    const { fates, candidates, recipe, shares } = drawn;
    const one = countOf(fates);
    const line = (name, expected, measured, all, manyMeasured, manyAll) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        h("td", {}, percent(expected)),
        h("td", {}, all ? `${measured} of ${all}` : "none"),
        h("td", {}, many ? (manyAll ? percent(manyMeasured / manyAll, 1) : "none") : "…"),
      );
    counts.replaceChildren(
      line("selected", recipe.select, one.selected, candidates, many?.selected, MANY * candidates),
      ...Object.keys(FATES).map((fate) => {
        const share = { masked: shares.mask, random: shares.random, kept: shares.kept }[fate] / 100;
        const name = [sign(fate), ` ${fate}`];
        return line(name, share, one[fate], one.selected, many?.[fate], many?.selected);
      }),
    );
  }

  /** The model's guesses for this draw; returns their mean loss in words. */
  function showGuesses() {
    const { tokens, fates } = drawn;
    const at = [...fates.keys()].filter((n) => fates[n].fate);
    if (!at.length) {
      const nothing = "Nothing is asked: the loss is 0.";
      said.replaceChildren(heading, h("p", {}, nothing));
      return nothing;
    }
    const seen = fates.map(({ id }) => id);
    const hidden = model.bert.encode(seen, tokens.map((token) => token.segment));
    const scores = model.bert.maskedLM(hidden, at);
    const found = at.map((position, n) => judge(scores[n], tokens[position].id));
    const mean = found.reduce((sum, { loss }) => sum + loss, 0) / found.length;
    const positions = at.length === 1 ? "1 position" : `${at.length} positions`;
    said.replaceChildren(
      heading,
      h(
        "ul",
        { class: "playground-guesses", tabindex: "0", "aria-label": "Guesses and losses" },
        ...at.map((position, n) => guessesAt(tokens[position], fates[position], found[n])),
      ),
      h("p", { class: "playground-mean" }, "Mean loss ", h("b", {}, fixed(mean)), ` over ${positions}`),
      h(
        "p",
        { class: "playground-quiet" },
        "✓ is what stood there. The loss is −ln of its probability, in nats; to find all pieces " +
          `equally likely would cost ${fixed(Math.log(vocabulary.vocabSize))}.`,
      ),
    );
    return `The mean loss is ${fixed(mean)} over ${positions}.`;
  }

  function guessesAt(token, fate, { loss, guesses }) {
    return h(
      "li",
      {},
      h("span", { class: "playground-token" }, shown(token, fate)),
      h("span", { class: "playground-loss" }, "loss ", h("b", {}, fixed(loss))),
      h("div", {}, ...guesses.map(({ id, share }) => {
        const right = id === token.id;
        const made = bar(`${right ? "✓ " : ""}${tokenizer.pieces[id]}`, share, roughly(share));
        made.classList.toggle("right", right);
        return made;
      })),
    );
  }

  function shown(token, { fate, id }) {
    return chip({ ...token, fate, seen: fate ? tokenizer.pieces[id] : token.piece });
  }

  function drawAgain() {
    toSay = true;
    change({ seed: (state.seed + 1) % 2 ** 32 });
  }

  async function askModel() {
    if (ask.ariaDisabled) return;
    ask.ariaDisabled = "true"; // not `disabled`, which would drop the focus
    [model] = await getModels(slot, ["pretrained"]);
    const waited = [ask, document.body].includes(document.activeElement);
    toSay = true;
    showSlowly();
    ask.remove();
    if (waited) heading.focus({ preventScroll: true });
  }

  function stateForLink() {
    const { mask, random } = sharesOf(state);
    return { text: state.text, select: state.select, mask, random, seed: state.seed };
  }
}

/** A share that can be moved: its name, the slider and its number. */
function slider(fate, name, onMove) {
  const id = `${NAME}-${fate}`;
  const input = h("input", { id, type: "range", min: 0, max: 100, class: `playground-${fate}` });
  input.addEventListener("input", () => onMove(input.valueAsNumber));
  const number = h("output", { for: id });
  return {
    row: h("div", { class: "playground-share" }, h("label", { for: id }, ...signed(fate, name)), input, number),
    set(share, words) {
      input.value = share;
      input.setAttribute("aria-valuetext", words);
      number.textContent = `${share}%`;
    },
  };
}

/** The share that is left: shown like the others, but not to be moved. */
function restOf(fate, name) {
  const fill = h("span", { class: "bar-fill" });
  const number = h("span", { class: "playground-number" });
  const track = h("span", { class: "bar-track", "aria-hidden": "true" }, fill);
  return {
    row: h("div", { class: "playground-share" }, h("span", {}, ...signed(fate, name)), track, number),
    set(share) {
      fill.style.width = `${share}%`;
      number.textContent = `${share}%`;
    },
  };
}

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

const sign = (fate) => h("i", { class: `playground-sign ${fate}`, "aria-hidden": "true" }, FATES[fate]);

const signed = (fate, name) => (FATES[fate] ? [sign(fate), ` ${name}`] : [name]);

function countOf(fates) {
  const counts = { selected: 0, masked: 0, random: 0, kept: 0 };
  for (const { fate } of fates) {
    if (!fate) continue;
    counts.selected += 1;
    counts[fate] += 1;
  }
  return counts;
}

const inWords = ({ selected, masked, random, kept }, all) =>
  `${selected} of ${all} tokens selected: ${masked} masked, ${random} random, ${kept} kept`;

/** A probability in whole percent, of which none is called impossible or certain. */
function roughly(share) {
  if (share < 0.005) return "<1%";
  return share > 0.995 ? ">99%" : percent(share);
}
