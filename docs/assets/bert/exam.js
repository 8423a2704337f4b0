/**
 * The four measures of the masking ablation, on text that is held out from training.
 *
 * Follows `Exam` of `bertlesson.lesson.small_mix`.
 */
import { argmax, readTags } from "./decode.js";
import { wordsAt } from "./losses.js";
import { hide, seededDraws } from "./masking.js";
import { fitProbe, score } from "./probe.js";
import { join } from "./trainer.js";

/** @typedef {import("./masking.js").Vocabulary} Vocabulary */
/** @typedef {import("./network.js").Network} Network */

/** @typedef {{ids: number[], segments: number[]}} Row */
/** @typedef {Row & {tags: string[]}} Tagged With a tag for each word. */

/**
 * @typedef {object} Questions
 * @property {Row[]} rows To hide tokens in.
 * @property {number} seed Of what is hidden.
 * @property {Tagged[]} labelled For the probe to learn from.
 * @property {Tagged[]} tested For the probe to be scored on.
 * @property {string[]} labels All tags.
 */

/**
 * @typedef {object} Asked
 * @property {Row} row As the model sees it.
 * @property {number[]} truth Its true ids.
 * @property {number[]} asked The tokens that the model has to name.
 */

const AT_ONCE = 32; // rows
const SHARE = 0.15;

export class Exam {
  /**
   * @param {Questions} questions
   * @param {Vocabulary} vocabulary
   */
  constructor({ rows, seed, labelled, tested, labels }, vocabulary) {
    /** @type {(mask: number, random: number) => ReturnType<typeof hide>[]} */
    const hidden = (mask, random) => {
      const draw = seededDraws(seed);
      return rows.map((row) => hide(row, { select: SHARE, mask, random }, draw, vocabulary));
    };
    this.masked = ask(rows, hidden(1, 0), (id) => id >= vocabulary.special);
    this.wrong = ask(rows, hidden(0, 1), (id, seen) => id !== seen);
    this.maskId = vocabulary.maskId;
    this.labelled = labelled;
    this.tested = tested;
    this.labels = labels;
  }

  /**
   * The shares that are right at [MASK], at visible and at replaced tokens, and the probe's F1.
   * @param {Network} network
   */
  scores(network) {
    const { maskId } = this;
    const masked = answers(network, this.masked);
    return [
      shareRight(masked.filter(({ seen }) => seen === maskId)),
      shareRight(masked.filter(({ seen }) => seen !== maskId)),
      shareRight(answers(network, this.wrong)),
      this.probe(network),
    ];
  }

  /**
   * F1 of the names that a linear layer finds in the vectors.
   * @param {Network} network
   */
  probe(network) {
    const { labels } = this;
    const width = network.config.hidden_size + 1;
    const numbers = this.labelled.flatMap(({ tags }) => tags.map((tag) => labels.indexOf(tag)));
    const given = vectorsOf(network, this.labelled);
    const weights = fitProbe(given, width, numbers, labels.length);
    const vectors = vectorsOf(network, this.tested);
    const counts = { found: 0, existing: 0, right: 0 };
    const scores = new Float64Array(labels.length);
    let at = 0;
    for (const { tags } of this.tested) {
      const guessed = tags.map((_, n) => {
        return labels[argmax(score(vectors, (at + n) * width, width, weights, scores))];
      });
      at += tags.length;
      const [names, found] = [tags, guessed].map((each) => new Set(readTags(each).map(written)));
      counts.existing += names.size;
      counts.found += found.size;
      counts.right += [...found].filter((name) => names.has(name)).length;
    }
    return (2 * counts.right) / (counts.found + counts.existing);
  }
}

/** @param {ReturnType<typeof readTags>[number]} entity */
const written = ({ first, after, kind }) => `${first} ${after} ${kind}`;

/**
 * @param {Row[]} rows
 * @param {Row[]} hidden The same rows as the model sees them.
 * @param {(id: number, seen: number) => boolean} isAsked
 * @returns {Asked[]}
 */
const ask = (rows, hidden, isAsked) =>
  hidden.map((row, n) => {
    const truth = rows[n].ids;
    const asked = [...truth.keys()].filter((token) => isAsked(truth[token], row.ids[token]));
    return { row, truth, asked };
  });

/**
 * What the model names where it is asked, with what it sees there and what is true.
 * @param {Network} network
 * @param {Asked[]} questions
 */
function answers(network, questions) {
  const given = [];
  for (let begin = 0; begin < questions.length; begin += AT_ONCE) {
    const some = questions.slice(begin, begin + AT_ONCE);
    const batch = join(some.map(({ row }) => row));
    const tokens = some.flatMap(({ asked }, n) => asked.map((token) => batch.starts[n] + token));
    const truth = some.flatMap((each) => each.asked.map((token) => each.truth[token]));
    const named = wordsAt(network, network.forward(batch), tokens);
    for (const [n, token] of tokens.entries()) {
      given.push({ seen: batch.ids[token], named: named[n], true: truth[n] });
    }
  }
  return given;
}

/** @param {ReturnType<typeof answers>} given */
const shareRight = (given) =>
  given.filter((answer) => answer.named === answer.true).length / given.length;

/**
 * The vectors of all words, each with a 1 at its end; [CLS] and [SEP] are left out.
 * @param {Network} network
 * @param {Row[]} rows
 */
function vectorsOf(network, rows) {
  const width = network.config.hidden_size;
  const words = rows.reduce((sum, { ids }) => sum + ids.length - 2, 0);
  const made = new Float64Array(words * (width + 1)).fill(1);
  let at = 0;
  for (let begin = 0; begin < rows.length; begin += AT_ONCE) {
    const { starts, ...batch } = join(rows.slice(begin, begin + AT_ONCE));
    const hidden = network.forward({ ...batch, starts });
    for (let row = 1; row < starts.length; row++) {
      for (let token = starts[row - 1] + 1; token < starts[row] - 1; token++) {
        made.set(hidden.subarray(token * width, (token + 1) * width), at);
        at += width + 1;
      }
    }
  }
  return made;
}
