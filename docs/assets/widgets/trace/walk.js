/**
 * One input on its way to the losses, number by number.
 *
 * A walk has the names and shapes of trace.json, which examples/trace.py leaves for the input that
 * the page walks through; here the same is computed for a reader's sentences, without what needs
 * the gradient.
 */

import { ranking } from "../../bert/decode.js";
import { maskTokens, seededDraws } from "../../bert/masking.js";
import { beforeFineTuning } from "../../bert/model.js";
import { IS_NEXT } from "../../bert/pairs.js";
import { logSumExp, softmax } from "../../bert/scores.js";

/** @typedef {import("../../bert/bert.js").Bert} Bert */
/** @typedef {import("../../bert/masking.js").Fate} Fate */
/** @typedef {import("../../bert/model.js").Model} Model */
/** @typedef {import("../../bert/tokenizer.js").Tokenizer} Tokenizer */

/**
 * A text and what is drawn for it. All lists but `texts` have an entry for each token.
 * @typedef {object} Input
 * @property {string[]} texts A and B, or A alone.
 * @property {string[]} pieces
 * @property {number[]} ids
 * @property {number[]} segments
 * @property {boolean[]} selectable
 * @property {number[]} select_draw Counts only where a token is selectable.
 * @property {number[]} fate_draw Counts only where one is selected.
 * @property {Fate[]} fates
 * @property {string[]} seen The pieces that the model sees.
 * @property {number} vocabulary How many pieces it has.
 */

/** @typedef {{logit: number, log_sum_exp: number, loss: number}} Loss */
/** @typedef {[piece: string, logit: number]} Candidate */
/** @typedef {Loss & {position: number, truth: string, likeliest: Candidate[]}} Prediction */

/**
 * @typedef {object} Losses
 * @property {Prediction[]} predictions One at each selected token.
 * @property {number} mlm_loss
 * @property {number[] | null} nsp_logits Null if there is only one sentence.
 * @property {number} nsp_loss
 * @property {number} loss
 */

/** @typedef {{name: string, logits: number[]}} Head With its scores of the classes. */

/** @typedef {{classes: string[], heads: Head[]}} Classes */

/** @typedef {[name: string, value: number, formula: string]} Rung */

/**
 * What takes the gradient, so that only the walked input has it.
 * @typedef {object} Steps
 * @property {number} sentiment The true class.
 * @property {Record<string, number>} norms By the part of the network.
 * @property {number} norm
 * @property {number} max_norm
 * @property {number} rate
 * @property {[piece: string, place: number]} weight The one that is followed.
 * @property {Rung[][]} updates
 * @property {number[]} losses
 * @property {number[]} class_logits
 * @property {number} class_loss
 * @property {number} class_loss_after
 * @property {Record<string, number>} class_norms
 * @property {number} class_norm
 * @property {number} class_rate
 * @property {number} by_hand
 * @property {number} pooled
 */

/** @typedef {Input & Losses & Classes & Steps & {own: false, cut: false}} Walked The page's. */

/**
 * A reader's, whose classes come later, with the second model.
 * @typedef {Input & Losses & Partial<Classes> & {own: true, cut: boolean}} Own
 */

/** @typedef {Walked | Own} Walk */
/** @typedef {Walk & Classes} Classified */

export const RECIPE = { select: 0.15, mask: 0.8, random: 0.1 };
const SHOWN = 4; // of the most likely pieces

/**
 * The walk that examples/trace.py has left.
 * @param {unknown} left
 * @returns {Walked}
 */
export function walkedFrom(left) {
  const numbers = /** @type {Omit<Walked, "heads" | "own" | "cut">} */ (left);
  const heads = [{ name: "", logits: numbers.class_logits }];
  return { ...numbers, heads, own: false, cut: false };
}

/**
 * A text as A and B: the first sentence, and what follows it, null if nothing does.
 * @param {string} text
 * @returns {[a: string, b: string | null]}
 */
export function sentences(text) {
  const plain = text.trim().replace(/\s+/g, " ");
  const found = /^(.*?[.!?…。！？]["'”’»)]?) (.+)$/u.exec(plain);
  return found ? [found[1], found[2]] : [plain, null];
}

/**
 * The walk of a reader's text, with the draws of this seed.
 * @param {Model} model
 * @param {string} text
 * @param {number} seed
 * @returns {Own}
 */
export function walkOf({ bert, tokenizer, longest }, text, seed) {
  const { cut, ...input } = drawInput(tokenizer, longest, text, seed);
  return { own: true, cut, ...input, ...losses(bert, tokenizer, input) };
}

/**
 * A reader's text as a model reads it, and what is drawn for it.
 * @param {Tokenizer} tokenizer
 * @param {number} longest
 * @param {string} text
 * @param {number} seed
 * @returns {Input & {cut: boolean}}
 */
export function drawInput(tokenizer, longest, text, seed) {
  const [a, b] = sentences(text);
  const { tokens, ids, segments, cut } = tokenizer.encode(a, b, { longest });
  const maskId = /** @type {number} */ (tokenizer.ids.get("[MASK]"));
  const vocabulary = { maskId, vocabSize: tokenizer.pieces.length };
  const draw = seededDraws(seed);
  const drawn = tokens.map((token) => {
    /** @type {number[]} */
    const draws = []; // of this token: to select it, to decide its fate
    const [masked] = maskTokens([token], RECIPE, () => (draws[draws.length] = draw()), vocabulary);
    return { ...masked, draws };
  });
  return {
    cut,
    texts: b === null ? [a] : [a, b],
    pieces: tokens.map(({ piece }) => piece),
    ids,
    segments,
    selectable: tokens.map(({ structural }) => !structural),
    select_draw: drawn.map(({ draws }) => draws[0]),
    fate_draw: drawn.map(({ draws }) => draws[1]),
    fates: drawn.map(({ fate }) => fate),
    seen: drawn.map(({ id }) => tokenizer.pieces[id]),
    vocabulary: vocabulary.vocabSize,
  };
}

/**
 * Both pretraining losses, from what the model sees.
 * @param {Pick<Bert, "encode" | "maskedLM" | "nextSentence">} bert
 * @param {Pick<Tokenizer, "ids" | "pieces">} tokenizer
 * @param {Pick<Input, "ids" | "segments" | "fates" | "seen" | "texts">} input
 * @returns {Losses}
 */
export function losses(bert, tokenizer, { ids, segments, fates, seen, texts }) {
  const hidden = bert.encode(
    seen.map((piece) => /** @type {number} */ (tokenizer.ids.get(piece))),
    segments,
  );
  const positions = selectedOf({ fates });
  const predictions = bert.maskedLM(hidden, positions).map((logits, row) => {
    const position = positions[row];
    const likeliest = ranking(logits).slice(0, SHOWN);
    return {
      position,
      truth: tokenizer.pieces[ids[position]],
      ...lossOf(logits, ids[position]),
      likeliest: likeliest.map(
        (id) => /** @type {Candidate} */ ([tokenizer.pieces[id], logits[id]]),
      ),
    };
  });
  const sum = predictions.reduce((total, { loss }) => total + loss, 0);
  const mlmLoss = sum / Math.max(1, predictions.length); // nothing selected: nothing to learn
  const nspLogits = texts.length > 1 ? [...bert.nextSentence(hidden)] : null;
  const nspLoss = nspLogits ? lossOf(nspLogits, IS_NEXT).loss : 0;
  return {
    predictions,
    mlm_loss: mlmLoss,
    nsp_logits: nspLogits,
    nsp_loss: nspLoss,
    loss: mlmLoss + nspLoss,
  };
}

/**
 * The scores of the classes: by the head that fine-tuning begins with, and after it.
 * @param {Input} input
 * @param {Model} pretrained
 * @param {Model} tuned
 * @returns {Classes}
 */
export function classScores({ ids, segments }, pretrained, tuned) {
  const before = beforeFineTuning(pretrained, tuned);
  const score = (/** @type {Model} */ { bert }) => [...bert.classify(bert.encode(ids, segments))];
  return {
    classes: tuned.labels,
    heads: [
      { name: "Before fine-tuning: the new head, at random", logits: score(before) },
      { name: "After fine-tuning: the lesson's sentiment model", logits: score(tuned) },
    ],
  };
}

/**
 * Whether the scores of its classes are there.
 * @param {Walk} walk
 * @returns {walk is Classified}
 */
export const isClassified = (walk) => walk.heads !== undefined;

/**
 * The cross-entropy of these scores: the log of the sum of all exp(logit), minus the true one.
 * @param {Float32Array | number[]} logits
 * @param {number} truth
 * @returns {Loss}
 */
export function lossOf(logits, truth) {
  const all = logSumExp(logits);
  return { logit: logits[truth], log_sum_exp: all, loss: all - logits[truth] };
}

/**
 * For each of a few scores its exp, and its share of the sum.
 * @param {string[]} names
 * @param {number[]} logits
 */
export function sharesOf(names, logits) {
  const shares = softmax(logits);
  return names.map((name, n) => ({
    name,
    logit: logits[n],
    exp: Math.exp(logits[n]),
    share: shares[n],
  }));
}

/**
 * The positions of the selected tokens.
 * @param {{fates: Fate[]}} input
 */
export const selectedOf = ({ fates }) => [...fates.keys()].filter((n) => fates[n]);

/**
 * The prediction that is followed closely: at [MASK] if there is one; undefined without any.
 * @param {{predictions: Prediction[], fates: Fate[]}} walk
 */
export function followed({ predictions, fates }) {
  return predictions.find(({ position }) => fates[position] === "masked") ?? predictions.at(0);
}

/**
 * The truth first, then the most likely pieces.
 * @param {Prediction} prediction
 * @returns {Candidate[]}
 */
export function candidates({ truth, logit, likeliest }) {
  const others = likeliest.filter(([piece]) => piece !== truth);
  return [[truth, logit], ...others];
}
