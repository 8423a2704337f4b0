/**
 * From gradients to new weights, as in `bertlesson.optimization` and `bertlesson.training`.
 */

/** @typedef {import("./safetensors.js").Tensor} Tensor */

/**
 * @typedef {object} Settings
 * @property {[number, number]} betas How much of the running averages stays at each step.
 * @property {number} epsilon Is added to the root, which may be 0.
 * @property {number} weightDecay The share of a weight that is taken away, times the learning rate.
 */

/** @type {Settings} */
export const PAPERS = { betas: [0.9, 0.999], epsilon: 1e-6, weightDecay: 0.01 };

/** Adam with weight decay on everything but biases and LayerNorms (paper, A.2). */
export class AdamW {
  #step = 0;
  /** @type {Map<string, {mean: Float32Array, square: Float32Array}>} Running averages, by name. */
  #averages = new Map();

  /**
   * @param {Map<string, Tensor>} tensors Are changed in place.
   * @param {Settings} settings
   */
  constructor(tensors, settings = PAPERS) {
    this.tensors = tensors;
    this.settings = settings;
    for (const [name, { data }] of tensors) {
      const [mean, square] = [
        new Float32Array(data.length),
        new Float32Array(data.length),
      ];
      this.#averages.set(name, { mean, square });
    }
  }

  /**
   * @param {Map<string, Float32Array>} gradients By the names of the tensors.
   * @param {number} learningRate
   */
  step(gradients, learningRate) {
    this.#step += 1;
    for (const [name, { data }] of this.tensors) {
      const averages = this.#averages.get(name);
      const gradient = gradients.get(name);
      if (!averages || !gradient)
        throw new Error(`there is no gradient of ${name}`);
      const weightDecay = isSpared(name) ? 0 : this.settings.weightDecay;
      const settings = { ...this.settings, weightDecay };
      update(data, gradient, averages, learningRate, this.#step, settings);
    }
  }
}

/**
 * @param {Float32Array} weights
 * @param {Float32Array} gradient
 * @param {{mean: Float32Array, square: Float32Array}} averages
 * @param {number} learningRate
 * @param {number} step Counted from 1.
 * @param {Settings} settings
 */
function update(
  weights,
  gradient,
  { mean, square },
  learningRate,
  step,
  settings,
) {
  const [beta1, beta2] = settings.betas;
  const { epsilon, weightDecay } = settings;
  // --8<-- [start:adamw]
  // the averages start at zero, so the first ones are too small
  const rate = learningRate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  for (let k = 0; k < weights.length; k++) {
    const slope = gradient[k];
    mean[k] += (1 - beta1) * (slope - mean[k]);
    square[k] = beta2 * square[k] + (1 - beta2) * slope * slope;
    // decay is not part of the gradient: Adam would scale it away
    weights[k] *= 1 - learningRate * weightDecay;
    weights[k] -=
      (rate * mean[k]) / (Math.sqrt(square[k]) * correction + epsilon);
  }
  // --8<-- [end:adamw]
}

/**
 * Whether a weight is exempt from decay.
 * @param {string} name
 */
export const isSpared = (name) =>
  name.endsWith("bias") || name.includes("LayerNorm.");

/**
 * The share of the highest learning rate: it rises from 0, then falls to 0, both in a line.
 * @param {number} step Counted from 0.
 * @param {number} warmupSteps
 * @param {number} totalSteps
 */
// --8<-- [start:schedule]
export function scheduled(step, warmupSteps, totalSteps) {
  if (step < warmupSteps) return step / warmupSteps;
  return Math.max(0, (totalSteps - step) / (totalSteps - warmupSteps));
}
// --8<-- [end:schedule]

/**
 * Shortens all gradients alike if together they are longer than this.
 * @param {Float32Array[]} gradients
 * @param {number} longest
 * @returns {number} How long they were.
 */
// --8<-- [start:clip]
export function clip(gradients, longest) {
  let squares = 0;
  for (const gradient of gradients) squares += sumOfSquares(gradient);
  const length = Math.sqrt(squares);
  const share = Math.min(1, longest / (length + 1e-6));
  if (share < 1) for (const gradient of gradients) scale(gradient, share);
  return length;
}
// --8<-- [end:clip]

/** @param {Float32Array} numbers */
function sumOfSquares(numbers) {
  let sum = 0;
  for (let k = 0; k < numbers.length; k++) sum += numbers[k] * numbers[k];
  return sum;
}

/**
 * @param {Float32Array} numbers
 * @param {number} factor
 */
function scale(numbers, factor) {
  for (let k = 0; k < numbers.length; k++) numbers[k] *= factor;
}
