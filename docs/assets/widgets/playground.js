// @ts-nocheck: its types are still to be written
/** The masking playground: a sentence, a recipe, what a draw makes of it, what the model says. */
import { logSumExp } from "../bert/bert.js";
import { ranking } from "../bert/decode.js";
import { countFates, maskTokens, seededDraws } from "../bert/masking.js";
import { loadTokenizer } from "../bert/model.js";
import { Tokenizer, words } from "../bert/tokenizer.js";
import { announce, fixed, h, percent, probability, whenQuiet } from "./dom.js";
import { getModels } from "./loading.js";
import { followAddress, linkButton } from "./state.js";
import { bar, chip, FATES, row } from "./tokens.js";

const NAME = "playground";
const START = {
  text: "On a beautiful Tuesday, Rufus took a train to the museum. Fiona loved the splendid statue.",
  select: 15,
  mask: 80,
  random: 10,
  seed: 183, // few seeds give so short a text all three fates
};
const START_RANDOM = "judith"; // the piece that this draw takes at random
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
 * The share that the reader set last is used as it is. The rest is kept; where too little is left,
 * the other share shrinks, and grows back as soon as there is room: every move can be undone.
 * @param {{mask: number, random: number, last?: "mask" | "random"}} wishes As the reader set them.
 */
export function sharesOf({ mask, random, last = "mask" }) {
  if (last === "random") mask = Math.min(mask, 100 - random);
  else random = Math.min(random, 100 - mask);
  return { masked: mask, random, kept: 100 - mask - random };
}

/** Fates that change as little as possible when a slider moves: each token keeps its draws. */
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
 * @param {number} truth The original id.
 * @returns {{loss: number, best: {id: number, share: number}[]}} The loss, −ln of the truth's
 *   probability, and the most likely ids; the truth is always among them.
 */
export function judge(scores, truth) {
  const logSum = logSumExp(scores);
  const order = ranking(scores).slice(0, GUESSES);
  if (!order.includes(truth)) order.push(truth);
  return {
    loss: logSum - scores[truth],
    best: order.map((id) => ({ id, share: Math.exp(scores[id] - logSum) })),
  };
}

/**
 * Tokenizes the start text before the vocabulary has loaded: its words are its pieces, and a random
 * draw gives the first piece. So the first picture matches what the model's file would give.
 */
function readStart() {
  const pieces = [...words(START.text)].map(({ chars }) => chars.join(""));
  const tokenizer = new Tokenizer([START_RANDOM, "[CLS]", "[SEP]", "[MASK]", ...pieces]);
  return { tokenizer, longest: Infinity, vocabSize: 1 };
}

/** The state of a link, whatever it may hold. */
function readState(parameters) {
  const whole = (name, highest) => {
    const number = Number.parseInt(parameters.get(name), 10);
    return Number.isNaN(number) ? START[name] : Math.min(highest, Math.max(0, number));
  };
  return {
    text: (parameters.get("text") ?? START.text).slice(0, LONGEST_TEXT),
    select: whole("select", 100),
    mask: whole("mask", 100),
    random: whole("random", 100),
    seed: whole("seed", 2 ** 32 - 1),
  };
}

export function mount(host) {
  let state = START;
  let reads = readStart(); // a tokenizer, and how many tokens the model reads
  let coming = null; // a promise of the model's own tokenizer, once something has needed it
  let model = null; // once the reader has asked for it
  let drawn = null; // tokens, their fates and the recipe, as they are shown
  let loss = ""; // of what is shown, in words
  let heard = ""; // the result that was shown at first, or announced last

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
  const kept = restOf("kept", "are kept: the rest");
  const recipes = RECIPES.map((recipe) =>
    recipeButton(recipe, () => change({ mask: recipe.mask, random: recipe.random })),
  );

  const counts = h("tbody");
  const tokenizerSlot = h("div", { class: "playground-slot" }); // while the tokenizer loads
  const slot = h("div", { class: "playground-slot" }); // while the model does
  const heading = h("p", { class: "playground-head", tabindex: "-1" }, "What the model says");
  const guesses = h("ul", {
    class: "playground-guesses",
    tabindex: "0", // a long list scrolls
    "aria-label": "Guesses and losses",
  });
  const verdict = h("div");
  const said = h("div", { hidden: true }, heading, guesses, verdict);
  const ask = h("button", { type: "button", class: "main", onclick: askModel }, ASK);
  const columns = ["expected", "this draw", `${MANY.toLocaleString("en")} draws`];

  host.append(
    h("label", { class: "widget-title", for: text.id }, "Your sentence"),
    text,
    h(
      "p",
      { class: "playground-quiet" },
      "The model knows only the words of its own small world: stories about people and towns. " +
        "Any other word is split into letters, or is [UNK] if it has an unknown character.",
    ),
    cutNote,
    passage,
    emptyNote,
    h(
      "div",
      { class: "widget-buttons" },
      h("button", { type: "button", onclick: drawAgain }, "Draw again"),
      drawNumber,
      tokenizerSlot,
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
      h("thead", {}, h("tr", {}, h("td"), ...columns.map(column))),
      counts,
    ),
    ask,
    slot,
    said,
    h("div", { class: "widget-buttons" }, linkButton(NAME, stateForLink)),
  );
  const later = whenQuiet(showSlowly, 200);
  const tellLater = whenQuiet(tell, 700); // a reader who is typing is not interrupted
  if (!followAddress(host, NAME, (brought) => take(readState(brought)))) {
    text.value = START.text;
    showShares();
    show();
    later();
  }

  function take(whole) {
    text.value = whole.text;
    change(whole);
  }

  /** The shares move at once, the tokens once the model's tokenizer has loaded. */
  async function change(changes) {
    state = { ...state, ...changes };
    showShares();
    coming ??= getModels(tokenizerSlot, ["pretrained"], loadTokenizer, "the vocabulary").then(
      readWith,
    );
    await coming;
    show();
    later();
    tellLater();
  }

  function readWith([came]) {
    reads = came;
    if (tokenizerSlot.contains(document.activeElement)) text.focus(); // an empty slot loses it
  }

  function draw() {
    const shares = sharesOf(state);
    const [select, mask, random] = [state.select, shares.masked, shares.random].map((n) => n / 100);
    const recipe = { select, mask, random };
    const { tokenizer, longest, vocabSize = tokenizer.pieces.length } = reads;
    const { tokens, cut } = tokenizer.encode(state.text, null, { longest });
    for (const token of tokens) {
      // a [SEP] or [MASK] that was typed has nothing to predict either
      token.structural ||= token.piece !== "[UNK]" && tokenizer.special.includes(token.piece);
    }
    const vocabulary = { maskId: tokenizer.ids.get("[MASK]"), vocabSize };
    const fates = maskSteadily(tokens, recipe, state.seed, vocabulary);
    const candidates = tokens.filter((token) => !token.structural).length;
    return { tokens, cut, fates, candidates, recipe, shares };
  }

  function showShares() {
    const shares = sharesOf(state);
    const together = `${shares.masked}% masked, ${shares.random}% random, ${shares.kept}% kept`;
    select.set(state.select, `${state.select}%`);
    mask.set(shares.masked, together);
    random.set(shares.random, together);
    kept.set(shares.kept);
    RECIPES.forEach((recipe, n) => {
      const same = recipe.mask === shares.masked && recipe.random === shares.random;
      recipes[n].setAttribute("aria-pressed", same);
    });
  }

  /** The quick part: while a reader types, or moves a slider. */
  function show() {
    drawn = draw();
    const { tokens, cut, fates } = drawn;
    const most = `The model reads at most ${reads.longest} tokens`;
    const note = cut ? `${most}: the text is cut off there.` : "";
    if (cutNote.textContent !== note) cutNote.textContent = note;
    passage.replaceChildren(row(...tokens.map((token, n) => shown(token, fates[n]))));
    drawNumber.textContent = `Draw ${state.seed}`;
    emptyNote.textContent = whyEmpty();
    showCounts(null);
    heard ||= inWords();
  }

  function whyEmpty() {
    if (!drawn.candidates) return "There is no token to select yet: write something.";
    if (countOf(drawn.fates).selected) return "";
    const why = "no position carries a loss, so nothing is learned.";
    return `Draw ${state.seed} selected nothing: ${why}`;
  }

  /** The slow part, some milliseconds: once the reader pauses. */
  function showSlowly() {
    const { candidates, recipe } = drawn;
    showCounts(countFates(MANY * candidates, recipe, seededDraws(state.seed)));
    if (model) loss = showGuesses();
  }

  /** The result of the draw, for readers who do not see it. */
  function inWords() {
    const { selected, masked, random, kept } = countOf(drawn.fates);
    if (!selected) return whyEmpty();
    const counts = `selected ${selected} of ${drawn.candidates} tokens`;
    const fates = `${masked} masked, ${random} random, ${kept} kept`;
    return `Draw ${state.seed}: ${counts}, of which ${fates}. ${loss}`.trim();
  }

  function tell() {
    const result = inWords();
    if (result !== heard) announce(result);
    heard = result;
  }

  function showCounts(many) {
    const { fates, candidates, recipe, shares } = drawn;
    const one = countOf(fates);
    const ofMany = (part, all) => (all ? percent(part / all, 1) : "none");
    const line = (name, expected, measured, all, measuredInMany) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        h("td", {}, percent(expected)),
        h("td", {}, all ? `${measured} of ${all}` : "none"),
        h("td", {}, measuredInMany),
      );
    const selected = many ? ofMany(many.selected, MANY * candidates) : "…";
    counts.replaceChildren(
      line("selected", recipe.select, one.selected, candidates, selected),
      ...Object.keys(FATES).map((fate) => {
        const measured = many ? ofMany(many[fate], many.selected) : "…";
        return line(signed(fate, fate), shares[fate] / 100, one[fate], one.selected, measured);
      }),
    );
  }

  /** The model's guesses for this draw; returns their mean loss in words, "" without a guess. */
  function showGuesses() {
    const { tokens, fates } = drawn;
    const at = [...fates.keys()].filter((n) => fates[n].fate);
    if (!at.length) {
      guesses.replaceChildren();
      verdict.replaceChildren("No token is selected: the loss is 0.");
      return "";
    }
    const seen = fates.map(({ id }) => id);
    const hidden = model.bert.encode(
      seen,
      tokens.map((token) => token.segment),
    );
    const scores = model.bert.maskedLM(hidden, at);
    const found = at.map((position, n) => judge(scores[n], tokens[position].id));
    const mean = fixed(found.reduce((sum, { loss }) => sum + loss, 0) / found.length);
    const positions = at.length === 1 ? "1 position" : `${at.length} positions`;
    guesses.replaceChildren(
      ...at.map((position, n) => guessesAt(tokens[position], fates[position], found[n])),
    );
    verdict.replaceChildren(
      h("p", { class: "playground-mean" }, "Mean loss ", h("b", {}, mean), ` over ${positions}`),
      h(
        "p",
        { class: "playground-quiet" },
        "✓ marks the original token. The loss is −ln of its probability, in nats; if all pieces " +
          `were equally likely, it would be ${fixed(Math.log(model.tokenizer.pieces.length))}.`,
      ),
    );
    return `The mean loss is ${mean} over ${positions}.`;
  }

  function guessesAt(token, fate, { loss, best }) {
    return h(
      "li",
      {},
      h("span", { class: "playground-token" }, shown(token, fate)),
      h("span", { class: "playground-loss" }, "loss ", h("b", {}, fixed(loss))),
      h("div", {}, ...best.map((guess) => guessBar(guess, guess.id === token.id))),
    );
  }

  function guessBar({ id, share }, right) {
    const made = bar(
      `${right ? "✓ " : ""}${model.tokenizer.pieces[id]}`,
      share,
      probability(share, 0),
    );
    made.classList.toggle("right", right);
    return made;
  }

  function shown(token, { fate, id }) {
    return chip({ ...token, fate, seen: fate ? reads.tokenizer.pieces[id] : token.piece });
  }

  function drawAgain() {
    change({ seed: (state.seed + 1) % 2 ** 32 });
  }

  async function askModel() {
    if (ask.hasAttribute("aria-disabled")) return;
    ask.setAttribute("aria-disabled", "true"); // not `disabled`, which would drop the focus
    [model] = await getModels(slot, ["pretrained"]);
    const waited = [ask, slot, document.body].includes(document.activeElement);
    [reads, coming] = [model, Promise.resolve()];
    tokenizerSlot.remove(); // with any message in it
    show();
    showSlowly();
    tell();
    said.hidden = false;
    ask.remove();
    if (waited) heading.focus({ preventScroll: true });
  }

  function stateForLink() {
    const { masked: mask, random } = sharesOf(state);
    return { text: state.text, select: state.select, mask, random, seed: state.seed };
  }
}

/** A share that can be set: its name, the slider and its number. */
function slider(fate, name, onMove) {
  const id = `${NAME}-${fate}`;
  const input = h("input", { id, type: "range", min: 0, max: 100, class: `playground-${fate}` });
  input.addEventListener("input", () => onMove(input.valueAsNumber));
  const number = h("output", { for: id, "aria-live": "off" }); // the slider announces it
  return {
    row: shareRow(h("label", { for: id }, ...signed(fate, name)), input, number),
    set(share, words) {
      input.value = share;
      input.setAttribute("aria-valuetext", words);
      number.textContent = `${share}%`;
    },
  };
}

/** The share that is left: shown like the others, but without a slider. */
function restOf(fate, name) {
  const fill = h("span", { class: "bar-fill" });
  const number = h("span", { class: "playground-number" });
  const track = h("span", { class: "bar-track", "aria-hidden": "true" }, fill);
  return {
    row: shareRow(h("span", {}, ...signed(fate, name)), track, number),
    set(share) {
      fill.style.width = `${share}%`;
      number.textContent = `${share}%`;
    },
  };
}

const shareRow = (...parts) => h("div", { class: "playground-share" }, ...parts);

const column = (name) => h("th", { scope: "col" }, name);

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

/** A name with the sign of its fate, if it has one. */
function signed(fate, name) {
  if (!FATES[fate]) return [name];
  const sign = h("i", { class: `playground-sign ${fate}`, "aria-hidden": "true" }, FATES[fate]);
  return [sign, ` ${name}`];
}

function countOf(fates) {
  const counts = { selected: 0, masked: 0, random: 0, kept: 0 };
  for (const { fate } of fates) {
    if (!fate) continue;
    counts.selected += 1;
    counts[fate] += 1;
  }
  return counts;
}
