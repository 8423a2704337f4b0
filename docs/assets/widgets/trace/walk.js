// @ts-nocheck: its types are still to be written
/**
 * One input on its way to the losses, number by number.
 *
 * A walk has the names and shapes of trace.json, which examples/trace.py leaves for the input that
 * the page walks through; here the same is computed for a reader's sentences, without what needs
 * the gradient.
 */
import { logSumExp, softmax } from "../../bert/bert.js";
import { ranking } from "../../bert/decode.js";
import { maskTokens, seededDraws } from "../../bert/masking.js";
import { beforeFineTuning } from "../../bert/model.js";
import { IS_NEXT } from "../../bert/pairs.js";

export const RECIPE = { select: 0.15, mask: 0.8, random: 0.1 };
const SHOWN = 4; // of the most likely pieces

/** A text as A and B: the first sentence, and what follows it, null if nothing does. */
export function sentences(text) {
  const plain = text.trim().replace(/\s+/g, " ");
  const found = /^(.*?[.!?…。！？]["'”’»)]?) (.+)$/u.exec(plain);
  return found ? [found[1], found[2]] : [plain, null];
}

/** The walk of a reader's text, with the draws of this seed. */
export function walkOf({ bert, tokenizer, longest }, text, seed) {
  const texts = sentences(text);
  const encoded = tokenizer.encode(...texts, { longest });
  const vocabulary = { maskId: tokenizer.ids.get("[MASK]"), vocabSize: tokenizer.pieces.length };
  const draw = seededDraws(seed);
  const drawn = encoded.tokens.map((token) => {
    const draws = []; // of this token: to select it, to decide its fate
    const [masked] = maskTokens([token], RECIPE, () => (draws[draws.length] = draw()), vocabulary);
    return { ...masked, draws };
  });
  const walk = {
    own: true,
    cut: encoded.cut,
    texts: texts.filter((sentence) => sentence !== null),
    pieces: encoded.tokens.map(({ piece }) => piece),
    ids: encoded.ids,
    segments: encoded.segments,
    selectable: encoded.tokens.map(({ structural }) => !structural),
    select_draw: drawn.map(({ draws }) => draws[0]),
    fate_draw: drawn.map(({ draws }) => draws[1]),
    fates: drawn.map(({ fate }) => fate),
    seen: drawn.map(({ id }) => tokenizer.pieces[id]),
    vocabulary: tokenizer.pieces.length,
  };
  return { ...walk, ...losses(bert, tokenizer, walk) };
}

/** Both pretraining losses of a walk, from what the model sees of it. */
export function losses(bert, tokenizer, { ids, segments, fates, seen, texts }) {
  const hidden = bert.encode(
    seen.map((piece) => tokenizer.ids.get(piece)),
    segments,
  );
  const positions = [...fates.keys()].filter((position) => fates[position]);
  const predictions = bert.maskedLM(hidden, positions).map((logits, row) => {
    const position = positions[row];
    const likeliest = ranking(logits).slice(0, SHOWN);
    return {
      position,
      truth: tokenizer.pieces[ids[position]],
      ...lossOf(logits, ids[position]),
      likeliest: likeliest.map((id) => [tokenizer.pieces[id], logits[id]]),
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

/** The scores of the classes: by the head that fine-tuning begins with, and after it. */
export function classScores(walk, pretrained, tuned) {
  const before = beforeFineTuning(pretrained, tuned);
  const score = ({ bert }) => [...bert.classify(bert.encode(walk.ids, walk.segments))];
  return [
    { name: "Before fine-tuning: the new head, at random", logits: score(before) },
    { name: "After fine-tuning: the lesson's sentiment model", logits: score(tuned) },
  ];
}

/** The cross-entropy of these scores: the log of the sum of all exp(logit), minus the true one. */
export function lossOf(logits, truth) {
  const all = logSumExp(logits);
  return { logit: logits[truth], log_sum_exp: all, loss: all - logits[truth] };
}

/** For each of a few scores its exp, and its share of the sum. */
export const sharesOf = (names, logits) => {
  const shares = softmax(logits);
  return names.map((name, n) => ({
    name,
    logit: logits[n],
    exp: Math.exp(logits[n]),
    share: shares[n],
  }));
};
