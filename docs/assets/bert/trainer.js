/**
 * Trains a model in the page: one call of `step` is one update of all weights.
 *
 *     const trainer = new Trainer(bert, "classify", { learningRate: 1e-3, steps: 100 });
 *     const { loss } = trainer.step(examples);
 *
 * Follows `bertlesson.finetuning.fine_tune` and `bertlesson.training.take_step`. The same examples
 * in the same order give the same weights, bit for bit.
 */
import { Bert } from "./bert.js";
import { HEADS, uses } from "./losses.js";
import { Network } from "./network.js";
import { AdamW, clip, PAPERS, scheduled } from "./optimizer.js";

/** @typedef {import("./losses.js").Example} Example */
/** @typedef {import("./network.js").Batch} Batch */
/** @typedef {import("./safetensors.js").Tensor} Tensor */

/**
 * @typedef {object} Options
 * @property {number} learningRate The highest, at the end of the warm-up.
 * @property {number} steps How many there will be; the learning rate falls to 0 there.
 * @property {number} [warmupSteps] A tenth of the steps, if it is not given.
 * @property {number} [longest] Of the gradients together, see `clip`; 1 as in the release.
 * @property {[number, number]} [betas]
 * @property {number} [weightDecay]
 */

export class Trainer {
  /** How many steps have been taken. */
  taken = 0;

  /**
   * @param {Bert} bert Has the head's weights, too, see `initial.js`; it does not change.
   * @param {string} head One of `losses.js`: "classify", "labelTokens", "spans", "maskedLM",
   *   "nextSentence" or "pretrain".
   * @param {Options} options
   */
  constructor(bert, head, options) {
    if (!Object.hasOwn(HEADS, head)) {
      throw new Error(
        `${head} is no head; expected one of ${Object.keys(HEADS).join(", ")}`,
      );
    }
    const {
      steps,
      warmupSteps = Math.floor(steps / 10),
      longest = 1,
      ...others
    } = options;
    if (!(warmupSteps >= 0 && warmupSteps < steps)) {
      throw new Error(
        `${warmupSteps} of ${steps} steps are warm-up; expected fewer than all`,
      );
    }
    this.head = HEADS[head];
    this.options = { ...PAPERS, ...others, steps, warmupSteps, longest };
    /** @type {Map<string, Tensor>} Copies, which are trained. */
    const tensors = new Map();
    for (const [name, { shape, data }] of bert.tensors) {
      if (uses(head, name)) tensors.set(name, { shape, data: data.slice() });
    }
    this.network = new Network(tensors, bert.config);
    const { betas, epsilon, weightDecay } = this.options;
    this.optimizer = new AdamW(tensors, { betas, epsilon, weightDecay });
  }

  /** The weights that are trained, by name, as they are now. */
  get tensors() {
    return this.network.tensors;
  }

  /** The learning rate of the next step. */
  get learningRate() {
    const { learningRate, warmupSteps, steps } = this.options;
    return learningRate * scheduled(this.taken, warmupSteps, steps);
  }

  /**
   * One update of all weights.
   * @param {Example[]} examples
   * @returns {{loss: number, length: number, right: number, count: number}} The mean loss before
   *   the update, in nats; the length of all gradients together before they were clipped; and how
   *   many of how many labels had the highest score.
   */
  // --8<-- [start:step]
  step(examples) {
    const outcome = this.gradients(examples);
    const length = clip(
      [...this.network.gradients.values()],
      this.options.longest,
    );
    this.optimizer.step(this.network.gradients, this.learningRate);
    this.taken += 1;
    return { ...outcome, length };
  }
  // --8<-- [end:step]

  /**
   * Fills `network.gradients`, and changes nothing else.
   * @param {Example[]} examples
   */
  // --8<-- [start:gradients]
  gradients(examples) {
    const batch = join(examples, this.network.config.max_position_embeddings);
    this.network.clear();
    const hidden = this.network.forward(batch);
    const dHidden = this.network.buffers.zeros("dHidden", hidden.length);
    const outcome = this.head(this.network, hidden, batch, examples, dHidden);
    this.network.backward(batch, dHidden);
    return outcome;
  }
  // --8<-- [end:gradients]

  /**
   * How well the model does on examples now; it learns nothing from them.
   * @param {Example[]} examples
   */
  evaluate(examples) {
    const batch = join(examples, this.network.config.max_position_embeddings);
    const hidden = this.network.forward(batch);
    const dHidden = this.network.buffers.zeros("dHidden", hidden.length);
    return this.head(this.network, hidden, batch, examples, dHidden);
  }

  /** The model as it is now, which later steps do not change. */
  bert() {
    const tensors = new Map();
    for (const [name, { shape, data }] of this.tensors) {
      tensors.set(name, { shape, data: data.slice() });
    }
    return new Bert(tensors, this.network.config);
  }
}

/**
 * All texts one after the other.
 * @param {Pick<Example, "ids" | "segments">[]} examples
 * @param {number} [longest] How many tokens a text may have.
 * @returns {Batch}
 */
export function join(examples, longest = Infinity) {
  if (examples.length === 0)
    throw new Error("there are no examples; expected one or more");
  const starts = [0];
  for (const [text, { ids, segments }] of examples.entries()) {
    if (
      ids.length === 0 ||
      ids.length > longest ||
      segments.length !== ids.length
    ) {
      throw new Error(
        `text ${text} has ${ids.length} tokens and ${segments.length} segments; ` +
          `expected 1 to ${longest}, and as many segments`,
      );
    }
    starts.push(starts[text] + ids.length);
  }
  return {
    ids: examples.flatMap(({ ids }) => ids),
    segments: examples.flatMap(({ segments }) => segments),
    positions: examples.flatMap(({ ids }) => [...ids.keys()]),
    starts,
  };
}
