/** What the masking playground computes: shares, draws, losses. Nothing here knows a page. */

import { ranking } from "../../bert/decode.js";
import { maskSteadily, seededDraws } from "../../bert/masking.js";
import { logSumExp } from "../../bert/scores.js";
import { Tokenizer, words } from "../../bert/tokenizer.js";

/** @typedef {import("../../bert/masking.js").Fate} Fate */
/** @typedef {import("../../bert/masking.js").Recipe} Recipe */
/** @typedef {import("../../bert/tokenizer.js").Token} Token */

/**
 * What the reader has set; shares are in percent.
 * @typedef {object} State
 * @property {string} text
 * @property {number} select
 * @property {number} mask
 * @property {number} random
 * @property {number} seed
 * @property {"mask" | "random"} [last] Which share was set last.
 */

/** @typedef {{masked: number, random: number, kept: number}} Shares In percent; together 100. */

/** @typedef {{tokenizer: Tokenizer, longest: number, vocabSize?: number}} Reads How a model reads. */

/**
 * One draw, as it is shown.
 * @typedef {object} Drawn
 * @property {Token[]} tokens
 * @property {boolean} cut The text was longer than the model reads.
 * @property {{fate: Fate, id: number}[]} fates
 * @property {number} candidates How many tokens can be selected.
 * @property {Recipe} recipe
 * @property {Shares} shares
 */

/** @typedef {{id: number, share: number}} Guess */
/** @typedef {{loss: number, best: Guess[]}} Judged */

/** @type {State} */
export const START = {
  text: "On a beautiful Tuesday, Rufus took a train to the museum. Fiona loved the splendid statue.",
  select: 15,
  mask: 80,
  random: 10,
  seed: 183, // few seeds give so short a text all three fates
};
const START_RANDOM = "judith"; // the piece that this draw takes at random
export const MANY = 10_000; // draws to count over
const GUESSES = 3; // for each position
const LONGEST_TEXT = 10_000; // characters that a link may bring

// Devlin et al. 2019, Table 8, in its order; what is neither masked nor random is kept
export const RECIPES = [
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
 * @returns {Shares}
 */
export function sharesOf({ mask, random, last = "mask" }) {
  const masked = last === "random" ? Math.min(mask, 100 - random) : mask;
  const replaced = last === "random" ? random : Math.min(random, 100 - mask);
  return { masked, random: replaced, kept: 100 - masked - replaced };
}

/**
 * What the model makes of one position.
 * @param {Float32Array} scores Of the vocabulary.
 * @param {number} truth The original id.
 * @returns {Judged} The loss, −ln of the truth's probability, and the most likely ids; the truth is
 *   always among them.
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
 * What the model says at each selected position, and the mean of the losses.
 * @param {import("../../bert/model.js").Model} model
 * @param {Drawn} drawn
 * @returns {{at: number[], found: Judged[], mean: number}}
 */
export function guessesOf(model, { tokens, fates }) {
  const at = [...fates.keys()].filter((n) => fates[n].fate);
  const seen = fates.map(({ id }) => id);
  const segments = tokens.map((token) => token.segment);
  const scores = at.length ? model.bert.maskedLM(model.bert.encode(seen, segments), at) : [];
  const found = at.map((position, n) => judge(scores[n], tokens[position].id));
  return { at, found, mean: found.reduce((sum, { loss }) => sum + loss, 0) / found.length };
}

/**
 * Tokenizes the start text before the vocabulary has loaded: its words are its pieces, and a random
 * draw gives the first piece. So the first picture matches what the model's file would give.
 * @returns {Reads}
 */
export function readStart() {
  const pieces = [...words(START.text)].map(({ chars }) => chars.join(""));
  const tokenizer = new Tokenizer([START_RANDOM, "[CLS]", "[SEP]", "[MASK]", ...pieces]);
  return { tokenizer, longest: Infinity, vocabSize: 1 };
}

/**
 * The state of a link, whatever it may hold.
 * @param {URLSearchParams} parameters
 * @returns {State}
 */
export function readState(parameters) {
  /** @type {(name: "select" | "mask" | "random" | "seed", highest: number) => number} */
  const whole = (name, highest) => {
    const number = Number.parseInt(parameters.get(name) ?? "", 10);
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

/**
 * What a link brings back: the shares as they are shown.
 * @param {State} state
 */
export function stateForLink(state) {
  const { masked: mask, random } = sharesOf(state);
  return { text: state.text, select: state.select, mask, random, seed: state.seed };
}

/**
 * @param {State} state
 * @param {Reads} reads
 * @returns {Drawn}
 */
export function drawFrom(state, { tokenizer, longest, vocabSize = tokenizer.pieces.length }) {
  const shares = sharesOf(state);
  const [select, mask, random] = [state.select, shares.masked, shares.random].map((n) => n / 100);
  const recipe = { select, mask, random };
  const { tokens, cut } = tokenizer.encode(state.text, null, { longest });
  for (const token of tokens) {
    // a [SEP] or [MASK] that was typed has nothing to predict either
    token.structural ||= token.piece !== "[UNK]" && tokenizer.special.includes(token.piece);
  }
  const maskId = /** @type {number} */ (tokenizer.ids.get("[MASK]"));
  const fates = maskSteadily(tokens, recipe, seededDraws(state.seed), { maskId, vocabSize });
  const candidates = tokens.filter((token) => !token.structural).length;
  return { tokens, cut, fates, candidates, recipe, shares };
}

/**
 * How many tokens were selected, and how many met each fate.
 * @param {{fate: Fate}[]} fates
 */
export function countOf(fates) {
  const counts = { selected: 0, masked: 0, random: 0, kept: 0 };
  for (const { fate } of fates) {
    if (!fate) continue;
    counts.selected += 1;
    counts[fate] += 1;
  }
  return counts;
}

/**
 * Why a draw selects nothing; "" if it selects something.
 * @param {Drawn} drawn
 * @param {number} seed
 */
export function whyEmpty({ candidates, fates }, seed) {
  if (!candidates) return "There is no token to select yet: write something.";
  if (countOf(fates).selected) return "";
  const why = "no position carries a loss, so nothing is learned.";
  return `Draw ${seed} selected nothing: ${why}`;
}

/**
 * The result of a draw, for readers who do not see it.
 * @param {Drawn} drawn
 * @param {number} seed
 * @param {string} loss In words; "" if the model was not asked.
 */
export function inWords(drawn, seed, loss) {
  const { selected, masked, random, kept } = countOf(drawn.fates);
  if (!selected) return whyEmpty(drawn, seed);
  const counts = `selected ${selected} of ${drawn.candidates} tokens`;
  const fates = `${masked} masked, ${random} random, ${kept} kept`;
  return `Draw ${seed}: ${counts}, of which ${fates}. ${loss}`.trim();
}
