/** A run of the small mix, from the build's file to its measurements. No page is needed. */
import { randomBert } from "../../bert/initial.js";
import { seededDraws } from "../../bert/masking.js";
import { train } from "../../bert/training.js";

/** @typedef {import("../../bert/course.js").Task} Task */
/** @typedef {import("../../bert/masking.js").Recipe} Recipe */
/** @typedef {import("./model.js").Material} Material */
/** @typedef {import("./model.js").Point} Point */

/**
 * What a run starts from, and everything that decides it: see `train` of
 * `bertlesson.lesson.small_mix`, which draws the same numbers.
 * @param {Material} material
 * @param {Recipe} recipe
 * @param {number} seed
 * @returns {{bert: import("../../bert/bert.js").Bert, task: Omit<Task, "tensors" | "config">}}
 */
export function prepare(material, recipe, seed) {
  const { settings, pieces, special, labels } = material;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const id = (/** @type {string} */ piece) => /** @type {number} */ (ids.get(piece));
  const encode = (/** @type {string} */ text) => {
    const words = text.split(" ").map((word) => ids.get(word) ?? id("[UNK]"));
    const row = [id("[CLS]"), ...words, id("[SEP]")];
    return { ids: row, segments: row.map(() => 0) };
  };
  const tagged = (/** @type {[string, string][]} */ pairs) =>
    pairs.map(([text, tags]) => ({ ...encode(text), tags: tags.split(" ") }));
  const rows = material.stories.flatMap((story) =>
    story.slice(1).map((sentence, n) => encode(`${story[n]} ${sentence}`)),
  );
  const [heldOut, labelled, tested] = [
    material.heldOut.map(encode),
    tagged(material.labelled),
    tagged(material.tested),
  ];
  const config = {
    hidden_act: "gelu",
    hidden_size: settings.hidden_size,
    intermediate_size: settings.intermediate_size,
    layer_norm_eps: 1e-12,
    max_position_embeddings: settings.longest,
    num_attention_heads: settings.heads,
    num_hidden_layers: settings.layers,
    vocab_size: pieces.length,
  };
  const spread = settings.initializer_range;
  const { steps, learning_rate: learningRate, beta2 } = settings;
  const vocabulary = { maskId: id("[MASK]"), vocabSize: pieces.length, special };
  return {
    bert: randomBert(config, "maskedLM", 0, seededDraws(3 * seed), spread),
    task: {
      head: "maskedLM",
      options: { learningRate, steps, betas: [0.9, beta2] },
      examples: rows,
      batchSize: settings.batch_size,
      seed: 3 * seed + 1,
      masking: { recipe, vocabulary, seed: 3 * seed + 2 },
      questions: { rows: heldOut, seed: settings.held_out_seed, labelled, tested, labels },
      every: settings.every,
      atStart: true,
    },
  };
}

/**
 * @param {Material} material
 * @param {Recipe} recipe
 * @param {number} seed
 * @param {{onStep: (step: number) => void, onPoint: (point: Point) => void, signal: AbortSignal}} listening
 * @returns {Promise<number>} How many steps were taken.
 * @throws {Error} With a message for the reader.
 */
export async function run(material, recipe, seed, { onStep, onPoint, signal }) {
  const { bert, task } = prepare(material, recipe, seed);
  const point = gather(onPoint);
  const { taken } = await train(bert, task, {
    signal,
    onProgress: (progress) => {
      onStep(progress.step);
      point(progress);
    },
  });
  return taken;
}

/**
 * Turns what is told of each step into points: the mean loss since the last one, and the scores.
 * @param {(point: Point) => void} onPoint
 */
export function gather(onPoint) {
  let [sum, count] = [0, 0];
  return (/** @type {import("../../bert/course.js").Progress} */ { step, loss, scores }) => {
    if (step > 0) {
      sum += loss;
      count += 1;
    }
    if (!scores) return;
    onPoint({ step, loss: count ? sum / count : null, scores });
    [sum, count] = [0, 0];
  };
}
