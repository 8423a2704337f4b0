/**
 * For each head, the loss of a batch, and its gradient with respect to the encoder's vectors.
 *
 * The heads have the names of `Bert`'s methods. Labels are those of `bertlesson.heads`, -100 where
 * there is nothing to learn.
 */
import {
  crossEntropy,
  geluBackward,
  IGNORED,
  tanhBackward,
} from "./backward.js";
import { argmax } from "./decode.js";
import { gelu } from "./layers.js";

/** @typedef {import("./layers.js").Vectors} Vectors */
/** @typedef {import("./network.js").Batch} Batch */
/** @typedef {import("./network.js").Network} Network */

/**
 * A text with what is to be learned from it.
 * @typedef {object} Example
 * @property {number[]} ids
 * @property {number[]} segments
 * @property {number} [label] Of the whole text: its class, or whether B is random.
 * @property {number[]} [labels] For each token its class, or the piece that is hidden here.
 * @property {[number, number]} [span] The first and the last token of the answer; a place outside
 *   the text is ignored.
 */

/** @typedef {ReturnType<typeof crossEntropy>} Outcome */

/**
 * @callback Head
 * @param {Network} network
 * @param {Vectors} hidden `(tokens, hidden)`
 * @param {Batch} batch
 * @param {Example[]} examples
 * @param {Vectors} dHidden `(tokens, hidden)`, added to
 * @returns {Outcome}
 */

const WORDS = "bert.embeddings.word_embeddings.weight";
const MLM = "cls.predictions";
const NSP = "cls.seq_relationship";

/** @type {Record<string, Head>} */
export const HEADS = {
  /** One class for each text, from the pooled [CLS]. */
  classify: (...given) => wholeText("classifier", 1, ...given),

  /** Whether B is random, from the pooled [CLS]. */
  nextSentence: (...given) => wholeText(NSP, 1, ...given),

  /** One class for each token. */
  labelTokens(network, hidden, _, examples, dHidden) {
    const scores = network.linear("classifier", hidden); // (tokens, classes)
    const classes = network.weight("classifier.bias").length;
    const outcome = crossEntropy(scores, classes, tokenLabels(examples));
    network.linearBackward("classifier", scores, hidden, dHidden);
    return outcome;
  },

  maskedLM(network, hidden, _, examples, dHidden) {
    const labels = tokenLabels(examples);
    const selected = [...labels.keys()].filter(
      (token) => labels[token] !== IGNORED,
    );
    const chosen = gather(network, "chosen", hidden, selected); // (selected, hidden)
    const { inner, active, vectors, scores } = wordScores(network, chosen);
    const classes = network.weight(`${MLM}.bias`).length;
    const targets = selected.map((token) => labels[token]);
    const outcome = crossEntropy(scores, classes, targets);
    // --8<-- [start:tied]
    // The decoder is the table of word embeddings: it gets a gradient
    // here, for every piece, and another one where the tokens were read.
    const dVectors = network.buffers.zeros("mlm dVectors", vectors.length);
    network.scoresBackward(scores, vectors, dVectors, WORDS, `${MLM}.bias`);
    // --8<-- [end:tied]
    network.layerNormBackward(`${MLM}.transform.LayerNorm`, dVectors, active);
    geluBackward(dVectors, inner);
    const dChosen = network.buffers.zeros("dChosen", chosen.length);
    network.linearBackward(`${MLM}.transform.dense`, dVectors, chosen, dChosen);
    scatter(network, dChosen, selected, dHidden);
    return outcome;
  },

  /** Where an answer starts and where it ends: the classes are a text's tokens. */
  spans(network, hidden, { starts }, examples, dHidden) {
    const scores = network.linear("qa_outputs", hidden); // (tokens, 2)
    const outcome = { loss: 0, right: 0, count: 0 };
    for (const column of [0, 1]) {
      const places = examples.map(({ span }, text) => {
        const place = needed(span, "span", text)[column];
        return place >= 0 && place < starts[text + 1] - starts[text]
          ? place
          : IGNORED;
      });
      const known = Math.max(
        1,
        places.filter((place) => place !== IGNORED).length,
      );
      places.forEach((place, text) => {
        const length = starts[text + 1] - starts[text];
        const own = network.buffers.take("span scores", length);
        for (let i = 0; i < length; i++)
          own[i] = scores[(starts[text] + i) * 2 + column];
        const { loss, right, count } = crossEntropy(own, length, [place]);
        // the mean over the texts, then over start and end
        outcome.loss += loss / known / 2;
        outcome.right += right;
        outcome.count += count;
        for (let i = 0; i < length; i++) {
          scores[(starts[text] + i) * 2 + column] = own[i] / known / 2;
        }
      });
    }
    network.linearBackward("qa_outputs", scores, hidden, dHidden);
    return outcome;
  },

  /** Both objectives, added; the configuration may give NSP another weight than 1. */
  pretrain(...given) {
    const words = HEADS.maskedLM(...given);
    const pairs = wholeText(NSP, given[0].config.nsp_weight ?? 1, ...given);
    return {
      loss: words.loss + pairs.loss,
      right: words.right + pairs.right,
      count: words.count + pairs.count,
    };
  },
};

/**
 * Scores of the vocabulary, `(selected, vocab)`, and what the way back needs of the layers before.
 * @param {Network} network
 * @param {Vectors} chosen `(selected, hidden)`
 */
function wordScores(network, chosen) {
  const inner = network.linear(`${MLM}.transform.dense`, chosen);
  const active = gelu(inner, network.buffers.take("mlm active", inner.length));
  const vectors = network.layerNorm(`${MLM}.transform.LayerNorm`, active);
  const scores = network.scores(MLM, vectors, WORDS, `${MLM}.bias`);
  return { inner, active, vectors, scores };
}

/**
 * The piece with the highest score at each of some tokens.
 * @param {Network} network
 * @param {Vectors} hidden `(tokens, hidden)`
 * @param {number[]} tokens
 */
export function wordsAt(network, hidden, tokens) {
  const { scores } = wordScores(
    network,
    gather(network, "chosen", hidden, tokens),
  );
  const pieces = network.weight(`${MLM}.bias`).length;
  return tokens.map((_, n) =>
    argmax(scores.subarray(n * pieces, (n + 1) * pieces)),
  );
}

/**
 * Which weights a head trains: those that it uses.
 * @param {string} head
 * @param {string} name Of a weight.
 */
export function uses(head, name) {
  const own = {
    classify: ["bert.pooler.", "classifier."],
    nextSentence: ["bert.pooler.", "cls.seq_relationship."],
    labelTokens: ["classifier."],
    maskedLM: ["cls.predictions."],
    spans: ["qa_outputs."],
    pretrain: ["bert.pooler.", "cls."],
  }[head];
  const prefixes = ["bert.embeddings.", "bert.encoder.", ...(own ?? [])];
  return prefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * @param {string} layer
 * @param {number} weight Of the loss.
 * @param {Network} network
 * @param {Vectors} hidden
 * @param {Batch} batch
 * @param {Example[]} examples
 * @param {Vectors} dHidden
 */
// --8<-- [start:whole-text]
function wholeText(
  layer,
  weight,
  network,
  hidden,
  { starts },
  examples,
  dHidden,
) {
  const firsts = starts.slice(0, -1); // where the [CLS] are
  const cls = gather(network, "cls", hidden, firsts); // (texts, hidden)
  const pooled = network.linear("bert.pooler.dense", cls);
  for (let k = 0; k < pooled.length; k++) pooled[k] = Math.tanh(pooled[k]);
  const scores = network.linear(layer, pooled); // (texts, classes)
  const classes = network.weight(`${layer}.bias`).length;
  const labels = examples.map(({ label }, text) =>
    needed(label, "label", text),
  );
  const outcome = crossEntropy(scores, classes, labels);
  // and back: the scores now hold their gradient
  outcome.loss *= weight;
  for (let k = 0; k < scores.length; k++) scores[k] *= weight;
  const dPooled = network.buffers.zeros("dPooled", pooled.length);
  network.linearBackward(layer, scores, pooled, dPooled);
  tanhBackward(dPooled, pooled);
  const dCls = network.buffers.zeros("dCls", cls.length);
  network.linearBackward("bert.pooler.dense", dPooled, cls, dCls);
  scatter(network, dCls, firsts, dHidden);
  return outcome;
}
// --8<-- [end:whole-text]

/**
 * The vectors of some tokens, `(chosen, hidden)`.
 * @param {Network} network
 * @param {string} name
 * @param {Vectors} hidden
 * @param {number[]} tokens
 */
function gather({ config, buffers }, name, hidden, tokens) {
  const width = config.hidden_size;
  const made = buffers.take(name, tokens.length * width);
  tokens.forEach((token, n) => {
    made.set(hidden.subarray(token * width, (token + 1) * width), n * width);
  });
  return made;
}

/**
 * Adds the gradients of gathered vectors to where the vectors came from.
 * @param {Network} network
 * @param {Vectors} dChosen `(chosen, hidden)`
 * @param {number[]} tokens
 * @param {Vectors} dHidden `(tokens, hidden)`
 */
function scatter({ config }, dChosen, tokens, dHidden) {
  const width = config.hidden_size;
  tokens.forEach((token, n) => {
    for (let k = 0; k < width; k++)
      dHidden[token * width + k] += dChosen[n * width + k];
  });
}

/** @param {Example[]} examples */
const tokenLabels = (examples) =>
  examples.flatMap(({ labels }, text) => needed(labels, "labels", text));

/**
 * @template Label
 * @param {Label | undefined} label
 * @param {string} name
 * @param {number} text
 */
function needed(label, name, text) {
  if (label === undefined)
    throw new Error(`text ${text} has no ${name}; this head needs them`);
  return label;
}
