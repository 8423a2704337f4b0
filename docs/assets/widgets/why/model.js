/** What the widget "why" computes: what a finding rests on, layer by layer, text by text. */
import { argmax, decodeAnswer, decodeEntities, findWords, ranking } from "../../bert/decode.js";
import { logSumExp, softmax } from "../../bert/scores.js";
import { encode as encodeFor, inWords, KINDS } from "../heads/model.js";

/** @typedef {import("../../bert/model.js").Model} Model */
/** @typedef {import("../heads/model.js").Input} Input */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Task} Task */
/** @typedef {ArrayLike<number>} Scores */

export const MASK = "[MASK]";
const LIKELY = 0.01; // a piece with less in both texts is not compared
const SMALL = 0.25; // change of log-odds, a fifth of the odds

/**
 * Something that a model has found in a text.
 * @typedef {object} Finding
 * @property {string} name As a reader sees it.
 * @property {number} place The position that it is read at; of several, the first.
 * @property {{row: number, at: number}[]} choices All must hold: class `at` in this row of scores.
 */

/** @typedef {{place: number, change: number}} Covering What covering one token does. */

/**
 * The log-odds that all of these classes are chosen, each in a row of its own:
 * log(p / (1 - p)), where p is the product of their probabilities.
 * @param {{scores: Scores, at: number}[]} choices
 */
export function logOdds(choices) {
  let loss = 0; // -log p
  for (const { scores, at } of choices) {
    const others = Array.from(scores).filter((_, other) => other !== at);
    const odds = scores[at] - logSumExp(others);
    loss += Math.log1p(Math.exp(-Math.abs(odds))) + Math.max(0, -odds);
  }
  return loss > 30 ? -loss : -Math.log(Math.expm1(loss)); // no exp overflows
}

/**
 * The model's input: the text, behind the question if there is one to answer.
 * @param {Pick<Model, "tokenizer" | "longest">} model
 * @param {State} state
 */
export const encode = (model, { task, text, question }) =>
  encodeFor(model, { task: task === "question" ? task : "sentiment", text, question });

/**
 * Whether a token can be covered.
 * @param {{piece: string, structural?: boolean}} token
 */
export const isCoverable = ({ piece, structural }) => !structural && piece !== MASK;

/**
 * The scores that a task is decided by, a row for each decision.
 * @param {Task} task
 * @param {Model["bert"]} bert
 * @param {Float32Array} hidden
 * @param {number} place Of the guess.
 * @returns {Scores[]}
 */
function rowsOf(task, bert, hidden, place) {
  if (task === "guess") return bert.maskedLM(hidden, [place]);
  if (task === "sentiment") return [bert.classify(hidden)];
  if (task === "entities") return bert.labelTokens(hidden);
  const { start, end } = bert.spans(hidden);
  return [start, end];
}

/**
 * What the model finds in an input: a guess for each [MASK], one verdict, entities, one answer.
 * @param {Task} task
 * @param {Pick<Model, "bert" | "tokenizer" | "labels">} model
 * @param {Input} input
 * @param {string} text
 * @returns {Finding[]}
 */
export function findingsOf(task, { bert, tokenizer, labels }, { ids, segments, tokens }, text) {
  const hidden = bert.encode(ids, segments);
  if (task === "guess") {
    return placesOf(tokens).map((place) => {
      const at = argmax(bert.maskedLM(hidden, [place])[0]);
      return { name: tokenizer.pieces[at], place, choices: [{ row: 0, at }] };
    });
  }
  if (task === "sentiment") {
    const at = argmax(bert.classify(hidden));
    return [{ name: labels[at], place: 0, choices: [{ row: 0, at }] }];
  }
  if (task === "entities") return entitiesOf(bert.labelTokens(hidden), tokens, labels, text);
  return [answerOf(bert.spans(hidden), tokens, text)];
}

/** @param {{piece: string}[]} tokens */
export const placesOf = (tokens) =>
  [...tokens.keys()].filter((place) => tokens[place].piece === MASK);

/**
 * @param {Float32Array[]} scores
 * @param {Input["tokens"]} tokens
 * @param {string[]} labels
 * @param {string} text
 */
function entitiesOf(scores, tokens, labels, text) {
  const words = findWords(tokens);
  return decodeEntities(scores, words, labels).map((entity) => {
    const own = words.filter(({ start, end }) => start >= entity.start && end <= entity.end);
    return {
      name: `${text.slice(entity.start, entity.end)}, ${KINDS[entity.kind]}`,
      place: own[0].at,
      choices: own.map(({ at }) => ({ row: at, at: argmax(scores[at]) })),
    };
  });
}

/**
 * @param {{start: number[], end: number[]}} scores
 * @param {Input["tokens"]} tokens
 * @param {string} text
 */
function answerOf(scores, tokens, text) {
  const { span, none, answered } = decodeAnswer(scores, tokens);
  const isContext = (/** @type {number} */ place) =>
    tokens[place].segment === 1 && !tokens[place].structural;
  const places = [...tokens.keys()].filter(isContext);
  const found = answered && span ? span : null;
  // "no answer" starts and ends at [CLS]
  const first = places.find((place) => tokens[place].start === found?.start) ?? 0;
  const last = places.find((place) => tokens[place].reach === found?.end) ?? 0;
  const name = found
    ? inWords({ task: "question", span: found, none, answered }, text)
    : "no answer";
  return {
    name,
    place: first,
    choices: [
      { row: 0, at: first },
      { row: 1, at: last },
    ],
  };
}

/**
 * Covers each token in turn, one pass each: how much do the log-odds of the finding change?
 * @param {Task} task
 * @param {Pick<Model, "bert" | "tokenizer">} model
 * @param {Pick<Input, "ids" | "segments" | "tokens">} input
 * @param {Finding} finding
 * @returns {Generator<Covering>}
 */
export function* coverings(task, { bert, tokenizer }, { ids, segments, tokens }, finding) {
  const mask = /** @type {number} */ (tokenizer.ids.get(MASK));
  const { place, choices } = finding;
  const oddsOf = (/** @type {number[]} */ seen) => {
    const rows = rowsOf(task, bert, bert.encode(seen, segments), place);
    return logOdds(choices.map(({ row, at }) => ({ scores: rows[row], at })));
  };
  const whole = oddsOf(ids);
  for (const [covered, token] of tokens.entries()) {
    if (!isCoverable(token)) continue;
    const seen = ids.map((id, at) => (at === covered ? mask : id));
    yield { place: covered, change: oddsOf(seen) - whole };
  }
}

/**
 * How each head divides its attention at a position: a row for each, layer by layer.
 * @param {Pick<Model, "bert">} model
 * @param {Pick<Input, "ids" | "segments">} input
 * @param {number} place
 */
export function attentionFrom({ bert }, { ids, segments }, place) {
  const { length } = ids;
  return bert.lookInside(ids, segments).shares.flatMap((shares) => {
    const rows = [];
    for (let from = place * length; from < shares.length; from += length * length) {
      rows.push(shares.subarray(from, from + length));
    }
    return rows;
  });
}

/**
 * The token that the finding needs most, and the one that the heads attend to most.
 * @param {Covering[]} covered Not empty.
 * @param {Float32Array[]} heads See `attentionFrom`.
 */
export function compare(covered, heads) {
  const meanAt = (/** @type {number} */ place) =>
    heads.reduce((sum, shares) => sum + shares[place], 0) / heads.length;
  const needed = covered.reduce((best, one) => (one.change < best.change ? one : best));
  const looked = covered.reduce((best, one) =>
    meanAt(one.place) > meanAt(best.place) ? one : best,
  );
  const agreeing = heads.filter((shares) =>
    covered.every(({ place }) => shares[place] <= shares[needed.place]),
  ).length;
  return { needed, looked, share: meanAt(looked.place), agreeing, heads: heads.length };
}

/**
 * The sentence on where the two disagree.
 * @param {ReturnType<typeof compare>} found
 * @param {{piece: string}[]} tokens
 * @param {string} what Was found, such as "the guess “felix”".
 */
export function verdictOn({ needed, looked, share, agreeing, heads }, tokens, what) {
  const [one, other] = [needed, looked].map(({ place }) => `“${tokens[place].piece}”`);
  const attended = `${Math.round(100 * share)}% on average`;
  if (needed.change > -SMALL) {
    return (
      `They disagree: no single token is needed for ${what}, since covering any one hardly ` +
      `lowers it; yet the heads attend most to ${other}, ${attended}.`
    );
  }
  const hurts = `covering ${one} hurts ${what} most (${signed(needed.change)})`;
  if (needed.place === looked.place) {
    return `They agree: ${hurts}, and the heads attend most to it, ${attended}.`;
  }
  const few = agreeing ? `${agreeing} of the ${heads} heads` : `none of the ${heads} heads`;
  return (
    `They disagree: ${hurts}, but it is first in ${few}; most attention goes to ${other} ` +
    `(${attended}), and covering that changes it by ${signed(looked.change)}.`
  );
}

/**
 * What the MLM head makes of each layer's vector at a position.
 * @param {Pick<Model, "bert" | "tokenizer">} model
 * @param {Pick<Input, "ids" | "segments">} input
 * @param {number} place
 */
export function layersOf({ bert, tokenizer }, { ids, segments }, place) {
  const { hidden } = bert.lookInside(ids, segments);
  const scores = hidden.map((vectors) => bert.maskedLM(vectors, [place])[0]);
  const guess = argmax(scores[scores.length - 1]);
  const layers = scores.map((row, layer) => ({
    name: layer ? `After layer ${layer}` : "Embeddings",
    ...ranked(row, guess, tokenizer.pieces),
  }));
  return { guess: tokenizer.pieces[guess], layers };
}

/**
 * All pieces, the most likely first, and where the guess stands among them.
 * @param {Float32Array} scores
 * @param {number} guess
 * @param {string[]} pieces
 */
function ranked(scores, guess, pieces) {
  const shares = softmax(scores);
  const order = ranking(shares);
  return {
    ranked: order.map((id) => ({ piece: pieces[id], share: shares[id] })),
    rank: order.indexOf(guess),
  };
}

/**
 * What the model makes of a position at a moment of its training, beside its guess at the end.
 * @param {Pick<Model, "bert">} then
 * @param {Pick<Model, "bert" | "tokenizer">} trained
 * @param {Pick<Input, "ids" | "segments">} input
 * @param {number} place
 */
export function momentOf(then, { bert, tokenizer }, { ids, segments }, place) {
  const [before, after] = [then.bert, bert].map(
    (one) => one.maskedLM(one.encode(ids, segments), [place])[0],
  );
  const guess = argmax(after);
  return { guess: tokenizer.pieces[guess], ...ranked(before, guess, tokenizer.pieces) };
}

/**
 * The guess of a moment, in a sentence.
 * @param {ReturnType<typeof momentOf>} found
 * @param {string} when
 */
export function guessOf({ guess, ranked: [first], rank }, when) {
  const said = `${when}, the guess is “${first.piece}”, ${Math.round(100 * first.share)}%`;
  return rank ? `${said}; “${guess}”, its guess at the end, has rank ${rank + 1}.` : `${said}.`;
}

/**
 * When the guess appears, in a sentence.
 * @param {ReturnType<typeof layersOf>} found
 */
export function appearance({ guess, layers }) {
  // from the end, since it may lead once and then no more
  const first = layers.findLastIndex(({ rank }) => rank > 0) + 1;
  if (first === 0) return `“${guess}” leads from the start: its position alone suggests it.`;
  const before = layers[first - 1];
  const where = first - 1 ? `after layer ${first - 1}` : "at the embeddings";
  const when = first === layers.length - 1 ? "only after the last layer" : `after layer ${first}`;
  return `“${guess}” leads ${when}; ${where} it has rank ${before.rank + 1}, behind “${before.ranked[0].piece}”.`;
}

/**
 * How the guesses at one position differ from those at another, the largest difference first.
 * @param {Pick<Model, "bert" | "tokenizer">} model
 * @param {{input: Pick<Input, "ids" | "segments">, place: number}[]} both
 */
export function differences({ bert, tokenizer }, both) {
  const [one, other] = both.map(
    ({ input: { ids, segments }, place }) => bert.maskedLM(bert.encode(ids, segments), [place])[0],
  );
  const [before, after] = [softmax(one), softmax(other)];
  const likely = [...before.keys()].filter((id) => Math.max(before[id], after[id]) >= LIKELY);
  return likely
    .map((at) => {
      const change = logOdds([{ scores: other, at }]) - logOdds([{ scores: one, at }]);
      return { piece: tokenizer.pieces[at], change, before: before[at], after: after[at] };
    })
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
}

/**
 * A change as it is written: +0.3, −6.8, 0.0.
 * @param {number} change
 */
export function signed(change) {
  const size = Math.abs(change).toFixed(1);
  if (Number(size) === 0) return size;
  return `${change < 0 ? "−" : "+"}${size}`;
}
