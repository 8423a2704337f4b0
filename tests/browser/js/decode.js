/** For test_decode.py: what the page's modules make of scores, tags and texts. */
import { decodeAnswer, decodeEntities, findWords, readTags } from "/assets/bert/decode.js";
import { beforeFineTuning, loadModel } from "/assets/bert/model.js";
import { Tokenizer } from "/assets/bert/tokenizer.js";

/** @typedef {"before" | "after"} Stage Of fine-tuning. */
/** @typedef {{start: number[], end: number[]}} Scores Of answers, for each token. */

/**
 * The entities of texts, with the scores given or with a model's own.
 * @param {[stage: Stage, texts: string[], scores: number[][][] | null]} given
 */
export async function entitiesOf([stage, texts, given]) {
  const { bert, labels, longest, tokenizer } = await modelOf("entities", stage);
  return texts.map((text, n) => {
    const { ids, segments, tokens } = tokenizer.encode(text, null, { longest });
    const scores = given?.[n].slice(0, ids.length) ?? bert.labelTokens(bert.encode(ids, segments));
    const found = decodeEntities(scores, findWords(tokens), labels);
    return found.map(({ start, end, kind }) => [start, end, kind]);
  });
}

/**
 * The answers to questions, with the scores given or with a model's own.
 * @param {[stage: Stage, pairs: [string, string][], scores: Scores[] | null]} given
 */
export async function answersOf([stage, pairs, given]) {
  const { bert, longest, tokenizer } = await modelOf("spans", stage);
  return pairs.map(([question, context], n) => {
    const encoded = tokenizer.encode(question, context, { longest, keepA: true });
    const { ids, segments, tokens } = encoded;
    const scores = given?.[n] ?? bert.spans(bert.encode(ids, segments));
    const { span, none, answered } = decodeAnswer(scores, tokens);
    if (!span) throw new Error(`The context of “${question}” has no token.`);
    return { places: [span.start, span.end], score: span.score, none, answered };
  });
}

/**
 * @param {string} file
 * @param {Stage} stage
 */
async function modelOf(file, stage) {
  const [pretrained, tuned] = await Promise.all([loadModel("pretrained"), loadModel(file)]);
  return stage === "before" ? beforeFineTuning(pretrained, tuned) : tuned;
}

/**
 * The entities of rows of tags, each on a word of five characters.
 * @param {string[][]} rows
 */
export function entitiesOfTags(rows) {
  return rows.map((tags) => {
    const labels = [...new Set(tags)].sort();
    const scores = tags.flatMap((tag) => [[], labels.map((label) => Number(label === tag))]);
    const words = tags.map((_, n) => ({ at: 2 * n + 1, start: 10 * n, end: 10 * n + 5 }));
    const found = decodeEntities(scores, words, labels);
    return found.map(({ start, end, kind }) => [start / 10, (end + 5) / 10, kind]);
  });
}

/**
 * What is said of labels that cannot be read.
 * @param {string[]} labels
 */
export function messagesOn(labels) {
  return labels.map((label) => {
    try {
      return readTags(["O", label]);
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
  });
}

/**
 * The places of the words of texts.
 * @param {[vocab: string[], texts: string[]]} given
 */
export function wordsOf([vocab, texts]) {
  const tokenizer = new Tokenizer(vocab);
  return texts.map((text) =>
    findWords(tokenizer.encode(text).tokens).map(({ at, start, end }) => [at, start, end]),
  );
}
